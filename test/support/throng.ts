/** A server whose limits are tried, and a neighbour in its room who must not notice. */
import type { VivariumServer } from '../../server/composition/create-server.ts';
import type { RejectionReason } from '../../server/realtime/limits/connection-limits.ts';
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
