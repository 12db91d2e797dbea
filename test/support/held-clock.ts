/** The system's clock, but for waits of one length: these last until a test says that they are over. */
import { type Clock, systemClock } from '../../server/platform/clock.ts';

export class HeldClock implements Clock {
  private readonly held = new Set<() => void>();
  readonly now = systemClock.now;

  constructor(private readonly length: number) {}

  after(delay: number, call: () => void): () => void {
    if (delay !== this.length) return systemClock.after(delay, call);
    this.held.add(call);
    return () => this.held.delete(call);
  }

  pass(): void {
    for (const call of [...this.held]) {
      if (this.held.delete(call)) call();
    }
  }
}
