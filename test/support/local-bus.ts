/** A bus within one process, which loses nothing. */
import { EventEmitter } from 'node:events';
import {
  type Bus,
  GAP,
  type Listener,
  listenTo,
  type Subscription,
} from '../../server/cluster/bus/bus.ts';

/** Delivers in the order of publishing, each message in a microtask of its own. */
export class LocalBus implements Bus {
  private readonly emitter = new EventEmitter().setMaxListeners(0);
  readonly latency = 0;
  private isClosed = false;

  get isUp(): boolean {
    return !this.isClosed;
  }

  publish(channel: string, message: Uint8Array): void {
    if (this.isClosed || this.emitter.listenerCount(channel) === 0) return;
    queueMicrotask(() => this.emitter.emit(channel, message));
  }

  async subscribe(channel: string, listener: Listener): Promise<Subscription> {
    if (this.isClosed) throw new Error('The bus has been closed.');
    return listenTo(this.emitter, channel, listener);
  }

  onGap(listener: () => void): Subscription {
    return listenTo(this.emitter, GAP, listener);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.emitter.removeAllListeners();
  }
}
