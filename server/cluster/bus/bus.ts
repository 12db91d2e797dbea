/**
 * Messages on named channels between servers that run a room together. A message arrives at most
 * once; messages of one publisher on one channel arrive in order. If a message must not be lost,
 * the sender must repeat it until the receiver has answered.
 */
import { Packr } from 'msgpackr';
import * as v from 'valibot';
import { OPTIONS } from '../../../shared/protocol/packets.ts';

/** A command that is not answered within this time counts as failed; in ms. */
export const ANSWER_TIMEOUT = 1_000;

/** Receives a message. Must not throw or change the message. */
export type Listener = (message: Uint8Array) => void;

export interface Subscription {
  /** Stops calling the listener. */
  close(): void;
}

export interface Bus {
  /** Whether messages can currently be delivered. */
  readonly isUp: boolean;

  /** How long a recent message from this process to itself took, in ms; undefined if not known. */
  readonly latency: number | undefined;

  /**
   * Sends a message to all subscribers of a channel, including those in this process. Listeners are
   * called only after this call has returned. While the bus is down, the message is lost.
   *
   * @param channel any text
   * @param message must not be changed afterwards
   */
  publish(channel: string, message: Uint8Array): void;

  /**
   * Calls a listener for each message on a channel.
   *
   * @returns once all messages published from now on will be received; waits while the bus is down
   * @throws Error if the bus has been closed
   */
  subscribe(channel: string, listener: Listener): Promise<Subscription>;

  /**
   * Calls a listener when the bus is up again after an interruption. Messages sent or received
   * during the interruption may be lost. All subscriptions have been restored when the listener is
   * called.
   */
  onGap(listener: () => void): Subscription;

  /** Closes the bus and drops messages in transit. May be called twice. */
  close(): Promise<void>;
}

const packr = new Packr(OPTIONS);

/** Encodes a message. @param message plain data and bytes */
export const encodeMessage = (message: unknown): Uint8Array => packr.pack(message);

/** Decodes a message; undefined if the bytes do not match the schema. */
export function decodeMessage<S extends v.GenericSchema>(
  schema: S,
  bytes: Uint8Array,
): v.InferOutput<S> | undefined {
  let message: unknown;
  try {
    message = packr.unpack(bytes);
  } catch {
    return undefined;
  }
  const parsed = v.safeParse(schema, message, { abortEarly: true });
  return parsed.success ? parsed.output : undefined;
}

/** Delivers messages to the subscribers of their channel. */
export class Subscribers {
  private readonly byChannel = new Map<string, Set<{ readonly listener: Listener }>>();
  private readonly gapListeners = new Set<{ readonly listener: () => void }>();

  get channels(): Iterable<string> {
    return this.byChannel.keys();
  }

  has(channel: string): boolean {
    return this.byChannel.has(channel);
  }

  /**
   * Adds a listener to a channel.
   *
   * @param onLast called when the channel has lost its last listener
   */
  add(channel: string, listener: Listener, onLast: () => void = () => {}): Subscription {
    const entry = { listener };
    const listeners = this.byChannel.get(channel) ?? new Set();
    this.byChannel.set(channel, listeners.add(entry));
    return {
      close: () => {
        if (!listeners.delete(entry) || listeners.size > 0) return;
        if (this.byChannel.get(channel) === listeners) this.byChannel.delete(channel);
        onLast();
      },
    };
  }

  deliver(channel: string, message: Uint8Array): void {
    for (const { listener } of this.byChannel.get(channel) ?? []) listener(message);
  }

  onGap(listener: () => void): Subscription {
    const entry = { listener };
    this.gapListeners.add(entry);
    return { close: () => void this.gapListeners.delete(entry) };
  }

  tellOfGap(): void {
    for (const { listener } of this.gapListeners) listener();
  }

  clear(): void {
    this.byChannel.clear();
    this.gapListeners.clear();
  }
}
