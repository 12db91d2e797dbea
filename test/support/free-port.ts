/** A port that stays the same when a server is started again. */
import { createServer } from 'node:net';

/**
 * Finds a free port. It lies below the system's ephemeral range, so that no other test is assigned
 * it while the server is down.
 */
export function freePort(): Promise<number> {
  const port = 20_000 + Math.floor(Math.random() * 12_000);
  const probe = createServer();
  return new Promise((resolve) => {
    probe.once('error', () => resolve(freePort()));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(port)));
  });
}
