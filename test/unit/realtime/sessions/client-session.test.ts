import { EventEmitter } from 'node:events';
import { AddressLimits } from '../../../../server/realtime/limits/address-limits.ts';
import {
  ConnectionRateLimiter,
  RejectionCounts,
} from '../../../../server/realtime/limits/connection-limits.ts';
import { ClientSession } from '../../../../server/realtime/sessions/client-session.ts';
import { LocalSession } from '../../../../server/realtime/sessions/local-session.ts';
import { Outbox } from '../../../../server/realtime/streaming/outbox.ts';
import { DEFAULTS } from '../../../../shared/defaults.ts';
import { PROTOCOL_VERSION } from '../../../../shared/protocol/reasons.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const JOIN = { protocol: PROTOCOL_VERSION, room: 'garden', name: 'Anna' };

function open(limits: Partial<typeof DEFAULTS.limits> = {}) {
  const clock = new FakeClock();
  const sent: { name: string; message: unknown }[] = [];
  const calls: unknown[][] = [];
  let receive: (packet: unknown[]) => void = () => {};
  const socket = Object.assign(new EventEmitter(), {
    conn: { writeBuffer: [], write: () => {} },
    handshake: { auth: {} },
    connected: true,
    use: (middleware: typeof receive) => {
      receive = middleware;
    },
    disconnect: () => {
      calls.push(['disconnect']);
      socket.emit('disconnect');
    },
  });
  const roomServer = {
    tickInProgress: {},
    admission: {
      join: (_: unknown, entry: unknown) => calls.push(['join', entry]),
    },
    leave: () => calls.push(['leave']),
  };
  const allLimits = { ...DEFAULTS.limits, ...limits };
  const outbox = new Outbox(
    (name, message) => {
      sent.push({ name, message });
      return new Uint8Array();
    },
    (flush) => flush(),
  );
  new ClientSession({
    socket: socket as never,
    rooms: {
      open: (_, client) => new LocalSession(() => roomServer as never, client),
      acceptsPass: () => false,
    },
    clock,
    rateLimiter: new ConnectionRateLimiter('192.0.2.1', {
      ...{ limits: allLimits, clock, rejections: new RejectionCounts() },
      addresses: new AddressLimits(allLimits as never),
    }),
    names: () => undefined,
    outbox,
  });
  const rejections = async () => {
    await clock.advance(0);
    return sent.filter(({ name }) => name === 'rejected').map(({ message }) => message);
  };
  return { clock, socket, calls, rejections, receive: (...packet: unknown[]) => receive(packet) };
}

test('a message with two arguments is refused, and the connection stays', async () => {
  const { calls, receive, rejections } = open();
  receive('join', JOIN, JOIN);
  expect(await rejections()).toMatchObject([{ reason: 'bad-message' }]);
  receive('join', JOIN);
  expect(calls).toMatchObject([['join', {}]]);
});

test('a client that does not join in time is disconnected', async () => {
  const { clock, calls, rejections } = open();
  await clock.advance(DEFAULTS.net.joinTimeout);
  expect(await rejections()).toMatchObject([{ reason: 'join-timeout' }]);
  expect(calls).toEqual([['disconnect']]);
});
