/** The files of a checkpoint: card, weights, and the folder with both. */
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { CheckpointError, parseCard } from '../../../server/vnca/card.ts';
import {
  fingerprint,
  loadCheckpoint,
  loadModel,
  parseSafetensors,
  writeSafetensors,
} from '../../../server/vnca/checkpoint.ts';
import { type Float32Tensor, float32Of } from '../../../shared/safetensors.ts';
import { temporaryFolder } from '../../support/closing.ts';
import fc, { anyText, forRuns } from '../../support/property.ts';
import { modelOf, tinyCard, tinyCardJson } from './tiny-model.ts';

const FILE = 'x/file';
/** Fields of a decoder of patches of 16. */
const DECODER = {
  growth: { kind: 'uniform', steps: 1 },
  update: { kind: 'decoder', hidden: 8, doublings: 3 },
};

test.each([
  [7, 'card version 7 is unknown; this server reads version 1'],
  ['1', 'card version "1" is unknown; this server reads version 1'],
  [undefined, 'card version (none) is unknown; this server reads version 1'],
])('version %p is not known', (version, what) => {
  const parse = () => parseCard({ ...tinyCardJson(), version }, FILE);
  expect(parse).toThrow(expect.objectContaining({ reason: 'unknown-version' }));
  expect(parse).toThrow(`${FILE}: ${what}`);
});

test.each([
  [{ name: 'Not A Name' }, 'field "name": '],
  [{ side: 15 }, 'field "side": '],
  [{ colour: 'blue' }, 'field "colour": '],
  [{ growth: { kind: 'budding' } }, 'field "growth.kind": '],
  [{ growth: { kind: 'doubling', seedSide: 3, stepsPerStage: 8 } }, 'field "growth.seedSide": '],
  [{ latentSize: 5 }, 'field "latentSize": is 5, but must equal "channels"'],
  [{ update: { kind: 'res5', hidden: 8 } }, 'field "update.kind": '],
  [{ update: { kind: 'res4', hidden: 8, outBias: true } }, 'field "update.outBias": '],
  [
    { ...DECODER, side: 32 },
    'field "update.doublings": is 3, but doubling 2 that many times does not give "side"',
  ],
  [
    { ...DECODER, update: { ...DECODER.update, hidden: 12 } },
    'field "update.hidden": is 12, but must be a multiple of 8 (2 to the power of "doublings")',
  ],
  [
    { ...DECODER, growth: { kind: 'uniform', steps: 2 } },
    'field "growth": must have the kind "uniform" and 1 step',
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
  [{ readout: { kind: 'dmol', mixtures: 1 } }, 'field "readout": reads channel 9'],
  [{ presence: { channel: 6, threshold: 0.1 } }, 'field "presence.channel": is 6'],
  [{ gallery: [{ name: 'x', kind: 'ghost' }] }, 'field "gallery.0.kind": '],
])('%j is refused, and the message names the field', (fields, what) => {
  const parse = () => parseCard(tinyCardJson(fields), FILE);
  expect(parse).toThrow(CheckpointError);
  expect(parse).toThrow(expect.objectContaining({ reason: 'bad-card', file: FILE }));
  expect(parse).toThrow(`${FILE}: ${what}`);
});

test.each([[null], [[]], ['card'], [1]])('%j is not a card', (value) => {
  expect(() => parseCard(value, FILE)).toThrow(`${FILE}: card is not a JSON object`);
});

/** A file of this header (text, or a value to write as JSON) and so many bytes of data. */
function fileOf(header: unknown, dataBytes = 0, length?: number): Uint8Array {
  const text = typeof header === 'string' ? header : JSON.stringify(header);
  const bytes = new TextEncoder().encode(text);
  const file = new Uint8Array(8 + bytes.length + dataBytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(length ?? bytes.length), true);
  file.set(bytes, 8);
  return file;
}

const f32 = (begin: number, end: number, shape = [(end - begin) / 4]) => ({
  dtype: 'F32',
  shape,
  data_offsets: [begin, end],
});

const tensor: fc.Arbitrary<Float32Tensor> = fc
  .array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 })
  .chain((shape) => {
    const length = shape.reduce((a, b) => a * b, 1);
    return fc
      .float32Array({ minLength: length, maxLength: length })
      .map((data) => ({ shape, data }));
  });
const name = anyText().filter((s) => s !== '__metadata__');
const named = fc.uniqueArray(fc.tuple(name, tensor), { selector: ([key]) => key, maxLength: 6 });

