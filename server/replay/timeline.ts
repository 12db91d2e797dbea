/** Maps ticks to times and back, by linear interpolation between known points. */
import type { TimePoint } from '../../shared/time-points.ts';
import { settled } from '../world/tick-times.ts';

/** A room's known points in time. */
export class Timeline {
  /** Sorted, with times that never decrease, even if the clock was set back. */
  private readonly fixes: readonly TimePoint[];

  /** @param fixes in any order; at least one */
  constructor(fixes: readonly TimePoint[]) {
    const sorted = fixes.toSorted((a, b) => a.tick - b.tick || b.at - a.at);
    this.fixes = settled(sorted, sorted.at(-1)!);
  }

  get last(): TimePoint {
    return this.fixes.at(-1)!;
  }

  /** The tick at a time, ms; clamped to the first and the last known tick. */
  tickAt(time: number): number {
    return Math.round(this.between('at', 'tick', time));
  }

  /** The time of a tick, ms; clamped likewise. */
  timeOf(tick: number): number {
    return Math.round(this.between('tick', 'at', tick));
  }

  private between(known: keyof TimePoint, sought: keyof TimePoint, value: number): number {
    const i = this.fixes.findIndex((fix) => fix[known] >= value);
    const to = this.fixes[i] ?? this.last;
    const from = i > 0 ? this.fixes[i - 1] : to;
    const span = to[known] - from[known];
    return span > 0
      ? from[sought] + ((value - from[known]) / span) * (to[sought] - from[sought])
      : to[sought];
  }
}
