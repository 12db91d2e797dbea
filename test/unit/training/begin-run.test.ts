/** Runs that begin with the weights of a checkpoint. */
import { join } from 'node:path';
import { readConfig, type TrainingConfig } from '../../../server/training/config.ts';
import { leakAt } from '../../../server/training/rollout/rollout-plan.ts';
import { beginRun } from '../../../server/training/run/begin-run.ts';
import { writeCheckpoint } from '../../../server/training/run/export.ts';
import type { Run } from '../../../server/training/run/run-folder.ts';
import { firstState, trainedShapes } from '../../../server/training/run/run-state.ts';
import { CARD_VERSION, parseCard } from '../../../server/vnca/card.ts';
import { loadModel } from '../../../server/vnca/checkpoint.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { hexOf, tinyConfig } from './tiny-run.ts';

const folder = temporaryFolder();
const update = { kind: 'residual', hidden: 5, leak: 0.5, stateLimit: 4 };
const encoder = (fields: object = {}, pad = 1) => ({
  ...{ input: '0..1', logSigmaRange: [-6, 2], ...fields },
  convolutions: [{ size: 3, stride: 2, pad, channels: 4 }],
});
const trained = tinyConfig({ update });

/** Writes a checkpoint with random weights. */
async function write(name: string, config: TrainingConfig): Promise<string> {
  const out = join(folder(), name);
  const { title, side, channels, latentSize, growth, readout, presence } = config;
  const card = parseCard(
    {
      ...{ version: CARD_VERSION, name, title, side, channels, latentSize, growth, readout },
      ...{ presence, update: config.update, encoder: config.encoder, training: {}, figures: {} },
      gallery: [{ name: 'one', kind: 'thing' }],
      data: { set: 'none', licence: 'none', source: 'none' },
    },
    name,
  );
  const { tensors } = firstState(config);
  const weights = [...trainedShapes(config).keys()].map(
    (key) => [key, tensors.get(`parameter:${key}`)!] as const,
  );
  const latents = { shape: [1, latentSize], data: new Float32Array(latentSize) };
  await writeCheckpoint(out, {
    card,
    tensors: new Map([...weights, ['gallery.latents', latents]]),
  });
  return out;
}

async function begin(options: object, config: TrainingConfig): Promise<Run & { said: string[] }> {
  const said: string[] = [];
  const run = await beginRun({ resume: false, ...options }, config, folder(), (line) =>
    said.push(line),
  );
  return { ...run, said };
}

let from: string;
beforeAll(async () => {
  from = await write('trained', trained);
});

test('a rule that was trained with a leak keeps it', async () => {
  const config = tinyConfig({ update, leakRamp: [0, 0.5], curriculum: [{ side: 4, until: 0.2 }] });
  const { state, said } = await begin({ from }, config);
  expect(leakAt(config, state.reached)).toBe(0.5);
  expect(state.update).toBe(0);
  expect(said).toEqual([]);
  const anew = await begin({}, config);
  expect(leakAt(config, anew.state.reached)).toBe(0);
});

test('what differs from the checkpoint is said, for rule and encoder', async () => {
  // Its encoder has maps of the same size, and so the same shapes.
  const config = tinyConfig({
    ...{ side: 10, data: { kind: 'folder', folder: 'none', side: 10, margin: 0 } },
    growth: { kind: 'uniform', steps: 4 },
    update: { ...update, leak: 0.25 },
    encoder: encoder({}, 0),
  });
  const { said } = await begin({ from }, config);
  expect(said).toHaveLength(2);
  for (const path of ['"side"', '"growth.kind"', '"update.leak"']) expect(said[0]).toContain(path);
  expect(said[1]).toContain('"encoder.convolutions.0.pad"');
  for (const line of said) expect(line).toMatch(new RegExp(`^${from} was trained with another`));
});

test.each([
  ['input', { input: '-1..1' }],
  ['logSigmaRange', { logSigmaRange: [-6, 3] }],
  ['meanRange', { meanRange: [-9, 9] }],
])('an encoder with another %s is refused', async (field, fields) => {
  const config = tinyConfig({ update, encoder: encoder(fields) });
  const message = expect.stringMatching(new RegExp(`^${from}: "encoder.${field}" is another`));
  await expect(begin({ from }, config)).rejects.toMatchObject({ reason: 'bad-run', message });
});

test('tensors that do not fit are said of the checkpoint that has them', async () => {
  const other = await write('other', trained);
  const blamed = async (config: TrainingConfig): Promise<string> => {
    const error = await begin({ from, encoder: other }, config).catch((thrown) => thrown);
    return error.message.split(':')[0];
  };
  expect(await blamed(tinyConfig({ update: { ...update, hidden: 6 } }))).toBe(from);
  const narrow = { ...encoder(), convolutions: [{ size: 3, stride: 2, pad: 1, channels: 3 }] };
  expect(await blamed(tinyConfig({ update, encoder: narrow }))).toBe(other);
});

test('the rule of digits goes on at another side, and its encoder with wider margins', async () => {
  const digits = 'checkpoints/digits';
  const { tensors, card } = await loadModel(digits);
  const { folder: _, ...heal } = await readConfig('server/training/configs/digits-heal.json');
  const long = await readConfig('server/training/configs/digits-long.json');
  const [first, ...rest] = long.encoder.convolutions;
  const wider = { ...long.encoder, convolutions: [{ ...first, pad: 4 }, ...rest] };
  const config = { ...heal, side: 28, encoder: wider, update: card.update };
  const { state, said } = await begin({ from: digits }, config);
  for (const name of trainedShapes(config).keys()) {
    const now = state.tensors.get(`parameter:${name}`)!;
    expect([name, hexOf(now.data)]).toEqual([name, hexOf(tensors.get(name)!.data)]);
  }
  expect(leakAt(config, state.reached)).toBe(card.update.leak);
  expect(said.join()).toContain('"side", "growth.kind"');
});
