/**
 * Opens the configured input and output of OSC (Open Sound Control). In a cluster, passes on
 * datagrams for rooms of other servers.
 */
import { randomUUID } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { isIP, isIPv6 } from 'node:net';
import * as v from 'valibot';
import { type Bus, decodeMessage, encodeMessage } from '../cluster/bus/bus.ts';
import type { Hooks } from '../extensions/call-hooks.ts';
import { HookError } from '../extensions/extension.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { OscInput, type OscInputOptions } from './osc-input.ts';
import { OscOutput } from './osc-output.ts';

/** A UDP endpoint. `host` is a host name or an IP address. */
type Endpoint = { readonly host: string; readonly port: number };

interface OscOptions extends Omit<OscInputOptions, 'onRefused' | 'passOn'> {
  readonly out: Endpoint | undefined;
  readonly in: Endpoint | undefined;
  /** Carries datagrams to the other servers of a cluster; undefined outside a cluster. */
  readonly bus?: Bus | undefined;
  readonly hooks: Hooks;
  readonly log: Log;
}

export type Osc = Awaited<ReturnType<typeof openOsc>>;

const CHANNEL = 'osc';
/**
 * A datagram on the bus. `node` identifies the server that received the datagram from the network.
 */
const passedDatagram = v.object({
  node: v.pipe(v.string(), v.maxLength(64)),
  datagram: v.custom<Uint8Array>((bytes) => bytes instanceof Uint8Array),
});

/**
 * Opens the configured sockets, and starts to send the rooms' events.
 *
 * @returns `port`: the UDP port of the input, undefined if there is no input; `close`: closes all
 *   sockets
 * @throws HookError 'no-address' or 'port-taken'
 */
export async function openOsc(options: OscOptions) {
  const { clock, log, hooks, bus } = options;
  const opened: { close(): unknown }[] = [];
  const close = async (): Promise<void> => {
    for (const one of opened.splice(0).reverse()) await one.close();
  };
  let out: OscOutput | undefined;
  const node = randomUUID();
  const input = new OscInput({
    ...options,
    onRefused: (room, what, reason) => out?.refused(room, what, reason),
    passOn: (datagram) => bus?.publish(CHANNEL, encodeMessage({ node, datagram })),
  });
  const hear = (bytes: Uint8Array): void => {
    const message = decodeMessage(passedDatagram, bytes);
    if (message && message.node !== node) input.receivePassed(message.datagram);
  };
  const receive = (bytes: Uint8Array, from: string): void => void input.receive(bytes, from);
  try {
    if (bus) opened.push(await bus.subscribe(CHANNEL, hear));
    const sender = options.out && openSender(options.out, clock, log);
    if (sender) {
      opened.push(sender);
      out = new OscOutput((bytes) => sender.send(bytes), clock);
    }
    const listener = options.in && (await openListener(options.in, receive, log));
    if (listener) opened.push(listener);
    if (out) hooks.add(out);
    return { port: listener?.port, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Interval between two look-ups of a host name, in ms. The host's network address may change. */
const LOOK_UP_INTERVAL = 15_000;

/**
 * Creates a sender of datagrams to one endpoint. Datagrams sent before the host name has been
 * resolved are lost. Logs at most one warning per network address of the host.
 */
export function openSender(
  { host, port }: Endpoint,
  clock: Clock,
  log: Log,
  find: (host: string) => Promise<LookupAddress> = lookup,
) {
  let socket: Socket | undefined;
  let target: LookupAddress | undefined;
  let isClosed = false;
  let cancel = (): void => {};
  let warned = false;
  const warn = (error: Error | null): void => {
    if (!error || warned) return;
    warned = true;
    const text = `OSC messages cannot be sent to ${host}:${port} (${error.message}). Check --osc-out.`;
    log.warn('osc-not-sent', text);
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
      // Keep the previous network address, if any: it may still be correct.
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
 * Opens a socket that listens on a network address of this machine.
 *
 * @param receive called with each datagram and its sender's IP address; must not throw
 * @throws HookError 'no-address' or 'port-taken'
 */
async function openListener(
  { host, port }: Endpoint,
  receive: (bytes: Uint8Array, from: string) => void,
  log: Log,
) {
  const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4' });
  const endpoint = `${host}:${port}`;
  try {
    socket.bind({ port, address: host });
    await once(socket, 'listening');
  } catch (error) {
    socket.close();
    const { code, message } = error as NodeJS.ErrnoException;
    const taken = `Another program already listens on ${endpoint}. Choose another port with --osc-in.`;
    if (code === 'EADDRINUSE') throw new HookError('port-taken', taken);
    const text = `The server cannot receive OSC messages on ${endpoint} (${message}). Check --osc-in.`;
    throw new HookError('no-address', text);
  }
  socket.on('error', (error) => log.warn('osc-not-heard', `OSC: ${error.message}.`));
  socket.on('message', (bytes, { address }) => receive(bytes, address));
  return { port: socket.address().port, close: () => closed(socket) };
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}
