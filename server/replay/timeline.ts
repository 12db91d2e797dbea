/** Which tick of a room was when: between two moments that are known, its pace is taken to have been even. */

/** A tick, and the wall clock then, ms. */
export interface TimePoint {
  readonly tick: number;
  readonly at: number;
}

export class Timeline {
  /** The first first; the clock may have been set back, but time does not go back. */
  private readonly fixes: readonly TimePoint[];

  /** @param fixes in any order; at least one */
  constructor(fixes: readonly TimePoint[]) {
    let latest = Number.NEGATIVE_INFINITY;
    this.fixes = fixes
      .toSorted((a, b) => a.tick - b.tick || a.at - b.at)
      .map(({ tick, at }) => {
        latest = Math.max(latest, at);
        return { tick, at: latest };
      });
  }

  get first(): TimePoint {
    return this.fixes[0];
  }

  get last(): TimePoint {
    return this.fixes.at(-1)!;
  }

  /** What is before all that is known is the first tick, and what is after it the last. */
  tickAt(time: number): number {
    return Math.round(this.between('at', 'tick', time));
  }

  timeOf(tick: number): number {
    return Math.round(this.between('tick', 'at', tick));
  }

  private between(known: keyof TimePoint, sought: keyof TimePoint, value: number): number {
    const i = this.fixes.findIndex((fix) => fix[known] >= value);
    const to = this.fixes[i] ?? this.last;
    const from = i > 0 ? this.fixes[i - 1] : to;
    const whole = to[known] - from[known];
    return whole > 0
      ? from[sought] + ((value - from[known]) / whole) * (to[sought] - from[sought])
      : to[sought];
  }
}
