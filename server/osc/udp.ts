/** UDP sockets for OSC. */
import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { HookError } from '../extensions/hook-error.ts';
import type { Log } from '../platform/log.ts';

/** Host name or IP address, and port. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** An open UDP socket. */
export interface Datagrams {
  /** Its local port. */
  readonly port: number;
  send(bytes: Uint8Array): void;
  close(): Promise<void>;
}

/**
 * Opens a socket that sends to one address. Send errors are logged once.
 *
 * @throws HookError no-address
 */
export async function openSender({ host, port }: Endpoint, log: Log): Promise<Datagrams> {
  const found = await lookup(host).catch(() => {
    throw new HookError('no-address', `Cannot send OSC to ${host}: the host is unknown.`);
  });
  const socket = createSocket(found.family === 6 ? 'udp6' : 'udp4');
  let warned = false;
  const warn = (error: Error | null): void => {
    if (!error || warned) return;
    warned = true;
    log.warn('osc-not-sent', `OSC cannot reach ${host}:${port} (${error.message}).`);
  };
  socket.on('error', warn);
  await bound(socket, 0, undefined, `${host}:${port}`);
  if (found.family === 4) socket.setBroadcast(true);
  return {
    port: socket.address().port,
    send: (bytes) => socket.send(bytes, port, found.address, warn),
    close: () => closed(socket),
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
): Promise<Datagrams> {
  const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4' });
  await bound(socket, port, host, `${host}:${port}`);
  socket.on('error', (error) => log.warn('osc-not-heard', `OSC: ${error.message}.`));
  socket.on('message', (bytes, { address }) => receive(bytes, address));
  return { port: socket.address().port, send: () => {}, close: () => closed(socket) };
}

async function bound(
  socket: Socket,
  port: number,
  host: string | undefined,
  name: string,
): Promise<void> {
  try {
    socket.bind({ port, ...(host && { address: host }) });
    await once(socket, 'listening');
  } catch (error) {
    socket.close();
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      throw new HookError(
        'port-taken',
        `Another program uses ${name}. Choose another port for OSC.`,
      );
    }
    throw new HookError('no-address', `OSC cannot use ${name} (${(error as Error).message}).`);
  }
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}
