/** Clients that misbehave: floods, raw bytes and malformed messages, beside a neighbour who must not notice. */

import { pack } from 'msgpackr';
import { WebSocket } from 'ws';
import type { VivariumServer } from '../../server/composition/create-server.ts';
import type { RejectionReason } from '../../server/realtime/limits/connection-limits.ts';
import { COMMANDS } from '../../shared/protocol/commands.ts';
import type { Random } from '../../shared/random.ts';
import { afterSuite, afterTest } from './closing.ts';
import { ShiftedClock } from './fake-clock.ts';
import { SMALL } from './organisms.ts';
import { type ServerSettings, startServer } from './server.ts';
import { Visitor } from './visitor.ts';

export const clock = new ShiftedClock();

/** Headers as a proxy sends them. */
export const from = (address: string) => ({ 'x-forwarded-for': `6.6.6.6, ${address}` });

const COMMON = {
  ...{ size: '128x96', 'tick-rate': 60, 'trust-proxy': 1 },
  ...SMALL,
};
/** A server with default settings, shared by the tests that change none. */
let plain: VivariumServer | undefined;

/** Starts a server, with a neighbour in the room who connects from another address. */
export async function startThrong(settings?: ServerSettings) {
  let server: VivariumServer;
  if (settings) {
    server = await startServer({ ...COMMON, ...settings }, { clock });
    afterTest(() => server.close());
  } else {
    if (!plain) afterSuite(() => plain!.close());
    plain ??= await startServer(COMMON);
    server = plain;
  }
  const leaving = (visitor: Visitor): Visitor => {
    afterTest(() => visitor.leave());
    return visitor;
  };
  const join = async (address = '10.0.0.1', name?: string): Promise<Visitor> =>
    leaving(await Visitor.join(server.port, 'garden', name, { headers: from(address) }));
  const connect = (address: string, headers: Record<string, string> = {}): Visitor =>
    leaving(new Visitor(server.port, { ...from(address), ...headers }));
  const before = server.rejectionCounts.totals();
  const neighbour = await join('10.0.0.99', 'Nina');

  const expectAnswered = async (): Promise<void> => {
    const answer = await neighbour.ask('damage', { radius: 1, points: [1, 1] });
    expect(answer).not.toHaveProperty('reason');
    expect(neighbour.socket.connected).toBe(true);
  };
  return {
    ...{ server, neighbour, join, connect, before, expectAnswered },
    /** Tries to open a connection. @returns the outcome */
    async knock(address: string, headers?: Record<string, string>): Promise<string> {
      const { socket } = connect(address, headers);
      await new Promise<void>((resolve) => {
        socket.on('connect', resolve);
        socket.on('connect_error', () => resolve());
      });
      return socket.connected ? 'open' : 'refused';
    },
    /** Rejections for a reason since the start of the test. */
    count: (reason: RejectionReason) => server.rejectionCounts.totals()[reason] - before[reason],
    /** The neighbour goes on getting frames and answers. */
    async expectUnharmed(): Promise<void> {
      const tick = neighbour.tick!;
      await neighbour.until(() => neighbour.tick! > tick);
      await expectAnswered();
    },
  };
}

export const reasons = (visitor: Visitor) => visitor.all('rejected').map(({ reason }) => reason);

export const gone = (visitor: Visitor) => visitor.next(({ name }) => name === 'disconnect');

/** Dials; what is left of it ends with the test. */
export function rawSocket(port: number, headers: { origin?: string } = {}): WebSocket {
  const url = `ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`;
  const socket = new WebSocket(url, headers);
  socket.on('error', () => {});
  afterTest(() => socket.terminate());
  return socket;
}

/** A connection that Socket.IO has greeted. */
export async function greetedSocket(port: number): Promise<WebSocket> {
  const socket = rawSocket(port);
  const greeting = new Promise<void>((resolve) => {
    socket.on('message', (_data, isBinary) => isBinary && resolve());
  });
  await new Promise((resolve) => socket.on('open', resolve));
  socket.send(pack({ type: 0, nsp: '/' }));
  await greeting;
  return socket;
}

export const closed = (socket: { on(event: 'close', listener: () => void): unknown }) =>
  new Promise<void>((resolve) => socket.on('close', () => resolve()));

/** A message that no page of ours sends: from nearly right to noise. */
export function malformed(random: Random): [string, ...unknown[]] {
  // Deeper nesting than any message has ends a connection, which is another matter.
  const junk = (depth = 0): unknown => {
    const kinds: (() => unknown)[] = [
      () => random.normal() * 10 ** random.integer(300),
      () => Number.NaN,
      () => -Infinity,
      () => null,
      () => undefined,
      () => true,
      () => 'x'.repeat(random.integer(200)),
      () => new Uint8Array(random.integer(100)),
      () => Array.from({ length: random.integer(5) }, () => junk(depth + 1)),
      () => ({ id: junk(depth + 1), x: junk(depth + 1), from: 'prior', __proto__: null }),
      () => 2n ** 60n,
    ];
    const kind = kinds[random.integer(kinds.length)];
    return depth > 3 ? null : kind();
  };
  const names = [...Object.keys(COMMANDS), 'welcome', 'frame', 'toString', '__proto__', ''];
  const name = names[random.integer(names.length)];
  const fields = 'id x y seed radius points a b mix tool tick room organism'.split(' ');
  const message = Object.fromEntries(
    fields.filter(() => random.uniform() < 0.4).map((field) => [field, junk()]),
  );
  // `resync` and `received` of any known tick are harmless; all else must be wrong in at least one
  // field.
  return [name, { ...message, wrong: junk() }, ...(random.uniform() < 0.1 ? [junk()] : [])];
}
