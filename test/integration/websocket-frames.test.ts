/**
 * WebSocket frames below the protocol, such as pings and endless fragments, count against the
 * connection's limits.
 */

import { pack } from 'msgpackr';
import { WebSocket } from 'ws';
import type { VivariumServer } from '../../server/composition/create-server.ts';
import {
  DEFAULT_LIMITS,
  type RejectionReason,
} from '../../server/realtime/limits/connection-limits.ts';
import { FRAME_LIMITS } from '../../server/realtime/limits/websocket-engine.ts';
import { afterTest } from '../support/closing.ts';
import { SMALL } from '../support/organisms.ts';
import { startServer, UNLIMITED } from '../support/server.ts';
import { closed, greetedSocket } from '../support/strangers.ts';
import { Visitor } from '../support/visitor.ts';

let server: VivariumServer;

async function start(limits?: string): Promise<void> {
  server = await startServer({ ...SMALL, size: '96x96', ...(limits && { limits }) });
  afterTest(() => server.close());
}

const greeted = () => greetedSocket(server.port);
const count = (reason: RejectionReason) => server.rejectionCounts.totals()[reason];

test('pings that are few in bytes but many in number end with the connection; a neighbour notices nothing', async () => {
  await start();
  const neighbour = await Visitor.join(server.port);
  afterTest(() => neighbour.leave());
  const { framesPerSecond, burstSeconds } = DEFAULT_LIMITS;
  const pings = 5_000;
  const begun = performance.now();
  const answered = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const socket = await greeted();
      let pongs = 0;
      socket.on('pong', () => pongs++);
      const end = closed(socket);
      // 30 kB: within what one may send.
      for (let i = 0; i < pings; i++) socket.ping('');
      await end;
      return pongs;
    }),
  );
  expect(count('too-many-frames')).toBe(20);
  expect(count('too-much-data')).toBe(0);
  const regained = ((performance.now() - begun) / 1000) * framesPerSecond;
  const most = framesPerSecond * burstSeconds + regained;
  expect(Math.max(...answered)).toBeLessThanOrEqual(most);
  const answer = await neighbour.ask('damage', { radius: 1, points: [1, 1] });
  expect(answer).not.toHaveProperty('reason');
});

test('each frame counts as 64 bytes at least', async () => {
  const frames = 1_000;
  const bytes = 64 * frames;
  const each = DEFAULT_LIMITS.burstSeconds;
  await start(`${UNLIMITED},bytesPerSecond=${bytes / each},framesPerSecond=1e6`);
  const socket = await greeted();
  const end = closed(socket);
  let pongs = 0;
  const answered = new Promise<void>((resolve) => {
    socket.on('pong', () => ++pongs === frames - 50 && resolve());
  });
  for (let i = 0; i < frames - 50; i++) socket.ping('');
  await answered;
  expect(count('too-much-data')).toBe(0);
  for (let i = 0; i < 5_000; i++) socket.ping('');
  await end;
  expect(count('too-much-data')).toBe(1);
});

test('fragments count like pings', async () => {
  await start();
  const socket = await greeted();
  const end = closed(socket);
  for (let i = 0; i < 5_000; i++) socket.send('x', { fin: false, binary: true });
  await end;
  expect(count('too-many-frames') + count('too-many-fragments')).toBe(1);
});

test('a message that never ends is given up after few fragments, whatever its connection may send', async () => {
  await start(`${UNLIMITED},framesPerSecond=1e6,bytesPerSecond=1e9`);
  const socket = await greeted();
  const end = closed(socket);
  for (let i = 0; i < FRAME_LIMITS.maxFragments + 1; i++) {
    socket.send('x', { fin: false, binary: true });
  }
  await end;
  expect(count('too-many-fragments')).toBe(1);
});

test('a message in a few fragments, with a ping in between, is read like any other', async () => {
  await start();
  const socket = await greeted();
  const refused = new Promise<string>((resolve) => {
    socket.on('message', (data) => resolve(`${data}`));
  });
  const message = pack({ type: 2, nsp: '/', data: ['no-such-message', {}] });
  socket.send(message.subarray(0, 5), { fin: false, binary: true });
  socket.ping('');
  socket.send(message.subarray(5, 6), { fin: false, binary: true });
  socket.send(message.subarray(6), { fin: true, binary: true });
  expect(await refused).toContain('unknown-message');
  expect(socket.readyState).toBe(WebSocket.OPEN);
});
