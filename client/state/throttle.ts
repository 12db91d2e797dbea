/** Lets a value through at most once an interval; the last one always comes through, when `flush` is called later. */
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

  /** What still waits is not wanted any more. */
  forget(): void {
    this.waiting = undefined;
  }

  /** @returns whether something still waits */
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
