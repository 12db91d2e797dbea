import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect as connectTcp, type Socket } from 'node:net';
import {
  ConnectionLimits,
  DEFAULT_LIMITS,
  RejectionCounts,
} from '../../../server/realtime/limits/connection-limits.ts';
import { JOIN_TIMEOUT } from '../../../server/realtime/sessions/client-session.ts';
import { CLOSE_GRACE, MOVING, openSocketServer } from '../../../server/realtime/socket-server.ts';
import { PROTOCOL_VERSION, Refusal } from '../../../shared/protocol/reasons.ts';
import { afterTest } from '../../support/closing.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { Visitor } from '../../support/visitor.ts';

const { every } = MOVING;

/** A server of two rooms, of which `closed` refuses everybody for good. */
async function open() {
  const clock = new FakeClock();
  const rejections = new RejectionCounts();
  const limits = DEFAULT_LIMITS as never;
  let present = 0;
  const http = createServer();
  const gateway = openSocketServer(http, {
    ...{ clock, limits, rejections, trustProxy: 0, names: () => undefined },
    connectionLimits: new ConnectionLimits({
      limits,
      origins: [],
      trustProxy: 0,
      clock,
      rejections,
    }),
    rooms: {
      open: (room, client) => {
        if (room === 'closed') throw new Refusal('room-closed');
        return {
          isOpen: true,
          join: () => {
            present++;
            client.entered();
            client.send('accepted', { id: 0 });
          },
          handle: () => {},
          leave: () => {
            present--;
          },
        };
      },
      acceptsPass: () => false,
    },
  });
  afterTest(() => gateway.close());
  await once(http.listen(0, '127.0.0.1'), 'listening');
  const { port } = http.address() as AddressInfo;
  const connect = (greeting: object = {}): Visitor => {
    const visitor = new Visitor(port, {}, greeting);
    afterTest(() => visitor.leave());
    return visitor;
  };
  const enter = (room: string) => connect({ join: { protocol: PROTOCOL_VERSION, room } });
  const enterOpen = async (): Promise<Visitor> => {
    const page = enter('open');
    await page.next(({ name }) => name === 'accepted');
    return page;
  };
  /** A connection that says this and no more. */
  const dial = async (words: string): Promise<Socket> => {
    const socket = connectTcp({ port, host: '127.0.0.1' });
    afterTest(() => socket.destroy());
    const accepted = once(http, 'connection');
    socket.write(words);
    await accepted;
    return socket;
  };
  return { clock, gateway, connect, enter, enterOpen, dial, present: () => present };
}

test('pages whose join was refused for good hold nobody up when a server ends', async () => {
  const { clock, gateway, enter, enterOpen, present } = await open();
  for (let i = 0; i < 3; i++) expect(await enter('closed').refusal()).toBe('room-closed');
  const page = await enterOpen();
  let isOver = false;
  const moved = gateway.moveAway(4 * every).then(() => {
    isOver = true;
  });
  // Nobody else is there, so it goes at once.
  expect(present()).toBe(0);
  expect(await page.refusal()).toBe('shutting-down');
  await clock.advance(every);
  expect(isOver).toBe(true);
  await moved;
});

test('pages go a few at a time; when that takes twice as long as it should, all that are left go', async () => {
  const { clock, gateway, enterOpen, present } = await open();
  for (let i = 0; i < 4; i++) await enterOpen();
  const moved = gateway.moveAway(4 * every);
  expect(present()).toBe(3);
  await clock.advance(every);
  expect(present()).toBe(2);
  // Something else has kept the process busy.
  clock.spend(8 * every);
  await clock.advance(0);
  expect(present()).toBe(0);
  await moved;
});

test('a page is refused a message with two arguments, stays, and is disconnected when it does not join in time', async () => {
  const { clock, connect } = await open();
  const page = connect();
  const join = { protocol: PROTOCOL_VERSION, room: 'open' };
  page.say('join', join, join);
  expect(await page.next(({ name }) => name === 'rejected')).toMatchObject({
    reason: 'bad-message',
  });
  await clock.advance(JOIN_TIMEOUT);
  await page.until(() => page.heard.at(-1)!.name === 'disconnect');
  expect(page.heard.at(-2)!.message).toMatchObject({ reason: 'join-timeout' });
});
test('a phone that has vanished and half a request do not keep a server from ending', async () => {
  const { clock, gateway, dial } = await open();
  const half = await dial('GET / HTTP/1.1\r\nHost: a\r\n');
  const vanished = await dial(
    'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\n' +
      'Connection: Upgrade\r\nUpgrade: websocket\r\n' +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${'A'.repeat(22)}==\r\n\r\n`,
  );
  const [answer] = await once(vanished, 'data');
  expect(String(answer)).toContain('101');
  const ended = [half, vanished].map((socket) => once(socket.resume(), 'close'));
  const closed = gateway.close();
  await clock.advance(CLOSE_GRACE);
  await Promise.all([closed, ...ended]);
});
