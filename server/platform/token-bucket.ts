/**
 * A token bucket: how much of something may come in a second, and how much more at once. Written here since it must answer
 * in the same turn, in the order of messages, and by the clock that is passed in; npm's limiters answer later, by the system's.
 */
export class TokenBucket {
  private level: number;
  private at: number;

  /**
   * @param perSecond refill
   * @param size most that may come at once
   * @param now ms
   */
  constructor(
    private readonly perSecond: number,
    private readonly size: number,
    now: number,
  ) {
    this.level = size;
    this.at = now;
  }

  /** @returns whether so much was left; when not, nothing is taken */
  take(amount: number, now: number): boolean {
    this.refill(now);
    if (amount > this.level) return false;
    this.level -= amount;
    return true;
  }

  /** How long it is until so much is left, ms; for ever, where it is more than the bucket holds. */
  wait(amount: number, now: number): number {
    this.refill(now);
    if (amount > this.size) return Number.POSITIVE_INFINITY;
    return (1000 * Math.max(0, amount - this.level)) / this.perSecond;
  }

  isFull(now: number): boolean {
    this.refill(now);
    return this.level === this.size;
  }

  private refill(now: number): void {
    this.level = Math.min(this.size, this.level + ((now - this.at) / 1000) * this.perSecond);
    this.at = now;
  }
}
