/** Where a server is reached: by phones on the networks of this machine, and by this machine itself. */
import { type AddressInfo, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Clock } from '../platform/clock.ts';

/** Where a server listens, as it says itself. */
export type BoundAddress = Pick<AddressInfo, 'address' | 'port'>;

/** Networks that programs make for themselves, and tunnels: a venue's phones are on none of them. */
const MADE_UP =
  /^(br-(?!lan)|bridge1\d\d|cali|cni|docker|flannel|incus|lxc|lxd|podman|tailscale|tap|tun|utun|vboxnet|veth|virbr|virtualbox|vmnet|vmware|wg|zt)/i;
const ALL = /^(0\.0\.0\.0|::)$/;
const LOOPBACK = /^((::ffff:)?127\.|::1$)/;

/** How often it is looked whether the network has become another, ms. */
export const POLL_INTERVAL = 10_000;

/** Ranks from here on are those of no venue's phones. */
const NO_PHONES = 3;

/** The likelier phones are there, the lower. */
function rank(network: string, address: string): number {
  if (MADE_UP.test(network)) return NO_PHONES + 1;
  // What a machine gives itself where nobody gives it an address.
  if (address.startsWith('169.254.')) return NO_PHONES;
  return address.startsWith('192.168.') ? 0 : address.startsWith('10.') ? 1 : 2;
}

type Networks = ReturnType<typeof networkInterfaces>;

/** None where the system does not say: a process that has all the files open it may have cannot ask. */
function askNetworks(): Networks {
  try {
    return networkInterfaces();
  } catch {
    return {};
  }
}

/** Addresses of this machine on its networks, IPv4; first those that homes and venues give out. */
export const networkAddresses = (networks: Networks = askNetworks()): string[] =>
  ranked(networks).map(({ address }) => address);

/** Those of them at which phones of a venue may be. */
export const venueAddresses = (networks: Networks = askNetworks()): string[] =>
  ranked(networks).flatMap((found) => (found.rank < NO_PHONES ? [found.address] : []));

function ranked(networks: Networks): { address: string; rank: number }[] {
  const found = Object.entries(networks).flatMap(([network, addresses = []]) =>
    addresses
      .filter(({ family, internal }) => family === 'IPv4' && !internal)
      .map(({ address }) => ({ address, rank: rank(network, address) })),
  );
  return found.sort((a, b) => a.rank - b.rank);
}

const originAt = (address: string, port: number): string =>
  `http://${isIPv6(address) ? `[${address}]` : address}:${port}`;

/**
 * Where phones of the venue reach a server, as origins, the likeliest first; none where it listens to its own machine alone,
 * or that is on no network.
 */
export function networkOrigins(
  { address, port }: BoundAddress,
  addresses: readonly string[] = networkAddresses(),
): string[] {
  if (LOOPBACK.test(address)) return [];
  const heard = ALL.test(address) ? addresses : [address];
  return [...new Set(heard)].map((one) => originAt(one, port));
}

/** Where this machine itself reaches a server of its own. */
export function localOrigin({ address, port }: BoundAddress): string {
  const isLocalhost = ALL.test(address) || address === '127.0.0.1' || address === '::1';
  return isLocalhost ? `http://localhost:${port}` : originAt(address, port);
}

/**
 * Hears when a server is reached elsewhere than before: its network has come up after it, or has given it another address. What is
 * so at one look only is passed over.
 *
 * @param origin where it is reached now
 * @returns ends it
 */
export function watchOrigin(clock: Clock, origin: () => string, onChange: () => void): () => void {
  let last = origin();
  let before = last;
  const look = (): void => {
    stop = clock.after(POLL_INTERVAL, look);
    const now = origin();
    const lasts = now === before;
    before = now;
    if (now === last || !lasts) return;
    last = now;
    onChange();
  };
  let stop = clock.after(POLL_INTERVAL, look);
  return () => stop();
}
