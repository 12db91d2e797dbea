import { Unpackr } from 'msgpackr';
import { pack } from '../../../shared/protocol/pack.ts';
import { OPTIONS } from '../../../shared/protocol/packets.ts';
import fc, { forRuns } from '../../support/property.ts';

const unpackr = new Unpackr(OPTIONS);

const { packable } = fc.letrec((tie) => ({
  packable: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.double(),
    fc.maxSafeInteger(),
    fc.string({ unit: 'grapheme' }),
    fc.uint8Array(),
    fc.array(tie('packable')),
    // The reader renames what could reach a prototype; the protocol has no such name.
    fc.dictionary(
      fc.string().filter((key) => key !== '__proto__'),
      tie('packable'),
      { noNullPrototype: true },
    ),
  ),
}));

/** Bytes come back as the reader's own kind of them. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return { bytes: [...value] };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

test('the server reads what a page packs', () => {
  forRuns(2_000, packable, (value) => {
    expect(plain(unpackr.unpack(pack(value)))).toEqual(plain(value));
  });
});

test.each([31, 32, 255, 256, 65_535, 65_536])('values of size %d are packed', (size) => {
  const values = ['a'.repeat(size), new Uint8Array(size).fill(7), new Array(size).fill(1)];
  for (const value of values) expect(plain(unpackr.unpack(pack(value)))).toEqual(plain(value));
});

test('undefined fields are omitted, and unsupported values refused', () => {
  expect(unpackr.unpack(pack({ a: undefined, b: 1 }))).toEqual({ b: 1 });
  expect(() => pack(() => 1)).toThrow('function');
  expect(() => pack(1n)).toThrow('bigint');
});
