import { types } from 'node:util';
import { pack } from 'msgpackr';
import { parser } from '../../../shared/protocol/parser.ts';
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

test('an event with bytes and numbers comes through as one message', () => {
  const packet = {
    type: parser.PacketType.EVENT,
    nsp: '/',
    data: ['frame', new Uint8Array([1, 2, 3]), { x: 1.5, deep: [null, true, 'é'] }],
    id: 4,
  };
  const messages = new parser.Encoder().encode(packet);
  expect(messages).toHaveLength(1);
  const { data, ...rest } = decode(messages[0]) as typeof packet;
  expect(rest).toEqual({ type: 2, nsp: '/', id: 4 });
  expect(data[0]).toBe('frame');
  expect([...(data[1] as Uint8Array)]).toEqual([1, 2, 3]);
  expect(data[2]).toEqual(packet.data[2]);
});

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
  expect(packets).toBeGreaterThan(250);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});
