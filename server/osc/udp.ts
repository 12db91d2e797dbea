/** UDP sockets for OSC. */
import { createSocket, type Socket } from 'node:dgram';
import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { isIP, isIPv6 } from 'node:net';
import { HookError } from '../extensions/extension.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';

/** Host name or IP address, and port. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/**
 * How often a host name is looked up again, in ms. After a power cut, names may be unknown for a
 * while, and machines may get other addresses.
 */
const LOOK_UP_INTERVAL = 15_000;

/**
 * Opens a socket that sends to one address. Datagrams sent before the host name has been resolved
 * are lost. An unknown or unreachable host is logged once, and again once for each new address.
 */
export function openSender(
  { host, port }: Endpoint,
  {
    clock,
    log,
    find = lookup,
  }: { clock: Clock; log: Log; find?: (host: string) => Promise<LookupAddress> },
) {
  let socket: Socket | undefined;
  let target: LookupAddress | undefined;
  let isClosed = false;
  let cancel = (): void => {};
  let warned = false;
  const warn = (error: Error | null): void => {
    if (!error || warned) return;
    warned = true;
    log.warn(
      'osc-not-sent',
      `OSC messages cannot be sent to ${host}:${port} (${error.message}). Check --osc-out.`,
    );
  };
  const open = (family: number): Socket => {
    const opened = createSocket(family === 6 ? 'udp6' : 'udp4');
    opened.on('error', warn);
    if (family === 4) opened.on('listening', () => opened.setBroadcast(true));
    return opened;
  };
  const lookUp = async (): Promise<void> => {
    try {
      const found = await find(host);
      if (isClosed) return;
      if (found.family !== target?.family) {
        socket?.close();
        socket = open(found.family);
      }
      if (found.address !== target?.address) warned = false;
      target = found;
    } catch (error) {
      // If the name cannot be resolved now, keep the last address, which may still be right.
      if (!target) warn(error as Error);
    }
    if (!isClosed && !isIP(host)) cancel = clock.after(LOOK_UP_INTERVAL, lookUp);
  };
  void lookUp();
  return {
    send: (bytes: Uint8Array): void => {
      if (target) socket?.send(bytes, port, target.address, warn);
    },
    close: async () => {
      isClosed = true;
      cancel();
      if (socket) await closed(socket);
    },
  };
}

/**
 * Opens a socket that listens on an address of this machine.
 *
 * @param receive called with each datagram and its sender's IP address; must not throw
 * @throws HookError no-address, port-taken
 */
export async function openListener(
  { host, port }: Endpoint,
  receive: (bytes: Uint8Array, from: string) => void,
  log: Log,
) {
  const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4' });
  await bound(socket, { host, port });
  socket.on('error', (error) => log.warn('osc-not-heard', `OSC: ${error.message}.`));
  socket.on('message', (bytes, { address }) => receive(bytes, address));
  return { port: socket.address().port, close: () => closed(socket) };
}

async function bound(socket: Socket, { host, port }: Endpoint): Promise<void> {
  const name = `${host}:${port}`;
  try {
    socket.bind({ port, address: host });
    await once(socket, 'listening');
  } catch (error) {
    socket.close();
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      throw new HookError(
        'port-taken',
        `Another program uses ${name}. Choose another port with --osc-in.`,
      );
    }
    throw new HookError(
      'no-address',
      `OSC cannot listen on ${name} (${(error as Error).message}). Check --osc-in.`,
    );
  }
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}
