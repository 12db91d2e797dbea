/**
 * A token bucket: limits a rate and its bursts. Not a library, as npm's limiters are asynchronous
 * and use the system clock; this one must answer synchronously, and by the time that is passed in.
 */
export class TokenBucket {
  private level: number;
  private refilledAt: number;

  /**
   * @param perSecond refill rate
   * @param size capacity: the largest burst
   * @param now ms
   */
  constructor(
    private readonly perSecond: number,
    private readonly size: number,
    now: number,
  ) {
    this.level = size;
    this.refilledAt = now;
  }

  /** Takes an amount if it is available. @returns false if not; nothing is taken then */
  take(amount: number, now: number): boolean {
    this.refill(now);
    if (amount > this.level) return false;
    this.level -= amount;
    return true;
  }

  /** Takes an amount that was used already; less than nothing may be left, down to minus the size. */
  drain(amount: number, now: number): void {
    this.refill(now);
    this.level = Math.max(-this.size, this.level - amount);
  }

  /** Time until an amount is available, ms; Infinity if it exceeds the capacity. */
  wait(amount: number, now: number): number {
    this.refill(now);
    if (amount > this.size) return Number.POSITIVE_INFINITY;
    return (1000 * Math.max(0, amount - this.level)) / this.perSecond;
  }

  /** Whether nothing has been taken that is not refilled by now. */
  isFull(now: number): boolean {
    this.refill(now);
    return this.level === this.size;
  }

  private refill(now: number): void {
    this.level = Math.min(
      this.size,
      this.level + ((now - this.refilledAt) / 1000) * this.perSecond,
    );
    this.refilledAt = now;
  }
}
