import {
  decodeOsc,
  encodeBundle,
  encodeMessage,
  float,
  int,
  type OscArgument,
  OscError,
  type OscMessage,
  text,
} from '../../../server/osc/osc-codec.ts';
import fc, { forAll, forRuns } from '../../support/property.ts';

const bytes = (words: string): Uint8Array => Uint8Array.from(Buffer.from(words, 'latin1'));

/** A bundle of elements that are bytes already. */
function bundle(...elements: readonly Uint8Array[]): Uint8Array {
  const parts = elements.flatMap((one) => {
    const size = Buffer.alloc(4);
    size.writeUInt32BE(one.length);
    return [size, one];
  });
  return Uint8Array.from(Buffer.concat([bytes('#bundle\0\0\0\0\0\0\0\0\x01'), ...parts]));
}

const word = fc
  .string({ unit: 'grapheme', maxLength: 12 })
  .map((some) => some.replaceAll('\0', ''));
const argument: fc.Arbitrary<OscArgument> = fc.oneof(
  fc.integer().map(int),
  fc.float({ noNaN: true }).map(float),
  word.map(text),
  fc.double({ noNaN: true }).map((value) => ({ type: 'double' as const, value })),
  fc
    .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    .map((value) => ({ type: 'bigint' as const, value })),
  fc.constantFrom<OscArgument>({ type: 'true', value: true }, { type: 'false', value: false }),
);
const message: fc.Arbitrary<OscMessage> = fc.record({
  address: word.map((some) => `/${some}`),
  args: fc.array(argument, { maxLength: 6 }),
});
/** Bytes, and the messages in them. */
const packet = fc.array(message, { maxLength: 4 }).map((messages) => ({
  messages,
  // The last two in a bundle of their own.
  written: bundle(
    ...messages.slice(0, -2).map(encodeMessage),
    encodeBundle(messages.slice(Math.max(0, messages.length - 2))),
  ),
}));

test("messages are encoded as in the specification's examples", () => {
  expect(encodeMessage({ address: '/oscillator/4/frequency', args: [float(440)] })).toEqual(
    bytes('/oscillator/4/frequency\0,f\0\0\x43\xdc\0\0'),
  );
  expect(
    encodeMessage({
      address: '/foo',
      args: [int(1000), int(-1), text('hello'), float(1.234), float(5.678)],
    }),
  ).toEqual(
    bytes(
      '/foo\0\0\0\0,iisff\0\0\0\0\x03\xe8\xff\xff\xff\xffhello\0\0\0\x3f\x9d\xf3\xb6\x40\xb5\xb2\x2d',
    ),
  );
  expect(encodeBundle([{ address: '/a', args: [] }])).toEqual(
    bytes('#bundle\0\0\0\0\0\0\0\0\x01\0\0\0\x08/a\0\0,\0\0\0'),
  );
});

test('encoded messages are decoded in order, however they are bundled', () => {
  forAll(message, (one) => {
    const written = encodeMessage(one);
    expect(written.length % 4).toBe(0);
    expect(decodeOsc(written)).toEqual([one]);
  });
  forAll(packet, ({ messages, written }) => {
    expect(decodeOsc(written)).toEqual(messages);
  });
});

test('a message without a type string has no values', () => {
  expect(decodeOsc(bytes('/go\0'))).toEqual([{ address: '/go', args: [] }]);
});

test('values that OSC cannot represent are refused', () => {
  expect(() => encodeMessage({ address: '/foo', args: [text('a\0b')] })).toThrow('NULL');
  expect(() => int(2 ** 31)).toThrow(RangeError);
  expect(() => int(0.5)).toThrow(RangeError);
});

test.each([
  ['nothing', ''],
  ['no address', 'foo\0'],
  ['an address without end', '/foo'],
  ['no types', '/foo\0\0\0\0foo\0'],
  ['an unknown type', '/foo\0\0\0\0,?\0\0'],
  ['a missing value', '/foo\0\0\0\0,i\0\0'],
  ['a blob longer than the packet', '/foo\0\0\0\0,b\0\0\x7f\xff\xff\xff'],
  ['a blob of negative length', '/foo\0\0\0\0,b\0\0\xff\xff\xff\xf0'],
  ['a bundle without time', '#bundle\0'],
  ['a bundle that ends in a size', '#bundle\0\0\0\0\0\0\0\0\x01\0\0'],
  ['an element longer than its bundle', '#bundle\0\0\0\0\0\0\0\0\x01\0\0\0\x40'],
  ['an element of no length', '#bundle\0\0\0\0\0\0\0\0\x01\0\0\0\0'],
  ['a broken element', '#bundle\0\0\0\0\0\0\0\0\x01\0\0\0\x0c/foo\0\0\0\0,?\0\0'],
  ['a bundle by another name', '\xef\xbb\xbf#bundle\0\0\0\0\0\0\0\0\0\x01'],
])('%s is refused, wherever it lies in its buffer', (_, sent) => {
  const pool = new Uint8Array(4_096).fill(7);
  pool.set(bytes(sent), 100);
  for (const one of [bytes(sent), pool.subarray(100, 100 + sent.length)]) {
    expect(() => decodeOsc(one)).toThrow(expect.objectContaining({ reason: 'malformed' }));
  }
});

test('bundles too deep or too full, and messages of too many values, are refused', () => {
  const one: OscMessage = { address: '/a', args: [] };
  let deep = encodeMessage(one);
  for (let i = 0; i < 3_000; i++) {
    deep = bundle(deep);
    if (i === 3) expect(decodeOsc(deep)).toEqual([one]);
    if (i === 4 || i === 2_999) {
      expect(() => decodeOsc(deep)).toThrow(expect.objectContaining({ reason: 'too-deep' }));
    }
  }
  const full = (count: number) => encodeBundle(Array.from({ length: count }, () => one));
  expect(decodeOsc(full(256))).toHaveLength(256);
  // Bundles that hold nothing count as well.
  const empty = bundle(...Array.from({ length: 257 }, () => encodeBundle([])));
  const many = encodeMessage({ address: '/a', args: Array.from({ length: 257 }, () => int(1)) });
  for (const packed of [full(257), empty, many]) {
    expect(() => decodeOsc(packed)).toThrow(expect.objectContaining({ reason: 'too-many' }));
  }
});

test('any bytes are decoded or refused with an OscError', () => {
  const readOrRefuse = (some: Uint8Array): void => {
    try {
      decodeOsc(some);
    } catch (error) {
      expect(error).toBeInstanceOf(OscError);
    }
  };
  forRuns(2_000, fc.uint8Array({ maxLength: 80 }), readOrRefuse);
  // Real packets with some bytes changed, cut or put in.
  const change = fc.record({ at: fc.nat(200), byte: fc.integer({ min: 0, max: 255 }) });
  forRuns(
    2_000,
    packet,
    fc.array(change, { maxLength: 4 }),
    fc.nat(8),
    ({ written }, changes, cut) => {
      const some = written.slice();
      for (const { at, byte } of changes) some[at % some.length] = byte;
      readOrRefuse(some.subarray(0, some.length - cut));
      readOrRefuse(Uint8Array.from([...some, ...some.subarray(0, cut)]));
    },
  );
});
