/**
 * A message bus that uses Valkey's publish and subscribe commands. Start reading at `ValkeyBus`.
 */
import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import type { RedisClientType } from '@redis/client';
import { type Clock, pause } from '../../platform/clock.ts';
import {
  ANSWER_TIMEOUT,
  type Bus,
  GAP,
  inTime,
  type Listener,
  listenTo,
  type Subscription,
} from './bus.ts';

const BUS = {
  /** Interval of the check messages that a server sends to itself through Valkey, in ms. */
  beat: 500,
  /** The connection is closed if this number of consecutive check messages does not arrive. */
  missedBeats: 3,
  /** Maximum number of bytes that wait to be sent. If more bytes wait, the connection is closed. */
  backlog: 33_554_432,
  /** Delay before an attempt to replace a lost connection, in ms. */
  redial: 100,
} as const;

interface LinkOptions {
  /** Address of Valkey, in the form redis://user:password@host:port/database. */
  readonly url: string;
  readonly clock: Clock;
  readonly onMessage: (channel: string, message: Uint8Array) => void;
  /** Called once, if the connection is lost after it was established. */
  readonly onLost: (why: string) => void;
}

/**
 * A pair of connections to Valkey: one publishes messages, the other receives messages. The link
 * closes if its check messages do not return from Valkey, or if too many bytes wait to be sent. A
 * closed link never reconnects.
 */
class ValkeyLink {
  private readonly beats = `beat:${randomUUID()}`;
  /** Round-trip time of the last check message, in ms. */
  latency: number | undefined;
  private missed = 0;
  private beatAt = 0;
  private waiting = 0;
  private cancelBeat = (): void => {};
  private isOver = false;
  private isReady = false;
  /** Subscriptions by channel. `confirmed` resolves when Valkey has confirmed the subscription. */
  private readonly subscriptions = new Map<
    string,
    { readonly handler: (message: Buffer) => void; readonly confirmed: Promise<void> }
  >();

  private constructor(
    private readonly options: LinkOptions,
    private readonly publisher: RedisClientType,
    private readonly subscriber: RedisClientType,
    private readonly prefix: string,
  ) {
    for (const client of [publisher, subscriber]) {
      client.on('error', (error: Error) => this.lose(error.message));
      client.on('end', () => this.lose('the connection to Valkey has ended'));
    }
  }

  /**
   * Connects to Valkey and subscribes to all channels, including channels added during this call.
   *
   * @param channels returns all channels that currently have listeners
   * @throws Error if Valkey cannot be reached, or does not answer
   */
  static async open(options: LinkOptions, channels: () => string[]): Promise<ValkeyLink> {
    const { createClient } = await import('@redis/client');
    const create = (): RedisClientType =>
      createClient({
        ...{ url: options.url, RESP: 2, name: 'vivarium-bus', disableOfflineQueue: true },
        socket: { connectTimeout: ANSWER_TIMEOUT, reconnectStrategy: false },
      }) as unknown as RedisClientType;
    // Put the database's number into the channel names, because Valkey sends each message to the
    // subscribers of all databases.
    const database = new URL(options.url).pathname.slice(1) || '0';
    const link = new ValkeyLink(options, create(), create(), `vivarium:${database}:`);
    const connect = async (): Promise<void> => {
      await Promise.all([link.publisher.connect(), link.subscriber.connect()]);
      await link.subscribe(link.beats);
      for (;;) {
        const fresh = channels().filter((channel) => !link.subscriptions.has(channel));
        if (fresh.length === 0) return;
        await Promise.all(fresh.map((channel) => link.subscribe(channel)));
      }
    };
    // Limit the time, because the Valkey client may wait forever.
    await inTime(options.clock, connect()).catch((error) => {
      link.close();
      throw error;
    });
    link.isReady = true;
    link.beat();
    return link;
  }

  publish(channel: string, message: Uint8Array): void {
    const { buffer, byteOffset, length } = message;
    this.waiting += length;
    if (this.waiting > BUS.backlog) {
      this.lose('Valkey accepts messages too slowly');
      return;
    }
    const bytes = Buffer.from(buffer, byteOffset, length);
    this.publisher.sendCommand(['PUBLISH', this.prefix + channel, bytes]).then(
      () => {
        this.waiting -= length;
      },
      (error: Error) => this.lose(error.message),
    );
  }

