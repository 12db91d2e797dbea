/**
 * The seam between servers that run a room together: messages on named channels. A message arrives
 * at most once, and those of one publisher on one channel in their order. What must not be lost
 * needs an answer, and to be sent again.
 */
import { Packr } from 'msgpackr';
import * as v from 'valibot';
import { OPTIONS } from '../../../shared/protocol/packets.ts';

/** Must not throw, nor change the message. */
export type Listener = (message: Uint8Array) => void;

export interface Subscription {
  /** From here on, the listener is not called any more. */
  close(): void;
}

export interface Bus {
  /** Whether messages get anywhere now. */
  readonly isUp: boolean;

  /** Time that a message to this process itself took lately, ms; undefined: not known. */
  readonly latency: number | undefined;

  /**
   * Sends a message to all that have subscribed to a channel, in this process too, though not
   * before this call returns. It is lost while the bus is not up.
   *
   * @param channel any text
   * @param message must not be changed afterwards
   */
  publish(channel: string, message: Uint8Array): void;

  /**
   * Has a listener called for each message on a channel.
   *
   * @returns once no message will be missed that anybody publishes from now on; while the bus is not
   *   up, this waits until it is
   * @throws Error the bus has been closed
   */
  subscribe(channel: string, listener: Listener): Promise<Subscription>;

  /**
   * Has a listener called when the bus is up again after it was not: messages may be missing, in
   * both directions, up to now. All subscriptions are back by then.
   */
  onGap(listener: () => void): Subscription;

  /** Drops what is under way. Closing it twice does no harm. */
  close(): Promise<void>;
}

const packr = new Packr(OPTIONS);

/** @param message plain data and bytes */
export const encodeMessage = (message: unknown): Uint8Array => packr.pack(message);

/** @returns undefined if the bytes are no message of this schema */
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

/** Delivers messages to those who have subscribed to their channel. */
export class Subscribers {
  private readonly byChannel = new Map<string, Set<{ readonly listener: Listener }>>();
  private readonly gapListeners = new Set<{ readonly listener: () => void }>();

  get channels(): Iterable<string> {
    return this.byChannel.keys();
  }

  has(channel: string): boolean {
    return this.byChannel.has(channel);
  }

  /** @param onLast called when nobody is left who has subscribed to the channel */
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
