/** Measures the cost of a bare connection, as a baseline for the cost of a visitor. */
import { Child } from './child.ts';
import type { SocketsPlan, SocketsQuestion } from './messages.ts';
import type { Split } from './split.ts';

/** ms between looks at how many are connected. */
const LOOK = 200;
/** ms that one may take to connect, as a mean. */
const PATIENCE = 100;

/**
 * Measured as the visitors' share is, in processes of their own.
 *
 * @returns bytes of heap that each of so many bare Socket.IO connections holds
 * @throws Error they do not connect
 */
export async function measureSockets(count: number, split: Split): Promise<number> {
  const start = (plan: SocketsPlan, cores: string | undefined) =>
    Child.start<SocketsQuestion, never>('./sockets-process.ts', plan, cores);
  const server = start({ role: 'server' }, split.server);
  let clients: typeof server | undefined;
  try {
    const port = await server.ask<number>('port');
    const before = await server.ask<number>('heap');
    clients = start({ role: 'clients', port, count }, split.load);
    const end = performance.now() + 10_000 + count * PATIENCE;
    while ((await server.ask<number>('count')) < count) {
      if (performance.now() > end) throw new Error('bare connections could not be opened');
      await new Promise((resolve) => setTimeout(resolve, LOOK));
    }
    return ((await server.ask<number>('heap')) - before) / count;
  } finally {
    await clients?.stop();
    await server.stop();
  }
}
