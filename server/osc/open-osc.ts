/**
 * Opens OSC output, OSC input, both or neither, as configured. In a cluster, a server that receives
 * a datagram passes it on to the servers that run the rooms addressed by it.
 */
import { randomUUID } from 'node:crypto';
import * as v from 'valibot';
import { type Bus, decodeMessage, encodeMessage } from '../cluster/bus/bus.ts';
import type { Hooks } from '../extensions/call-hooks.ts';
import type { Log } from '../platform/log.ts';
import { OscInput, type OscInputOptions } from './osc-input.ts';
import { OscOutput } from './osc-output.ts';
import { type Endpoint, openListener, openSender } from './udp.ts';

export interface OscOptions extends Omit<OscInputOptions, 'onRefused' | 'passOn'> {
  readonly out: Endpoint | undefined;
  readonly in: Endpoint | undefined;
  /** Bus to the other servers of a cluster. */
  readonly bus?: Bus | undefined;
  readonly hooks: Hooks;
  readonly log: Log;
}

/** The open OSC sockets. */
export interface Osc {
  /** The UDP port of the input, if any. */
  readonly port: number | undefined;
  close(): Promise<void>;
}

const CHANNEL = 'osc';
const id = v.pipe(v.string(), v.maxLength(64));
const messages = v.union([
  /** A datagram, and the id of the server that has received it from the network. */
  v.object({
    ...{ node: id, id },
    datagram: v.custom<Uint8Array>((bytes) => bytes instanceof Uint8Array),
  }),
  /**
   * Confirms that a datagram has reached the server of these rooms. `heard` is the datagram's id.
   */
  v.object({ heard: id, rooms: v.array(id) }),
]);
/** How long to wait for a room's server to confirm a datagram, in ms. */
const PATIENCE = 2_000;

/** Opens the sockets and starts forwarding events. @throws HookError no-address, port-taken */
export async function openOsc(options: OscOptions): Promise<Osc> {
  const { clock, log, hooks, bus, rejections } = options;
  const opened: { close(): unknown }[] = [];
  /**
   * Datagrams passed on to other servers. For each datagram's id, the rooms whose servers have not
   * confirmed the datagram yet.
   */
  const waiting = new Map<string, { readonly unheard: Set<string>; cancel(): void }>();
  const close = async (): Promise<void> => {
    for (const { cancel } of waiting.values()) cancel();
    for (const one of opened.splice(0).reverse()) await one.close();
  };
  let out: OscOutput | undefined;
  const node = randomUUID();
  const passOn = (datagram: Uint8Array, rooms: readonly string[]): void => {
    const id = randomUUID();
    const unheard = new Set(rooms);
    const cancel = clock.after(PATIENCE, () => {
      waiting.delete(id);
      for (const _ of unheard) rejections.count('elsewhere');
    });
    waiting.set(id, { unheard, cancel });
    bus?.publish(CHANNEL, encodeMessage({ node, id, datagram }));
  };
  const input = new OscInput({
    ...options,
    onRefused: (room, what, reason) => out?.refused(room, what, reason),
    passOn: bus && passOn,
  });
  const hear = (bytes: Uint8Array): void => {
    const message = decodeMessage(messages, bytes);
    if (!message) return;
    if ('heard' in message) {
      for (const room of message.rooms) waiting.get(message.heard)?.unheard.delete(room);
    } else if (message.node !== node) {
      const rooms = input.receivePassed(message.datagram);
      if (rooms.length > 0) bus?.publish(CHANNEL, encodeMessage({ heard: message.id, rooms }));
    }
  };
  const receive = (bytes: Uint8Array, from: string): void => void input.receive(bytes, from);
  try {
    if (bus) opened.push(await bus.subscribe(CHANNEL, hear));
    const sender = options.out && openSender(options.out, { clock, log });
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
