/**
 * Messages on named channels between the servers of a cluster. Any message may be lost. Messages of
 * one publisher on one channel arrive in order, each at most once.
 */
import type { EventEmitter } from 'node:events';
import { Packr } from 'msgpackr';
import * as v from 'valibot';
import { OPTIONS } from '../../../shared/protocol/packets.ts';
import { afterMessages, type Clock } from '../../platform/clock.ts';

/** Time limit for an answer from Valkey, in ms. A command without an answer counts as failed. */
export const ANSWER_TIMEOUT = 1_000;

/** Function that receives a message. It must not throw or change the message. */
export type Listener = (message: Uint8Array) => void;

export interface Subscription {
  close(): void;
}

export interface Bus {
  /** Whether messages can currently be delivered. */
  readonly isUp: boolean;

  /**
   * Round-trip time of a recent message from this process to itself, in ms; undefined if unknown.
   */
  readonly latency: number | undefined;

  /**
   * Sends a message to all subscribers of a channel, including subscribers in this process.
   * Listeners are called later, never during this call. Messages sent while the bus is down are
   * lost.
   *
   * @param channel any text
   * @param message must not be changed afterwards
   */
  publish(channel: string, message: Uint8Array): void;

  /**
   * Calls a listener for each message on a channel.
   *
   * @returns a promise that resolves when the subscription is active; pending while the bus is down
   * @throws Error if the bus has been closed
   */
  subscribe(channel: string, listener: Listener): Promise<Subscription>;

  /**
   * Calls a listener after each interruption of the bus, once all subscriptions are restored.
   * Messages sent during the interruption may be lost.
   */
  onGap(listener: () => void): Subscription;

  /** Closes the bus and drops messages in transit. Can be called more than once. */
  close(): Promise<void>;
}

const packr = new Packr(OPTIONS);

/** Encodes a message, which consists of plain data and bytes. */
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

/** Event that a bus emits when it works again after an interruption. */
export const GAP = Symbol('gap');

/**
 * Adds a listener to an event emitter.
 *
 * @param onLast called when the event's last listener has been removed
 * @returns a subscription; closing the subscription removes the listener
 */
export function listenTo(
  emitter: EventEmitter,
  event: string | typeof GAP,
  listener: Listener | (() => void),
  onLast: () => void = () => {},
): Subscription {
  emitter.on(event, listener);
  return {
    close: () => {
      emitter.off(event, listener);
      if (emitter.listenerCount(event) === 0) onLast();
    },
  };
}

/**
 * Waits for an answer from Valkey, for at most `ANSWER_TIMEOUT`.
 *
 * @param onLate called if the time runs out
 * @throws Error if the time runs out
 */
export async function inTime<T>(
  clock: Clock,
  answer: Promise<T>,
  onLate: () => void = () => {},
): Promise<T> {
  let cancel = (): void => {};
  const late = new Promise<never>((_, reject) => {
    cancel = afterMessages(clock, ANSWER_TIMEOUT, () => {
      reject(new Error('Valkey does not answer'));
      onLate();
    });
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    cancel();
    answer.catch(() => {});
  }
}
