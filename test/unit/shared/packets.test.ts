import { types } from 'node:util';
import { Packr } from 'msgpackr';
import { OPTIONS, pack, unpack } from '../../../shared/protocol/packets.ts';
import { parser } from '../../../shared/protocol/parser.ts';
import { isFull } from '../../support/needs.ts';
import fc, { forRuns } from '../../support/property.ts';

function decode(message: unknown): unknown {
  const decoder = new parser.Decoder();
  let packet: unknown;
  decoder.on('decoded', (decoded) => {
    packet = decoded;
  });
  decoder.add(message);
  decoder.destroy();
  return packet;
}

test.each([
  ['a text', 'hello'],
  ['a number', pack(4)],
  ['no type', pack({ nsp: '/' })],
  ['an unknown type', pack({ type: 9, nsp: '/', data: [] })],
  ['an event without a name', pack({ type: 2, nsp: '/', data: [1] })],
  ['a reserved event', pack({ type: 2, nsp: '/', data: ['disconnect', 'x'] })],
  ['an error event', pack({ type: 2, nsp: '/', data: ['error', 'x'] })],
  ['a bad id', pack({ type: 2, nsp: '/', data: ['x'], id: 'one' })],
  ['two values', Buffer.concat([pack({ type: 0, nsp: '/' }), pack(1)])],
  ['nothing', new Uint8Array(0)],
  ['ten thousand nested arrays', new Uint8Array(10_000).fill(0x91)],
])('%s is not a packet', (_, message) => {
  expect(() => decode(message)).toThrow();
});

const fields = fc.dictionary(fc.string({ maxLength: 8 }), fc.integer(), { maxKeys: 3 });
const value = fc.oneof(fc.uint8Array({ maxLength: 24 }), fc.double(), fields);
/** Packets as clients send them. */
const packet = fc
  .tuple(
    fc.oneof(
      fc.tuple(fc.constant(parser.PacketType.CONNECT), fields),
      fc.tuple(fc.constant(parser.PacketType.DISCONNECT), fc.constant(null)),
      fc.tuple(fc.constant(parser.PacketType.CONNECT_ERROR), fc.string({ maxLength: 12 })),
      fc.tuple(
        fc.constant(parser.PacketType.EVENT),
        fc.tuple(fc.string({ maxLength: 12 }), value, value),
      ),
    ),
    fc.nat(),
  )
  .map(([[type, data], id]) => ({ type, nsp: '/', data, id }));

test('any bytes either decode to a packet or throw', () => {
  let packets = 0;
  const readOrRefuse = (bytes: Uint8Array): void => {
    let decoded: unknown;
    try {
      decoded = decode(bytes);
    } catch (error) {
      // Some are of another realm than this test's.
      expect(types.isNativeError(error)).toBe(true);
      return;
    }
    packets++;
    expect(decoded).toMatchObject({ type: expect.any(Number), nsp: '/' });
    const { type, data } = decoded as { type: number; data?: unknown };
    expect([0, 1, 2, 4]).toContain(type);
    if (type === parser.PacketType.EVENT) expect(data).toHaveProperty('0', expect.any(String));
  };
  forRuns(1_000, fc.uint8Array({ maxLength: 200 }), readOrRefuse);
  // Real packets with some bytes changed, or cut.
  const change = fc.record({ at: fc.nat(200), byte: fc.nat(255) });
  forRuns(4_000, packet, fc.array(change, { maxLength: 2 }), fc.nat(2), (sent, changes, cut) => {
    const some = Uint8Array.from(new parser.Encoder().encode(sent)[0]);
    for (const { at, byte } of changes) some[at % some.length] = byte;
    readOrRefuse(some);
    readOrRefuse(some.subarray(0, some.length - cut));
  });
  if (process.env.VIVARIUM_FIGURES) console.log(packets);
  expect(packets).toBeGreaterThan(isFull ? 1_000 : 250);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

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

test.each([31, 32, 255, 256, 65_535, 65_536])('values of size %d are packed and read', (size) => {
  const numbers = Array.from({ length: size }, (_, i) => -i);
  for (const value of ['a'.repeat(size), numbers, new Uint8Array(size).fill(7)]) {
    expect(plain(packr.unpack(pack(value)))).toEqual(plain(value));
  }
  for (const value of ['ä'.repeat(size), numbers, { ...numbers }]) {
    expect(JSON.stringify(unpack(packr.pack(value)))).toBe(JSON.stringify(value));
  }
  expect(unpack(packr.pack(new Uint8Array(size)))).toHaveLength(size);
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
