import { CheckpointError, parseCard } from '../../../server/vnca/card.ts';
import { gallerySheet } from '../../../server/vnca/gallery.ts';
import { tinyCard, tinyCardJson } from './tiny-model.ts';

const FILE = 'x/card.json';
/** Fields of a decoder of patches of 16. */
const DECODER = {
  growth: { kind: 'uniform', steps: 1 },
  update: { kind: 'decoder', hidden: 8, doublings: 3 },
};

test('fields that are left out have defaults', () => {
  const { update, description, trustedSteps } = tinyCard({ update: { kind: 'simple', hidden: 3 } });
  expect(update).toEqual({
    kind: 'simple',
    hidden: 3,
    activation: 'elu',
    leak: 0,
    outBias: false,
    standingInput: false,
    updateProbability: 1,
  });
  expect(description).toBe('');
  expect(trustedSteps).toBeUndefined();
});

test.each([
  [7, 'card version 7 is not known; this build reads version 1'],
  ['1', 'card version "1" is not known; this build reads version 1'],
  [undefined, 'card version (none) is not known; this build reads version 1'],
])('version %p is not known', (version, what) => {
  const parse = () => parseCard({ ...tinyCardJson(), version }, FILE);
  expect(parse).toThrow(expect.objectContaining({ reason: 'unknown-version' }));
  expect(parse).toThrow(`${FILE}: ${what}`);
});

test.each([
  [{ name: 'Not A Name' }, 'field "name": '],
  [{ side: 15 }, 'field "side": '],
  [{ side: '32' }, 'field "side": '],
  [{ channels: 0 }, 'field "channels": '],
  [{ colour: 'blue' }, 'field "colour": '],
  [{ growth: { kind: 'budding' } }, 'field "growth.kind": '],
  [{ growth: { kind: 'uniform' } }, 'field "growth.steps": '],
  [{ growth: { kind: 'doubling', seedSide: 3, stepsPerStage: 8 } }, 'field "growth.seedSide": '],
  [{ growth: { kind: 'doubling', seedSide: 32, stepsPerStage: 8 } }, 'field "growth.seedSide": '],
  [{ latentSize: 5 }, 'field "latentSize": is 5, but without a genome it must equal'],
  [{ update: { kind: 'res5', hidden: 8 } }, 'field "update.kind": '],
  [{ update: { kind: 'res4', hidden: 8, outBias: true } }, 'field "update.outBias": '],
  [{ update: { kind: 'res4', hidden: 8, stateLimit: 0 } }, 'field "update.stateLimit": '],
  [
    { update: { kind: 'res4', hidden: 8, updateProbability: 1.5 } },
    'field "update.updateProbability": ',
  ],
  [
    { ...DECODER, side: 32 },
    'field "update.doublings": is 3, which does not lead from 2 to "side"',
  ],
  [
    { ...DECODER, update: { ...DECODER.update, hidden: 12 } },
    'field "update.hidden": is 12, which cannot be halved 3 times',
  ],
  [
    { ...DECODER, growth: { kind: 'uniform', steps: 2 } },
    'field "growth": must be uniform with one',
  ],
  [{ ...DECODER, update: { ...DECODER.update, leak: 0.5 } }, 'field "update": has a field'],
  [
    { readout: { kind: 'rgba-premultiplied', channels: [0, 1, 2] } },
    'field "readout.channels.3": ',
  ],
  [
    { readout: { kind: 'rgba-premultiplied', channels: [0, 1, 2, 6] } },
    'field "readout": reads channel 6, but there are only 6 channels',
  ],
  [{ readout: { kind: 'bernoulli', channel: 6 } }, 'field "readout": reads channel 6'],
  [{ readout: { kind: 'dmol', mixtures: 1 } }, 'field "readout": reads channel 9'],
  [{ presence: { channel: 6, threshold: 0.1 } }, 'field "presence.channel": is 6'],
  [{ presence: { threshold: 2 } }, 'field "presence.threshold": '],
  [{ gallery: [{ name: 'x', kind: 'ghost' }] }, 'field "gallery.0.kind": '],
  [{ trustedSteps: 0.5 }, 'field "trustedSteps": '],
  [{ data: undefined }, 'field "data": '],
])('%j is refused, and the message names the field', (fields, what) => {
  const parse = () => parseCard(tinyCardJson(fields), FILE);
  expect(parse).toThrow(CheckpointError);
  expect(parse).toThrow(expect.objectContaining({ reason: 'bad-card', file: FILE }));
  expect(parse).toThrow(`${FILE}: ${what}`);
});

test.each([[null], [[]], ['card'], [1]])('%j is not a card', (value) => {
  expect(() => parseCard(value, FILE)).toThrow(`${FILE}: card is not a JSON object`);
});

test('the gallery sheet has 24 columns and as many rows as it takes', () => {
  const gallery = (length: number) => new Array(length).fill({ name: 'x', kind: 'thing' as const });
  expect(gallerySheet({ side: 16, gallery: gallery(24) })).toEqual({
    columns: 24,
    rows: 1,
    tile: 16,
    width: 384,
    height: 16,
  });
  expect(gallerySheet({ side: 16, gallery: gallery(25) }).height).toBe(32);
});
