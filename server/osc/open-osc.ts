/**
 * Opens OSC output, input, both or neither, as configured. In a cluster, each server takes what comes
 * to one of them for the rooms that it runs.
 */
import { randomUUID } from 'node:crypto';
import * as v from 'valibot';
import type { Bus } from '../bus/bus.ts';
import { decodeMessage, encodeMessage } from '../bus/bus-messages.ts';
import type { Hooks } from '../extensions/hooks.ts';
import type { Log } from '../platform/log.ts';
import { OscInput, type OscInputOptions } from './osc-input.ts';
import { OscOutput } from './osc-output.ts';
import { type Datagrams, type Endpoint, openListener, openSender } from './udp.ts';

export interface OscOptions extends Omit<OscInputOptions, 'onRefused' | 'passOn'> {
  readonly out: Endpoint | undefined;
  readonly in: Endpoint | undefined;
  /** Messages to the other servers of a cluster. */
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
/** A datagram, and who has taken it. */
const passed = v.strictObject({
  node: v.pipe(v.string(), v.maxLength(64)),
  datagram: v.custom<Uint8Array>((bytes) => bytes instanceof Uint8Array),
});

/** Opens the sockets and starts forwarding events. @throws HookError no-address, port-taken */
export async function openOsc(options: OscOptions): Promise<Osc> {
  const { clock, log, hooks, bus } = options;
  const sender = options.out && (await openSender(options.out, log));
  const out = sender && new OscOutput((bytes) => sender.send(bytes), clock);
  const node = randomUUID();
  const input = new OscInput({
    ...options,
    onRefused: (room, what, reason) => out?.refused(room, what, reason),
    passOn: bus && ((datagram) => bus.publish(CHANNEL, encodeMessage({ node, datagram }))),
  });
  let listener: Datagrams | undefined;
  if (options.in) {
    const receive = (bytes: Uint8Array, from: string): void => void input.receive(bytes, from);
    try {
      listener = await openListener(options.in, receive, log);
    } catch (error) {
      await sender?.close();
      throw error;
    }
  }
  const subscription = await bus?.subscribe(CHANNEL, (bytes) => {
    const heard = decodeMessage(passed, bytes);
    if (heard && heard.node !== node) void input.receivePassed(heard.datagram);
  });
  if (out) hooks.add(out);
  return {
    port: listener?.port,
    close: async () => {
      subscription?.close();
      await listener?.close();
      await sender?.close();
    },
  };
}
