/** OSC as bytes: what is written is read again; what strangers send is read, or refused by name. */
import {
  AT_ONCE,
  decodeOsc,
  encodeOsc,
  float,
  int,
  messagesOf,
  type OscArgument,
  OscError,
  type OscPacket,
  text,
} from '../../../server/hooks/osc/codec.ts';
import fc from '../../support/property.ts';

const bytes = (words: string): Uint8Array => Uint8Array.from(Buffer.from(words, 'latin1'));

const word = fc.string({ unit: 'binary', maxLength: 12 }).map((some) => some.replaceAll('\0', ''));
const argument: fc.Arbitrary<OscArgument> = fc.oneof(
  fc.integer().map(int),
  fc.float({ noNaN: true }).map(float),
  word.map(text),
  fc.double({ noNaN: true }).map((value) => ({ type: 'd' as const, value })),
  fc
    .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    .map((value) => ({ type: 'h' as const, value })),
  fc.uint8Array({ maxLength: 9 }).map((value) => ({ type: 'b' as const, value })),
  fc.constantFrom('T', 'F', 'N', 'I').map((type) => ({ type }) as OscArgument),
);
const message = fc.record({
  address: word.map((some) => `/${some}`),
  args: fc.array(argument, { maxLength: 6 }),
});
const packet: fc.Arbitrary<OscPacket> = fc.letrec<{ packet: OscPacket; bundle: OscPacket }>(
  (tie) => ({
    bundle: fc.record({
      time: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      elements: fc.array(tie('packet'), { maxLength: 4 }),
    }),
    packet: fc.oneof({ maxDepth: 3, withCrossShrink: true }, message, tie('bundle')),
  }),
).packet;

describe('OSC', () => {
  test('is what the specification writes', () => {
    // The two examples of the specification's own page.
    expect(encodeOsc({ address: '/oscillator/4/frequency', args: [float(440)] })).toEqual(
      bytes('/oscillator/4/frequency\0,f\0\0\x43\xdc\0\0'),
    );
    expect(
      encodeOsc({
        address: '/foo',
        args: [int(1000), int(-1), text('hello'), float(1.234), float(5.678)],
      }),
    ).toEqual(
      bytes(
        '/foo\0\0\0\0,iisff\0\0\0\0\x03\xe8\xff\xff\xff\xffhello\0\0\0\x3f\x9d\xf3\xb6\x40\xb5\xb2\x2d',
      ),
    );
    expect(encodeOsc({ time: AT_ONCE, elements: [{ address: '/a', args: [] }] })).toEqual(
      bytes('#bundle\0\0\0\0\0\0\0\0\x01\0\0\0\x08/a\0\0,\0\0\0'),
    );
  });

  test('what is written is read again, and its length is a multiple of four', () => {
    fc.assert(
      fc.property(packet, (one) => {
        const written = encodeOsc(one);
        expect(written.length % 4).toBe(0);
        expect(decodeOsc(written)).toEqual(one);
      }),
    );
  });

  test('a message without types is one without values', () => {
    expect(decodeOsc(bytes('/go\0'))).toEqual({ address: '/go', args: [] });
  });

  test('messages come in order out of bundles', () => {
    const at = (address: string): OscPacket => ({ address, args: [] });
    const inner = { time: AT_ONCE, elements: [at('/b'), at('/c')] };
    const all = messagesOf({ time: AT_ONCE, elements: [at('/a'), inner, at('/d')] });
    expect(all.map(({ address }) => address)).toEqual(['/a', '/b', '/c', '/d']);
  });

  test('what cannot be said is refused before it is sent', () => {
    expect(() => encodeOsc({ address: 'foo', args: [] })).toThrow(RangeError);
    expect(() => encodeOsc({ address: '/foo', args: [text('a\0b')] })).toThrow(RangeError);
    expect(() => encodeOsc({ address: '/foo', args: [int(2 ** 31)] })).toThrow(RangeError);
    expect(() => encodeOsc({ address: '/foo', args: [int(0.5)] })).toThrow(RangeError);
  });

  test.each([
    ['nothing', '', 'bad-length'],
    ['no address', 'foo\0', 'bad-text'],
    ['an address without end', '/foo', 'bad-length'],
    ['no types', '/foo\0\0\0\0foo\0', 'no-types'],
    ['a type nobody knows', '/foo\0\0\0\0,?\0\0', 'unknown-type'],
    ['a missing value', '/foo\0\0\0\0,i\0\0', 'bad-length'],
    ['a value too many', '/foo\0\0\0\0,\0\0\0\0\0\0\0', 'bad-length'],
    ['a blob longer than the packet', '/foo\0\0\0\0,b\0\0\xff\xff\xff\xff', 'bad-length'],
    ['text that is none', '/foo\0\0\0\0,s\0\0\xff\xfe\0\0', 'bad-text'],
    ['a bundle without time', '#bundle\0', 'bad-length'],
    ['an element longer than its bundle', '#bundle\0\0\0\0\0\0\0\0\x01\0\0\0\x40', 'bad-length'],
    ['an element of no length', '#bundle\0\0\0\0\0\0\0\0\x01\0\0\0\0', 'bad-length'],
  ])('%s is refused by name', (_, sent, reason) => {
    expect(() => decodeOsc(bytes(sent))).toThrow(expect.objectContaining({ reason }));
  });

  test('bundles too deep or too full are refused', () => {
    let deep: OscPacket = { address: '/a', args: [] };
    for (let i = 0; i < 5; i++) deep = { time: AT_ONCE, elements: [deep] };
    expect(() => decodeOsc(encodeOsc(deep))).toThrow(
      expect.objectContaining({ reason: 'too-deep' }),
    );
    const elements = Array.from({ length: 257 }, () => ({ address: '/a', args: [] }));
    expect(() => decodeOsc(encodeOsc({ time: AT_ONCE, elements }))).toThrow(
      expect.objectContaining({ reason: 'too-many' }),
    );
  });

  test('whatever comes in is read or refused, and nothing else', () => {
    const readOrRefuse = (some: Uint8Array): void => {
      try {
        decodeOsc(some);
      } catch (error) {
        expect(error).toBeInstanceOf(OscError);
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), readOrRefuse), { numRuns: 2_000 });
    // Real packets with some bytes changed, cut or put in.
    const change = fc.record({ at: fc.nat(200), byte: fc.integer({ min: 0, max: 255 }) });
    fc.assert(
      fc.property(packet, fc.array(change, { maxLength: 4 }), fc.nat(8), (one, changes, cut) => {
        const written = encodeOsc(one);
        for (const { at, byte } of changes) written[at % written.length] = byte;
        readOrRefuse(written.subarray(0, written.length - cut));
        readOrRefuse(Uint8Array.from([...written, ...written.subarray(0, cut)]));
      }),
      { numRuns: 2_000 },
    );
  });
});
