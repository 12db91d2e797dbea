/**
 * The addresses at which phones on the local networks, and this machine itself, reach the server.
 */
import { type AddressInfo, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Clock } from '../platform/clock.ts';

/** The address and port that a server listens on. */
export type BoundAddress = Pick<AddressInfo, 'address' | 'port'>;

/** Interfaces of containers, virtual machines and tunnels. No visitor's phone is on these. */
const VIRTUAL =
  /^(br-(?!lan)|bridge1\d\d|cali|cni|docker|flannel|incus|lxc|lxd|podman|tailscale|tap|tun|utun|vboxnet|veth|virbr|virtualbox|vmnet|vmware|wg|zt)/i;
const ALL = /^(0\.0\.0\.0|::)$/;
const LOOPBACK = /^((::ffff:)?127\.|::1$)/;

/** Time between two checks of the network addresses, ms. */
export const POLL_INTERVAL = 10_000;

/** Addresses of this rank or higher are not reachable by visitors' phones. */
const NO_PHONES = 3;

/** The likelier phones are on the network, the lower the rank. */
function rank(network: string, address: string): number {
  if (VIRTUAL.test(network)) return NO_PHONES + 1;
  // Link-local: the machine got no address from the network.
  if (address.startsWith('169.254.')) return NO_PHONES;
  return address.startsWith('192.168.') ? 0 : address.startsWith('10.') ? 1 : 2;
}

type Networks = ReturnType<typeof networkInterfaces>;

/** Empty if the system does not say, which happens when no file descriptors are left. */
function askNetworks(): Networks {
  try {
    return networkInterfaces();
  } catch {
    return {};
  }
}

/** This machine's IPv4 addresses, those from typical home and venue ranges first. */
export const networkAddresses = (networks: Networks = askNetworks()): string[] =>
  ranked(networks).map(({ address }) => address);

/** Those of the network addresses that visitors' phones can probably reach. */
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
 * The origins at which phones reach a server, the likeliest first. Empty if the server listens on
 * the loopback interface only, or if the machine has no network.
 */
export function networkOrigins(
  { address, port }: BoundAddress,
  addresses: readonly string[] = networkAddresses(),
): string[] {
  if (LOOPBACK.test(address)) return [];
  const reachable = ALL.test(address) ? addresses : [address];
  return [...new Set(reachable)].map((one) => originAt(one, port));
}

/** The origin at which this machine reaches its own server. */
export function localOrigin({ address, port }: BoundAddress): string {
  const isLocalhost = ALL.test(address) || address === '127.0.0.1' || address === '::1';
  return isLocalhost ? `http://localhost:${port}` : originAt(address, port);
}

/**
 * Watches for a change of the server's origin: the network came up late, or assigned another
 * address. A change counts once two checks in a row agree.
 *
 * @param origin the current origin
 * @returns stops watching
 */
export function watchOrigin(clock: Clock, origin: () => string, onChange: () => void): () => void {
  let reported = origin();
  let previous = reported;
  const check = (): void => {
    stop = clock.after(POLL_INTERVAL, check);
    const current = origin();
    const isStable = current === previous;
    previous = current;
    if (current === reported || !isStable) return;
    reported = current;
    onChange();
  };
  let stop = clock.after(POLL_INTERVAL, check);
  return () => stop();
}
