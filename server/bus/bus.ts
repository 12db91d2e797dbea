/**
 * The seam between servers that run a room together: messages on named channels. A message arrives
 * at most once, and those of one publisher on one channel in their order. What must not be lost
 * needs an answer, and to be sent again.
 */

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
