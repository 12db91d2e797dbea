/** Datagrams: OSC's usual way. */
import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { isIPv6 } from 'node:net';
import { HookError } from '../extensions/hook-error.ts';
import type { Log } from '../platform/log.ts';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface Datagrams {
  /** Its own, where it listens. */
  readonly port: number;
  send(bytes: Uint8Array): void;
  close(): Promise<void>;
}

/**
 * Sends to one place; whether anybody is there, it does not know.
 *
 * @throws HookError no-address
 */
export async function openSender({ host, port }: Endpoint, log: Log): Promise<Datagrams> {
  const found = await lookup(host).catch(() => {
    throw new HookError('no-address', `OSC cannot be sent to ${host}: there is no such address.`);
  });
  const socket = createSocket(found.family === 6 ? 'udp6' : 'udp4');
  let warned = false;
  const complain = (error: Error | null): void => {
    if (!error || warned) return;
    warned = true;
    log.warn('osc-not-sent', `OSC does not get to ${host}:${port} (${error.message}).`);
  };
  socket.on('error', complain);
  await bound(socket, 0, undefined, `${host}:${port}`);
  if (found.family === 4) socket.setBroadcast(true);
  return {
    port: socket.address().port,
    send: (bytes) => socket.send(bytes, port, found.address, complain),
    close: () => closed(socket),
  };
}

/**
 * Listens at one of this machine's addresses.
 *
 * @param hear never throws
 * @throws HookError no-address, port-taken
 */
export async function openListener(
  { host, port }: Endpoint,
  hear: (bytes: Uint8Array, from: string) => void,
  log: Log,
): Promise<Datagrams> {
  const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4' });
  await bound(socket, port, host, `${host}:${port}`);
  socket.on('error', (error) => log.warn('osc-not-heard', `OSC: ${error.message}.`));
  socket.on('message', (bytes, { address }) => hear(bytes, address));
  return { port: socket.address().port, send: () => {}, close: () => closed(socket) };
}

async function bound(
  socket: Socket,
  port: number,
  host: string | undefined,
  name: string,
): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind({ port, ...(host && { address: host }) }, () => {
        socket.off('error', reject);
        resolve();
      });
    });
  } catch (error) {
    socket.close();
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      throw new HookError('port-taken', `Another program has ${name}; choose another for OSC.`);
    }
    throw new HookError('no-address', `OSC cannot use ${name} (${(error as Error).message}).`);
  }
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}