test('reads what was written', () => {
  forRuns(200, named, fc.dictionary(fc.string(), fc.string()), (entries, metadata) => {
    const file = parseSafetensors(writeSafetensors(new Map(entries), metadata), FILE);
    expect(float32Of(file)).toEqual(new Map(entries));
    expect({ ...file.metadata }).toEqual({ ...metadata });
  });
});

test('float32 numbers keep their bits, also from a pooled Buffer and unaligned', () => {
  const data = Float32Array.of(0, -0, 1e-42, 3.5, -Infinity);
  const file = writeSafetensors(new Map([['a', { shape: [5], data }]]));
  const shifted = Buffer.concat([Buffer.of(1), file]).subarray(1);
  const read = float32Of(parseSafetensors(shifted, FILE)).get('a')!.data;
  expect(Object.is(read[1], -0)).toBe(true);
  expect(read).toEqual(data);
});

test('16-bit floats are read, and are no float32 tensors', () => {
  const file = fileOf({ a: { dtype: 'F16', shape: [3], data_offsets: [0, 6] } }, 6);
  file.set([0x00, 0x3c, 0x01, 0x80, 0x00, 0xfc], file.length - 6);
  const read = parseSafetensors(file, FILE);
  expect(read.tensors.get('a')!.data).toEqual(Float32Array.of(1, -(2 ** -24), -Infinity));
  expect(float32Of(read).size).toBe(0);
});

const number = (begin: number, end: number, fields = {}) => ({
  a: { ...f32(begin, end), ...fields },
});

test.each<[header: unknown, dataBytes: number, what: string]>([
  ['{"a":', 0, 'header is not JSON'],
  [[], 0, 'header is not a JSON object'],
  [{ __metadata__: 1 }, 0, '"__metadata__" is not an object'],
  [{ __metadata__: { k: 1 } }, 0, '"__metadata__.k" is not a string'],
  [{ a: 1 }, 0, 'tensor "a": entry is wrong: '],
  [number(0, 4, { dtype: 'F31' }), 4, 'tensor "a": dtype is wrong: '],
  [number(0, 4, { dtype: 'toString' }), 4, 'tensor "a": dtype is wrong: '],
  [number(0, 4, { shape: [-1] }), 4, 'tensor "a": shape.0 is wrong: '],
  [number(0, 4, { data_offsets: [0, 4, 8] }), 4, 'tensor "a": data_offsets.2 is wrong: '],
  [number(0, 8), 4, 'tensor "a": data_offsets [0, 8] are not within the 4 bytes of data'],
  [number(0, 8, { shape: [3] }), 8, 'span 8 bytes, but F32 data of shape [3] need 12 bytes'],
  [{ a: f32(0, 8), b: f32(4, 12) }, 12, 'tensor "b": data_offsets begin at 4 instead of 8'],
  [{ a: f32(0, 4), b: f32(8, 12) }, 12, 'tensor "b": data_offsets begin at 8 instead of 4'],
  [number(0, 4), 9, 'no tensor covers the last 5 bytes of data'],
])('%j with %i bytes is corrupt: %s', (header, dataBytes, what) => {
  const read = () => parseSafetensors(fileOf(header, dataBytes), FILE);
  expect(read).toThrow(CheckpointError);
  expect(read).toThrow(expect.objectContaining({ reason: 'corrupt-file', file: FILE }));
  expect(read).toThrow(what);
  expect(read).toThrow(`${FILE}: `);
});

test.each([
  ['file of 7 bytes is too short for a header length', new Uint8Array(7)],
  ['a header of 3 bytes is too long for a file', fileOf('{}', 0, 3)],
  ['header is not JSON', fileOf('{}').fill(0xff, 8)],
])('%s: the file is corrupt', (what, bytes) => {
  expect(() => parseSafetensors(bytes, FILE)).toThrow(`${FILE}: ${what}`);
});

test('every damaged file throws a CheckpointError', () => {
  const whole = writeSafetensors(
    new Map([
      ['a', { shape: [2, 3], data: new Float32Array(6) }],
      ['b', { shape: [], data: new Float32Array(1) }],
    ]),
    { made: 'by a test' },
  );
  const attempt = (bytes: Uint8Array): void => {
    try {
      parseSafetensors(bytes, FILE);
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
    }
  };
  forRuns(1000, fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
    attempt(whole.with(at, byte));
  });
  for (let length = 0; length < whole.length; length++) {
    expect(() => parseSafetensors(whole.subarray(0, length), FILE)).toThrow(CheckpointError);
  }
});

