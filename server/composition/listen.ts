/**
 * Finds the network addresses of this machine, listens on ports, and writes the messages that are
 * printed when the server starts.
 */

import { type AddressInfo, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { generate } from 'lean-qr';
import { explain, type SkippedEngine, withRemedy } from '../engine/choose-backend.ts';
import type { EngineInfo, EngineLoss } from '../engine/engine.ts';
import { type Clock, repeat } from '../platform/clock.ts';
import { commandLine } from '../platform/installation.ts';
import { ReasonError } from '../platform/log.ts';

export type BoundAddress = Pick<AddressInfo, 'address' | 'port'>;

/**
 * Matches the names of network interfaces that visitors' phones cannot reach: interfaces of
 * containers, virtual machines and tunnels.
 */
const VIRTUAL =
  /^(br-(?!lan)|bridge1\d\d|cali|cni|docker|flannel|incus|lxc|lxd|podman|tailscale|tap|tun|utun|vboxnet|veth|virbr|virtualbox|vmnet|vmware|wg|zt)/i;
const ALL = /^(0\.0\.0\.0|::)$/;
const LOOPBACK = /^((::ffff:)?127\.|::1$)/;

export const POLL_INTERVAL = 10_000;

/** Lowest rank of addresses that visitors' phones cannot reach. */
const NO_PHONES = 3;

/**
 * Ranks an address of this machine. A lower rank means that visitors' phones are more likely to
 * reach the address.
 *
 * @param network name of the network interface
 */
function rank(network: string, address: string): number {
  if (VIRTUAL.test(network)) return NO_PHONES + 1;
  // A link-local address: the machine gave it to itself, because no DHCP server assigned one.
  if (address.startsWith('169.254.')) return NO_PHONES;
  return address.startsWith('192.168.') ? 0 : address.startsWith('10.') ? 1 : 2;
}

type Networks = ReturnType<typeof networkInterfaces>;

/** Returns the machine's network interfaces, or an empty object if the system call fails. */
function askNetworks(): Networks {
  try {
    return networkInterfaces();
  } catch {
    return {};
  }
}

/**
 * Lists this machine's IPv4 addresses. Addresses in ranges that are typical for homes and venues
 * come first.
 */
export const networkAddresses = (networks: Networks = askNetworks()): string[] =>
  ranked(networks).map(({ address }) => address);

/** Lists the network addresses that visitors' phones can probably reach. */
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
 * Lists the origins at which phones may be able to reach a server, the most likely one first. Empty
 * if the server listens only on the loopback interface, or if the machine has no network.
 */
export function networkOrigins(
  { address, port }: BoundAddress,
  addresses: readonly string[] = networkAddresses(),
): string[] {
  if (LOOPBACK.test(address)) return [];
  const reachable = ALL.test(address) ? addresses : [address];
  return [...new Set(reachable)].map((one) => originAt(one, port));
}

/** Returns the origin at which browsers on this machine can reach the server. */
export function localOrigin({ address, port }: BoundAddress): string {
  const isLocalhost = ALL.test(address) || address === '127.0.0.1' || address === '::1';
  return isLocalhost ? `http://localhost:${port}` : originAt(address, port);
}

/**
 * Checks the server's origin repeatedly. Calls `onChange` after a change, once two consecutive
 * checks have found the same origin.
 *
 * @param origin returns the current origin
 * @returns a function that stops watching
 */
export function watchOrigin(clock: Clock, origin: () => string, onChange: () => void): () => void {
  let reported = origin();
  let previous = reported;
  return repeat(clock, POLL_INTERVAL, () => {
    const current = origin();
    const isStable = current === previous;
    previous = current;
    if (current === reported || !isStable) return;
    reported = current;
    onChange();
  });
}

/** Address and port to listen on, and the command-line flag that sets the port. */
export interface ListenTarget {
  readonly flag: string;
  readonly host: string;
  readonly port: number;
}

/** Lowest port that can be used without special privileges. */
const FIRST_UNPRIVILEGED = 1024;

const next = (port: number): number => (port < 65_535 ? port + 1 : FIRST_UNPRIVILEGED);

/** Error messages for the person who runs the server, by reason. */
const SENTENCES = {
  'port-taken': ({ flag, port }: ListenTarget) =>
    `${flag}: another program uses port ${port}. Choose another port, for example ${flag} ${next(port)}.`,
  'not-allowed': ({ flag, port }: ListenTarget) =>
    port < FIRST_UNPRIVILEGED
      ? `${flag}: this user may not use port ${port}. Choose port ${FIRST_UNPRIVILEGED} or higher, for example ${flag} 8080. If systemd runs the server, you can instead add AmbientCapabilities=CAP_NET_BIND_SERVICE to the unit.`
      : `${flag}: the operating system does not allow this program to use port ${port}. Choose another port, for example ${flag} ${next(port)}.`,
  'no-such-address': ({ host }: ListenTarget) =>
    `--host: ${host} is not an address of this machine. Choose one of this machine's addresses (${['127.0.0.1', ...networkAddresses()].join(', ')}), or 0.0.0.0 for all addresses.`,
};
type ListenReason = keyof typeof SENTENCES;

const REASONS: Readonly<Record<string, ListenReason>> = {
  EADDRINUSE: 'port-taken',
  EACCES: 'not-allowed',
  EADDRNOTAVAIL: 'no-such-address',
  EAFNOSUPPORT: 'no-such-address',
  EAI_AGAIN: 'no-such-address',
  EINVAL: 'no-such-address',
  ENOTFOUND: 'no-such-address',
};

/**
 * Thrown if the server cannot listen on its address and port. The message is for the person who
 * runs the server.
 */
export class ListenError extends ReasonError<ListenReason> {
  override readonly name = 'ListenError';
}

/**
 * Calls `start`, which must start to listen on the target's address and port.
 *
 * @throws ListenError if the person who runs the server can fix the cause; otherwise the error that
 *   `start` has thrown
 */
export async function listen<T>(target: ListenTarget, start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    const reason = REASONS[(error as NodeJS.ErrnoException).code ?? ''];
    throw reason ? new ListenError(reason, SENTENCES[reason](target)) : error;
  }
}

