/** The wall clock by which records are dated. It may be wrong, and corrected at any time. */

/** Longest step back without a notice, ms. */
const SET_BACK = 60_000;

export class WallClock {
  /** When it was last set back, as it shows since, ms. */
  setBackAt: number | undefined;
  /** The last reading, ms. */
  private latest = 0;

  /** @param onSetBack is called when it was set back */
  constructor(
    private readonly date: () => number,
    private readonly onSetBack: () => void,
  ) {}

  /**
   * Reads it, ms.
   *
   * @param stored time of a stored record, ms
   */
  now(stored = 0): number {
    const now = this.date();
    if (now < Math.max(this.latest, stored) - SET_BACK) {
      this.setBackAt = now;
      this.onSetBack();
    }
    this.latest = now;
    return now;
  }
}
