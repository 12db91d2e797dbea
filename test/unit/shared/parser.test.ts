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

test('any bytes either decode to a packet or throw', () => {
  forRuns(5_000, fc.uint8Array({ maxLength: 200 }), (bytes) => {
    try {
      const packet = decode(bytes) as { type: number; nsp: string };
      expect(typeof packet.nsp).toBe('string');
    } catch (error) {
      expect(error).toBeDefined();
    }
  });
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});