/** Writes a sentence about the engine in use, and about faster engines that could be enabled. */
export function engineLine(
  { name, device }: EngineInfo,
  skipped: readonly SkippedEngine[],
): string {
  return `Engine: ${[`${name} on ${device}`, ...withRemedy(skipped).map(explain)].join('; better: ')}.`;
}

/** Writes a warning that a GPU or an engine thread has failed and was replaced. */
export function lossLine({ what, why, count, replacement }: EngineLoss): string {
  if (replacement) {
    const { name, device } = replacement;
    const [broken, repair] =
      what === 'gpu'
        ? ['the GPU', 'Repair the GPU driver']
        : ['the engine', `Find the cause with \`${commandLine('doctor')}\``];
    return `Warning: ${broken} did not recover (${why}). The server continues more slowly with ${name} on ${device}. No organism was lost. ${repair} and restart the server.`;
  }
  const broken = what === 'gpu' ? 'the GPU' : 'an engine thread';
  return `Warning: ${broken} failed (${why}) and was replaced. No organism was lost. Failures so far: ${count}.`;
}

/** Draws a QR code with half-block characters, dark on a light background. */
export function terminalQr(text: string): string {
  const code = generate(text);
  const margin = 2;
  const rows: string[] = [];
  for (let y = -margin; y < code.size + margin; y += 2) {
    let row = '';
    for (let x = -margin; x < code.size + margin; x++) {
      const upper = code.get(x, y);
      const lower = code.get(x, y + 1);
      row += upper ? (lower ? '█' : '▀') : lower ? '▄' : ' ';
    }
    rows.push(`\u001b[30;47m${row}\u001b[0m`);
  }
  return rows.join('\n');
}
