/** The file of a painter. */

import { painterBytes } from '../../../server/training/painter/write.ts';
import { toHalf } from '../../../shared/half-floats.ts';
import { PAINTER_LIMIT, PainterError, parsePainter, rampsOf } from '../../../shared/painter/net.ts';
import { randomWeights } from './nets.ts';

const reasonOf = (bytes: Uint8Array): string | undefined => {
  try {
    parsePainter(bytes);
  } catch (error) {
    if (error instanceof PainterError) return error.reason;
    throw error;
  }
  return undefined;
};
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const changed = (bytes: Uint8Array, from: string, to: string): Uint8Array => {
  expect(text(bytes)).toContain(from);
  return Uint8Array.from(Buffer.from(text(bytes).replace(from, to), 'latin1'));
};

const file = painterBytes(randomWeights(1));

test('what is written is read, to the precision of 16 bits', () => {
  const net = parsePainter(file);
  expect(net.map(({ inputs, outputs }) => [inputs, outputs])).toEqual([
    [125, 8],
    [8, 12],
    [12, 24],
  ]);
  expect(rampsOf(net)).toBe(3);
  const written = randomWeights(1).get('hidden2.kernel')!.data;
  net[1].kernel.forEach((value, i) => {
    expect(Math.abs(value - written[i])).toBeLessThanOrEqual(Math.abs(written[i]) * 2 ** -11);
  });
});

test.each([
  [1, 0x3c00],
  [-2, 0xc000],
  [65504, 0x7bff],
  [65519, 0x7bff],
  [65520, 0x7c00],
  [0, 0],
  [2 ** -14, 0x0400],
  [2 ** -24, 1],
  [2 ** -25, 0],
  [3 * 2 ** -25, 2],
  [2 ** -14 - 2 ** -26, 0x0400],
  // Ties go to the even neighbour.
  [1 + 2 ** -11, 0x3c00],
  [1 + 3 * 2 ** -11, 0x3c02],
  [0.1, 0x2e66],
])('%p as a 16-bit float', (value, bits) => {
  expect(toHalf(Float32Array.of(value))[0]).toBe(bits);
});

test('all finite 16-bit floats survive', () => {
  const weights = randomWeights(2);
  const { data } = weights.get('hidden1.kernel')!;
  for (let first = 0; first < 0x7c00; first += data.length) {
    const sources = Array.from(data, (_, i) => Math.min(first + i, 0x7bff));
    sources.forEach((half, i) => {
      const exponent = half >> 10;
      data[i] = exponent === 0 ? half * 2 ** -24 : (1024 + (half & 1023)) * 2 ** (exponent - 25);
    });
    expect([...toHalf(data)]).toEqual(sources);
    expect([...parsePainter(painterBytes(weights))[0].kernel]).toEqual([...data]);
  }
});

test.each([
  ['too large', Buffer.concat([file, new Uint8Array(PAINTER_LIMIT)]), 'too-large'],
  ['cut off', file.subarray(0, file.length - 1), 'bad-file'],
  ['empty', new Uint8Array(0), 'bad-file'],
  ['no JSON', changed(file, '{"__meta', '?"__meta'), 'bad-file'],
  ['of another version', changed(file, '"painter":"1"', '"painter":"2"'), 'unknown-version'],
  ['of other numbers', changed(file, '"F16"', '"F32"'), 'bad-file'],
  ['of layers that do not fit', changed(file, '[8,12]', '[12,8]'), 'bad-file'],
  ['without a layer', changed(file, '"ramps.bias"', '"ramps.bios"'), 'bad-file'],
])('a file is refused that is %s', (_, bytes, reason) => {
  expect(reasonOf(bytes)).toBe(reason);
});

test('a file is refused that holds a number that is not finite', () => {
  const bytes = file.slice();
  bytes.set([0x00, 0x7c], bytes.length - 2);
  expect(reasonOf(bytes)).toBe('bad-file');
});
