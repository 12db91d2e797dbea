/** WebSocket frames below the protocol, such as pings and endless fragments, count against the connection's limits. */
import { pack } from 'msgpackr';
import { WebSocket } from 'ws';
import type { VivariumServer } from '../../server/app/create-server.ts';
import type { RejectionReason } from '../../server/realtime/admission/rejection-counts.ts';
import { DEFAULTS } from '../../shared/defaults.ts';
import { startServer, UNLIMITED } from '../support/server.ts';
import { Visitor } from '../support/visitor.ts';

/** Connections that stay open are waited for in vain. */
const IN_VAIN = 120_000;

let server: VivariumServer;
const left: (() => void)[] = [];

async function start(limits?: string): Promise<void> {
  const size = { size: '96x96' };
  server = await startServer({ ...size, ...(limits && { limits }) });
}

/** A connection that Socket.IO has greeted. */
async function greeted(): Promise<WebSocket> {
  const url = `ws://127.0.0.1:${server.port}/socket.io/?EIO=4&transport=websocket`;
  const socket = new WebSocket(url);
  left.push(() => socket.terminate());
  const greeting = new Promise<void>((resolve) => {
    socket.on('message', (_data, isBinary) => isBinary && resolve());
  });
  await new Promise((resolve) => socket.on('open', resolve));
  socket.send(pack({ type: 0, nsp: '/' }));
  await greeting;
  return socket;
}

const closed = (socket: WebSocket) =>
  new Promise<void>((resolve) => {
    socket.on('error', () => {});
    socket.on('close', () => resolve());
  });
const count = (reason: RejectionReason) => server.rejectionCounts.totals()[reason];

afterEach(async () => {
  for (const leave of left.splice(0)) leave();
  await server.close();
});

test(
  'pings that are few in bytes but many in number end with the connection; a neighbour notices nothing',
  async () => {
    await start();
    const neighbour = await Visitor.join(server.port);
    left.push(() => neighbour.leave());
    const { framesPerSecond, burstSeconds } = DEFAULTS.limits;
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
  },
  IN_VAIN,
);

test(
  'each frame counts as 64 bytes at least',
  async () => {
    const frames = 1_000;
    const bytes = 64 * frames;
    const each = DEFAULTS.limits.burstSeconds;
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
  },
  IN_VAIN,
);

test(
  'fragments count like pings',
  async () => {
    await start();
    const socket = await greeted();
    const end = closed(socket);
    for (let i = 0; i < 5_000; i++) socket.send('x', { fin: false, binary: true });
    await end;
    expect(count('too-many-frames') + count('too-many-fragments')).toBe(1);
  },
  IN_VAIN,
);

test(
  'a message that never ends is given up after few fragments, whatever its connection may send',
  async () => {
    await start(`${UNLIMITED},framesPerSecond=1e6,bytesPerSecond=1e9`);
    const socket = await greeted();
    const end = closed(socket);
    for (let i = 0; i < DEFAULTS.net.maxFragments + 1; i++) {
      socket.send('x', { fin: false, binary: true });
    }
    await end;
    expect(count('too-many-fragments')).toBe(1);
  },
  IN_VAIN,
);

test(
  'a message in a few fragments, with a ping in between, is read like any other',
  async () => {
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
  },
  IN_VAIN,
);
