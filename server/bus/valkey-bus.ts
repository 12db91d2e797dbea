/** A bus over Valkey's publish and subscribe. It comes back by itself. */
import { CLUSTER_DEFAULTS } from '../../shared/cluster-defaults.ts';
import { type Clock, pause } from '../platform/clock.ts';
import type { Bus, Listener, Subscription } from './bus.ts';
import { Subscribers } from './subscribers.ts';
import { type LinkOptions, ValkeyLink } from './valkey-link.ts';

const { redial } = CLUSTER_DEFAULTS.cluster.bus;

export interface ValkeyBusOptions {
  /** redis://user:password@host:port/database */
  readonly url: string;
  readonly clock: Clock;
  /** Called when the bus is not up any more, and when it is again. */
  readonly onUp?: (isUp: boolean, why: string) => void;
}

/** A bus over the channels of a Valkey, which is dialled again whenever the link is lost. */
export class ValkeyBus implements Bus {
  private readonly subscribers = new Subscribers();
  private link: ValkeyLink | undefined;
  private isClosed = false;
  /** Who waits for the link to be up again. */
  private waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];

  private constructor(private readonly options: ValkeyBusOptions) {}

  /** @throws Error Valkey cannot be reached, or wants another password */
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
    if (this.isClosed) throw new Error('The bus has been closed.');
    const unsubscribe = (): void => this.link?.unsubscribe(channel);
    const subscription = this.subscribers.add(channel, listener, unsubscribe);
    const { link } = this;
    await link?.subscribe(channel).catch(() => {});
    // A link that was lost meanwhile is followed by one with all subscriptions.
    if (!link || link !== this.link) await this.up();
    return subscription;
  }

  onGap(listener: () => void): Subscription {
    return this.subscribers.onGap(listener);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.link?.close();
    this.link = undefined;
    this.subscribers.clear();
    for (const { reject } of this.waiting.splice(0)) reject(new Error('The bus has been closed.'));
  }

  private async up(): Promise<void> {
    if (this.isUp) return;
    if (this.isClosed) throw new Error('The bus has been closed.');
    await new Promise<void>((resolve, reject) => {
      this.waiting.push({ resolve, reject });
    });
  }

  private dial(): Promise<ValkeyLink> {
    const { url, clock } = this.options;
    const link: LinkOptions = {
      ...{ url, clock },
      onMessage: (channel, message) => {
        if (this.subscribers.has(channel)) this.subscribers.deliver(channel, message);
        else this.link?.unsubscribe(channel);
      },
      onLost: (why) => void this.comeBack(why),
    };
    return ValkeyLink.open(link, this.subscribers.channels);
  }

  private async comeBack(why: string): Promise<void> {
    const { clock, onUp } = this.options;
    this.link = undefined;
    onUp?.(false, why);
    while (!this.isClosed && !this.link) {
      await pause(clock, redial);
      if (this.isClosed) return;
      this.link = await this.dial().catch(() => undefined);
    }
    if (this.isClosed) {
      this.link?.close();
      this.link = undefined;
      return;
    }
    onUp?.(true, '');
    this.subscribers.tellOfGap();
    for (const { resolve } of this.waiting.splice(0)) resolve();
  }
}
