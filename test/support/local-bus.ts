/** A bus within one process, which loses nothing. */
import {
  type Bus,
  type Listener,
  Subscribers,
  type Subscription,
} from '../../server/cluster/bus/bus.ts';

/** Delivers in the order of publishing, each message in a microtask of its own. */
export class LocalBus implements Bus {
  private readonly subscribers = new Subscribers();
  readonly latency = 0;
  private isClosed = false;

  get isUp(): boolean {
    return !this.isClosed;
  }

  publish(channel: string, message: Uint8Array): void {
    if (this.isClosed || !this.subscribers.has(channel)) return;
    queueMicrotask(() => this.subscribers.deliver(channel, message));
  }

  async subscribe(channel: string, listener: Listener): Promise<Subscription> {
    if (this.isClosed) throw new Error('The bus has been closed.');
    return this.subscribers.add(channel, listener);
  }

  onGap(listener: () => void): Subscription {
    return this.subscribers.onGap(listener);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.subscribers.clear();
  }
}
