import { CheckpointError } from '../../../server/vnca/card.ts';
import { parseSafetensors, writeSafetensors } from '../../../server/vnca/checkpoint.ts';
import { type Float32Tensor, float32Of } from '../../../shared/safetensors.ts';
import fc, { anyText, forRuns } from '../../support/property.ts';

const FILE = 'x/model.safetensors';

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

test('written tensors are aligned', () => {
  const file = writeSafetensors(new Map([['a', { shape: [1], data: new Float32Array(1) }]]));
  expect(file[0] % 8).toBe(0);
});

test('float32 numbers keep their bits, also from a pooled Buffer and unaligned', () => {
  const data = Float32Array.of(0, -0, 1e-42, 3.5, -Infinity);
  const file = writeSafetensors(new Map([['a', { shape: [5], data }]]));
  const shifted = Buffer.concat([Buffer.of(1), file]).subarray(1);
  const read = float32Of(parseSafetensors(shifted, FILE)).get('a')!.data;
  expect(Object.is(read[1], -0)).toBe(true);
  expect(read).toEqual(data);
});

test.each([
  ['I32', 4],
  ['U8', 1],
])('a tensor of dtype %s is described but not read', (dtype, bytes) => {
  const file = fileOf({ a: { dtype, shape: [3], data_offsets: [0, 3 * bytes] } }, 3 * bytes);
  const read = parseSafetensors(file, FILE);
  expect([...read.tensors]).toEqual([['a', { dtype, shape: [3], data: undefined }]]);
  expect(float32Of(read).size).toBe(0);
});

test('16-bit floats are read, and are no float32 tensors', () => {
  const file = fileOf({ a: { dtype: 'F16', shape: [3], data_offsets: [0, 6] } }, 6);
  file.set([0x00, 0x3c, 0x01, 0x80, 0x00, 0xfc], file.length - 6);
  const read = parseSafetensors(file, FILE);
  expect(read.tensors.get('a')!.data).toEqual(Float32Array.of(1, -(2 ** -24), -Infinity));
  expect(float32Of(read).size).toBe(0);
});

test('the writer refuses numbers that do not fit the shape', () => {
  const tensors = new Map([['a', { shape: [3], data: new Float32Array(2) }]]);
  expect(() => writeSafetensors(tensors)).toThrow(RangeError);
});

const number = (begin: number, end: number, fields = {}) => ({
  a: { ...f32(begin, end), ...fields },
});
const twice = JSON.stringify(f32(0, 4));

test.each<[header: unknown, dataBytes: number, what: string]>([
  ['{"a":', 0, 'header is not JSON'],
  [[], 0, 'header is not a JSON object'],
  [{ __metadata__: 1 }, 0, '"__metadata__" is not an object'],
  [{ __metadata__: { k: 1 } }, 0, '"__metadata__.k" is not a string'],
  [{ a: 1 }, 0, 'tensor "a": is not an object'],
  [number(0, 4, { dtype: 'F31' }), 4, 'tensor "a": dtype "F31" is not known'],
  [number(0, 4, { dtype: 'toString' }), 4, 'tensor "a": dtype "toString" is not known'],
  [
    number(0, 4, { shape: [-1] }),
    4,
    'tensor "a": shape [-1] is not a list of non-negative integers',
  ],
  [number(0, 4, { data_offsets: [0, 4, 8] }), 4, 'data_offsets [0,4,8] are not two non-negative'],
  [number(0, 8), 4, 'tensor "a": data_offsets [0, 8] do not lie in the 4 bytes of data'],
  [number(4, 0, { shape: [1] }), 4, 'data_offsets [4, 0] do not lie in the 4 bytes of data'],
  [number(0, 8, { shape: [3] }), 8, 'data_offsets hold 8 bytes, but F32 of shape [3] takes 12'],
  [{ a: f32(0, 8), b: f32(4, 12) }, 12, 'tensor "b": data_offsets overlap with "a"'],
  [{ a: f32(0, 4), b: f32(8, 12) }, 12, 'tensor "b": data_offsets leave a hole of 4 bytes'],
  [number(0, 4), 9, 'data_offsets leave the last 5 bytes unnamed'],
  [`{"a":${twice}, "\\u0061":${twice}}`, 4, 'header names "a" twice'],
])('%j with %i bytes is corrupt: %s', (header, dataBytes, what) => {
  const read = () => parseSafetensors(fileOf(header, dataBytes), FILE);
  expect(read).toThrow(CheckpointError);
  expect(read).toThrow(expect.objectContaining({ reason: 'corrupt-file', file: FILE }));
  expect(read).toThrow(what);
  expect(read).toThrow(`${FILE}: `);
});

test.each([
  ['file of 7 bytes is too short for a header length', new Uint8Array(7)],
  ['header length 3 reaches beyond the file', fileOf('{}', 0, 3)],
  ['header length 1000000000 is over the limit', fileOf('{}', 0, 1e9)],
  ['header is not JSON', fileOf('{}').fill(0xff, 8)],
])('%s: the file is corrupt', (what, bytes) => {
  expect(() => parseSafetensors(bytes, FILE)).toThrow(`${FILE}: ${what}`);
});

test('a tensor may be named like a field of Object', () => {
  const file = fileOf(`{"__proto__":${JSON.stringify(f32(0, 4))}}`, 4);
  expect([...parseSafetensors(file, FILE).tensors.keys()]).toEqual(['__proto__']);
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
