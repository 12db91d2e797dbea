/**
 * Passes connections on from several addresses, so that a server takes pages of one machine for
 * phones with an address each.
 */
import { createRandom } from '../../shared/random.ts';
import { FaultProxy } from './fault-proxy.ts';

/**
 * Opens relays with an address each while they are used.
 *
 * @param port of the server, on 127.0.0.1
 * @param count of relays, at most 254
 * @param use is given the relays' ports, on 127.0.0.1
 */
export async function withAddresses<T>(
  port: number,
  count: number,
  use: (ports: readonly number[]) => Promise<T>,
): Promise<T> {
  const random = createRandom(1);
  const relays: FaultProxy[] = [];
  try {
    for (let i = 1; i <= count; i++) {
      relays.push(await FaultProxy.open({ port, random, localAddress: `127.0.1.${i}` }));
    }
    return await use(relays.map((relay) => relay.port));
  } finally {
    await Promise.all(relays.map((relay) => relay.close()));
  }
}
