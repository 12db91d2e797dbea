/**
 * Passes connections on from an address of their own, so that pages of one machine are to a server
 * as phones of several.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

interface AddressRelay {
  /** Where pages connect to, on 127.0.0.1. */
  readonly port: number;
  /** Breaks all connections. */
  close(): void;
}

/**
 * Opens relays with an address each while they are used.
 *
 * @param port of the server, on 127.0.0.1
 * @param use is given the relays' ports
 */
export async function withAddresses<T>(
  port: number,
  count: number,
  use: (ports: readonly number[]) => Promise<T>,
): Promise<T> {
  const relays = await Promise.all(
    Array.from({ length: count }, (_, i) => openAddressRelay(port, `127.0.1.${i + 1}`)),
  );
  try {
    return await use(relays.map((relay) => relay.port));
  } finally {
    for (const relay of relays) relay.close();
  }
}

/**
 * @param port of the server, on 127.0.0.1
 * @param address what the server sees, one of 127.0.0.0/8
 */
async function openAddressRelay(port: number, address: string): Promise<AddressRelay> {
  const sockets = new Set<Socket>();
  const relay = createServer({ noDelay: true }, (near) => {
    const far = connect({ port, host: '127.0.0.1', localAddress: address, noDelay: true });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      sockets.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  return {
    port: (relay.address() as AddressInfo).port,
    close() {
      relay.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