  /**
   * Subscribes to a channel. Resolves when Valkey has confirmed the subscription.
   *
   * @throws Error if the link is lost
   */
  subscribe(channel: string): Promise<void> {
    const known = this.subscriptions.get(channel);
    if (known) return known.confirmed;
    const handler = (message: Buffer): void => {
      if (this.isOver || this.subscriptions.get(channel)?.handler !== handler) return;
      if (channel === this.beats) {
        if (this.missed === 1) this.latency = this.options.clock.now() - this.beatAt;
        this.missed = 0;
      } else this.options.onMessage(channel, message);
    };
    const confirmed = this.subscriber.subscribe(this.prefix + channel, handler, true);
    this.subscriptions.set(channel, { handler, confirmed });
    confirmed.catch((error: Error) => this.lose(error.message));
    return confirmed;
  }

  unsubscribe(channel: string): void {
    const known = this.subscriptions.get(channel);
    if (!known || this.isOver) return;
    this.subscriptions.delete(channel);
    // Remove only this handler. The channel may already have a newer handler, which must stay.
    this.subscriber
      .unsubscribe(this.prefix + channel, known.handler, true)
      .catch((error: Error) => this.lose(error.message));
  }

  close(): void {
    this.isOver = true;
    this.cancelBeat();
    for (const client of [this.publisher, this.subscriber]) {
      try {
        client.destroy();
      } catch {
        // The client is already closed.
      }
    }
  }

  private lose(why: string): void {
    if (this.isOver) return;
    this.close();
    if (this.isReady) this.options.onLost(why);
  }

  private beat(): void {
    if (this.missed >= BUS.missedBeats) {
      this.lose('Valkey does not answer');
      return;
    }
    this.missed++;
    this.beatAt = this.options.clock.now();
    this.publish(this.beats, new Uint8Array(0));
    if (!this.isOver) this.cancelBeat = this.options.clock.after(BUS.beat, () => this.beat());
  }
}

interface ValkeyBusOptions extends Pick<LinkOptions, 'url' | 'clock'> {
  /** Called when the bus stops working, and when it works again. */
  readonly onUp?: (isUp: boolean, why: string) => void;
}

/** A message bus over Valkey. If the link to Valkey is lost, the bus opens a new one. */
export class ValkeyBus implements Bus {
  private readonly emitter = new EventEmitter().setMaxListeners(0);
  private link: ValkeyLink | undefined;
  private readonly closing = new AbortController();

  private constructor(private readonly options: ValkeyBusOptions) {}

  /**
   * Connects to Valkey.
   *
   * @throws Error if Valkey cannot be reached, or does not accept the password in the URL
   */
  static async open(options: ValkeyBusOptions): Promise<ValkeyBus> {
    const bus = new ValkeyBus(options);
    bus.link = await bus.dial();
    return bus;
  }

  get isUp(): boolean {
    return this.link !== undefined;
  }

  get latency(): number | undefined {
    return this.link?.latency;
  }

  publish(channel: string, message: Uint8Array): void {
    this.link?.publish(channel, message);
  }

  async subscribe(channel: string, listener: Listener): Promise<Subscription> {
    const { signal } = this.closing;
    signal.throwIfAborted();
    const unsubscribe = (): void => this.link?.unsubscribe(channel);
    const subscription = listenTo(this.emitter, channel, listener, unsubscribe);
    const { link } = this;
    await link?.subscribe(channel).catch(() => {});
    // If the link is lost, wait for the next link, which subscribes to all channels.
    if (!link || link !== this.link) await this.up(signal);
    return subscription;
  }

  onGap(listener: () => void): Subscription {
    return listenTo(this.emitter, GAP, listener);
  }

  async close(): Promise<void> {
    this.closing.abort(new Error('The bus has been closed.'));
    this.link?.close();
    this.link = undefined;
    this.emitter.removeAllListeners();
  }

  private get isClosed(): boolean {
    return this.closing.signal.aborted;
  }

  /** Waits until the bus works. @throws Error if the bus has been closed */
  private async up(signal: AbortSignal): Promise<void> {
    if (!this.isUp) await once(this.emitter, GAP, { signal });
  }

  private dial(): Promise<ValkeyLink> {
    const { url, clock } = this.options;
    const link: LinkOptions = {
      ...{ url, clock },
      onMessage: (channel, message) => {
        if (!this.emitter.emit(channel, message)) this.link?.unsubscribe(channel);
      },
      onLost: (why) => void this.comeBack(why),
    };
    return ValkeyLink.open(link, () =>
      this.emitter.eventNames().filter((event): event is string => event !== GAP),
    );
  }

  private async comeBack(why: string): Promise<void> {
    const { clock, onUp } = this.options;
    this.link = undefined;
    onUp?.(false, why);
    while (!this.isClosed && !this.link) {
      await pause(clock, BUS.redial);
      if (this.isClosed) return;
      this.link = await this.dial().catch(() => undefined);
    }
    if (this.isClosed) {
      this.link?.close();
      this.link = undefined;
      return;
    }
    onUp?.(true, '');
    this.emitter.emit(GAP);
  }
}
