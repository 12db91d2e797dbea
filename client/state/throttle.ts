/** Emits a value at most once per interval. `flush` emits the last value when it is due. */
export class Throttle<T> {
  private waiting: { readonly value: T } | undefined;
  private passedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly pass: (value: T) => void,
    private readonly interval: number,
  ) {}

  push(value: T, now: number): void {
    this.waiting = { value };
    this.flush(now);
  }

  /** Discards the pending value. */
  forget(): void {
    this.waiting = undefined;
  }

  /**
   * Emits the pending value if it is due.
   *
   * @returns whether a value is still pending
   */
  flush(now: number): boolean {
    if (!this.waiting) return false;
    if (now - this.passedAt < this.interval) return true;
    const { value } = this.waiting;
    this.waiting = undefined;
    this.passedAt = now;
    this.pass(value);
    return false;
  }
}