const newFolder = temporaryFolder();
let folder = '';

beforeEach(async () => {
  folder = newFolder();
  await writeFile(join(folder, 'card.json'), JSON.stringify(tinyCardJson()));
  await writeFile(join(folder, 'model.safetensors'), writeSafetensors(stored()));
  await writeFile(join(folder, 'gallery.png'), png(24 * 16, 16));
});

const stored = (): Map<string, Float32Tensor> => new Map(modelOf(tinyCard()).tensors);

function png(width: number, height: number): Buffer {
  return PNG.sync.write(new PNG({ width, height }));
}

async function expectFailure(reason: string, file: string, what: string): Promise<void> {
  await expect(loadCheckpoint(folder)).rejects.toMatchObject({
    ...{ name: 'CheckpointError', reason, file: join(folder, file) },
    message: expect.stringContaining(`${join(folder, file)}: ${what}`),
  });
}

test.each(['card.json', 'model.safetensors', 'gallery.png'])('%s must be there', async (file) => {
  await rm(join(folder, file));
  await expectFailure('missing-file', file, 'file cannot be read (ENOENT)');
});

test.each([
  ['{"version":', 'card is not JSON'],
  [JSON.stringify(tinyCardJson({ side: -2 })), 'field "side": '],
])('the card must be valid: %#', async (card, what) => {
  await writeFile(join(folder, 'card.json'), card);
  await expectFailure('bad-card', 'card.json', what);
});

test('a decoder, which has no cells that grow, is not for rooms', async () => {
  const card = tinyCardJson({
    growth: { kind: 'uniform', steps: 1 },
    update: { kind: 'decoder', hidden: 8, doublings: 3 },
  });
  const model = modelOf(tinyCard(card));
  await writeFile(join(folder, 'card.json'), JSON.stringify(card));
  await writeFile(join(folder, 'model.safetensors'), writeSafetensors(new Map(model.tensors)));
  expect((await loadModel(folder)).card).toEqual(model.card);
  await expectFailure('bad-card', 'card.json', 'field "update.kind": a decoder has no cells');
});

test('card and weights must be of one identity', async () => {
  const write = (identity: string): Promise<void> =>
    writeFile(join(folder, 'card.json'), JSON.stringify(tinyCardJson({ identity })));
  const hash = fingerprint(modelOf(tinyCard()));
  await write(hash.slice(0, 8));
  expect((await loadCheckpoint(folder)).card.identity).toBe(hash.slice(0, 8));
  const other = '0123abcd';
  await write(other);
  const what = `field "identity": is "${other}", but the identity computed from card and weights is "${hash.slice(0, 8)}"`;
  await expectFailure('bad-card', 'card.json', what);
  // A copy that a room keeps is known by its folder.
  const kept = join(folder, hash);
  await mkdir(kept);
  for (const file of ['card.json', 'model.safetensors', 'gallery.png']) {
    await copyFile(join(folder, file), join(kept, file));
  }
  expect((await loadCheckpoint(kept)).card.identity).toBe(other);
});

const floats = (shape: number[], value = 0): Float32Tensor => ({
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value),
});
test.each<[string, Float32Tensor | undefined, string]>([
  ['update.hidden.bias', undefined, 'with float32 numbers is missing'],
  ['gallery.latents', undefined, 'with float32 numbers is missing'],
  ['update.out.kernel', floats([6, 7]), 'is [6,7], not [7,6]'],
  ['gallery.latents', floats([1, 6]), 'is [1,6], not [2,6]'],
  ['update.out.bias', floats([6], Number.NaN), 'contains a number that is not finite'],
])('the tensor %s must fit: %#', async (name, tensor, what) => {
  const tensors = stored();
  if (tensor) tensors.set(name, tensor);
  else tensors.delete(name);
  await writeFile(join(folder, 'model.safetensors'), writeSafetensors(tensors));
  await expectFailure('bad-tensor', 'model.safetensors', `tensor "${name}" ${what}`);
});

test('the gallery sheet must be a PNG of the right size', async () => {
  await writeFile(join(folder, 'gallery.png'), 'no picture, but long enough to be one');
  await expectFailure('bad-gallery', 'gallery.png', 'file is not a PNG');
  await writeFile(join(folder, 'gallery.png'), png(24, 16));
  const what = 'the picture has 24 × 16 pixels, but must have 384 × 16 to show';
  await expectFailure('bad-gallery', 'gallery.png', what);
});
