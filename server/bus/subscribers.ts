/** Who has subscribed to which channel in this process, and who wants to know of gaps. */
import type { Listener, Subscription } from './bus.ts';

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
