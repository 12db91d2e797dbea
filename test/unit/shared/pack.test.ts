import { Packr } from 'msgpackr';
import { OPTIONS, pack, unpack } from '../../../shared/protocol/packets.ts';
import fc, { forRuns } from '../../support/property.ts';

const packr = new Packr(OPTIONS);

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
    expect(plain(packr.unpack(pack(value)))).toEqual(plain(value));
  });
});

test.each([31, 32, 255, 256, 65_535, 65_536])('values of size %d are packed', (size) => {
  const values = ['a'.repeat(size), new Uint8Array(size).fill(7), new Array(size).fill(1)];
  for (const value of values) expect(plain(packr.unpack(pack(value)))).toEqual(plain(value));
});

test('undefined fields are omitted, and unsupported values refused', () => {
  expect(packr.unpack(pack({ a: undefined, b: 1 }))).toEqual({ b: 1 });
  expect(() => pack(() => 1)).toThrow('bad packet');
  expect(() => pack(1n)).toThrow('bad packet');
});

test('a page reads what a server packs, and no part of it', () => {
  forRuns(2_000, packable, fc.nat(), (value, length) => {
    const bytes = packr.pack(value);
    expect(plain(unpack(bytes))).toEqual(plain(packr.unpack(bytes)));
    expect(() => unpack(bytes.subarray(0, length % bytes.length))).toThrow();
  });
  expect(unpack(packr.pack([undefined, { a: undefined }]))).toStrictEqual([
    undefined,
    { a: undefined },
  ]);
});

test.each([31, 32, 255, 256, 65_535, 65_536])('values of size %d are read', (size) => {
  const numbers = Array.from({ length: size }, (_, i) => -i);
  for (const value of ['ä'.repeat(size), numbers, { ...numbers }]) {
    expect(JSON.stringify(unpack(packr.pack(value)))).toBe(JSON.stringify(value));
  }
  expect(unpack(packr.pack(new Uint8Array(size)))).toHaveLength(size);
});

test('a page reads any bytes or refuses them, and a prototype is out of reach', () => {
  forRuns(5_000, fc.uint8Array({ maxLength: 200 }), (bytes) => {
    try {
      unpack(bytes);
    } catch (error) {
      expect(String(error)).toMatch(/^(Range|Type)Error/);
    }
  });
  const read = unpack(Buffer.from('\x81\xa9__proto__\x81\xa1x\x01', 'latin1'));
  expect(JSON.stringify(read)).toBe('{"__proto__":{"x":1}}');
  expect((read as { x?: number }).x).toBeUndefined();
});

test.each([
  ['nothing', []],
  ['two values', [1, 2]],
  ['a code without a meaning', [0xc1]],
  ['an extension', [0xd4, 0x72, 1]],
  ['ten thousand nested arrays', new Array(10_000).fill(0x91)],
  ['four thousand million values', [0xdd, 0xff, 0xff, 0xff, 0xff]],
])('a page does not read %s', (_, bytes) => {
  expect(() => unpack(Uint8Array.from(bytes))).toThrow();
});
