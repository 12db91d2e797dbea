/**
 * Wall-clock times of a room's ticks. They cannot be computed from the present tick rate, because a
 * room stands still while the machine is off and its rate may change. Most of a day has one pace,
 * so a few points describe it. The points are not part of the room's state, which knows no wall
 * clock.
 */
import { interpolate, MOST_TIME_POINTS, type TimePoint } from '../../shared/time-points.ts';

/** Maximum error of a time between two points, ms. Pages show minutes. */
const TOLERANCE = 5_000;

export class TickTimes {
  /** Oldest first. Since the last point, the room has kept its pace. */
  private points: TimePoint[];
  /** The latest known tick and its time. */
  private last: TimePoint | undefined;
  /** Range of paces, ms per tick, that fit all ticks since the last point within the tolerance. */
  private least = Number.NEGATIVE_INFINITY;
  private most = Number.POSITIVE_INFINITY;

  /** @param known value of `known` from an earlier run; ticks and times never decrease */
  constructor(known: readonly TimePoint[] = []) {
    this.points = [...known];
    this.last = known.at(-1);
    this.trim();
  }

  /** The known points, oldest first: up to `MOST_TIME_POINTS`, including the latest. */
  get known(): readonly TimePoint[] {
    const { points, last } = this;
    return last && last !== points.at(-1) ? [...points, last] : [...points];
  }

  /** Returns the known points and the present one. @param now last tick and wall clock, ms */
  until(now: TimePoint): readonly TimePoint[] {
    return [...settled(this.known, now), now];
  }

  /**
   * Records the time of a tick; ticks before the last known one are ignored. If the clock was set
   * back, earlier times are corrected, because the present clock is more likely to be right.
   *
   * @param point.at wall clock, ms
   */
  add(point: TimePoint): void {
    const { last } = this;
    if (last && point.tick < last.tick) return;
    if (last && point.at < last.at - TOLERANCE) {
      this.keep(last);
      this.points = settled(this.points, point);
      this.last = this.points.at(-1);
    }
    this.follow({ tick: point.tick, at: Math.max(point.at, this.last?.at ?? point.at) });
  }

  /**
   * Records that the room continues after a standstill. Before it stopped, the room may have run
   * past the last known tick.
   *
   * @param now the room's last tick, and the wall clock, ms
   * @param tickRate nominal ticks per second
   */
  goOn(now: TimePoint, tickRate: number): void {
    // Forget later ticks: they were lost with the damaged end of the room's records.
    this.points = this.known.filter(({ tick }) => tick <= now.tick);
    this.last = this.points.at(-1);
    const { last } = this;
    if (last) {
      this.keep(last);
      const ended = last.at + (1000 * (now.tick - last.tick)) / tickRate;
      this.add({ tick: now.tick, at: Math.min(now.at, ended) });
    }
    this.add(now);
  }

  private follow(point: TimePoint): void {
    const from = this.points.at(-1);
    if (!from || !this.last) {
      this.last = point;
      this.keep(point);
      return;
    }
    const ticks = point.tick - from.tick;
    const took = point.at - from.at;
    if (ticks === 0) {
      // Within the tolerance, the room has not paused.
      if (took < TOLERANCE) return;
      this.last = point;
      this.keep(point);
      return;
    }
    const pace = took / ticks;
    if (pace < this.least || pace > this.most) {
      // The pace has changed since the latest point.
      this.keep(this.last);
      this.follow(point);
      return;
    }
    this.least = Math.max(this.least, (took - TOLERANCE) / ticks);
    this.most = Math.min(this.most, (took + TOLERANCE) / ticks);
    this.last = point;
  }

  /** Keeps the latest point permanently, because another pace may begin at it. */
  private keep(last: TimePoint): void {
    if (last !== this.points.at(-1)) this.points.push(last);
    this.least = Number.NEGATIVE_INFINITY;
    this.most = Number.POSITIVE_INFINITY;
    this.trim();
  }

  /** Removes points until there is room for the latest one. */
  private trim(): void {
    while (this.points.length >= MOST_TIME_POINTS) removeLeast(this.points);
  }
}

/**
 * Corrects times that were read while the clock was ahead. If a tick has a later time than the next
 * tick, the clock was set back between them. Times read while the clock was ahead then move back by
 * the same amount.
 *
 * @param points oldest first
 * @param now the latest tick, and the present time, ms
 * @param pace duration of a tick, ms, to bridge the moment at which the clock was set back
 * @returns points of the same ticks; times never decrease and are no later than now
 */
export function settled(points: readonly TimePoint[], now: TimePoint, pace = 0): TimePoint[] {
  let later = now;
  let ahead = 0;
  return points
    .toReversed()
    .map(({ tick, at }) => {
      const over = at - later.at;
      // This time is nearer to the present clock than to the clock that was ahead.
      if (over <= ahead / 2) ahead = 0;
      else if (over > ahead) ahead = over + pace * (later.tick - tick);
      later = { tick, at: Math.min(at - ahead, later.at) };
      return later;
    })
    .reverse();
}

/** Removes the point that its neighbours predict best. The first and the last point stay. */
function removeLeast(points: TimePoint[]): void {
  const errors = points.slice(1, -1).map(({ tick, at }, i) => {
    const beside = [points[i], points[i + 2]];
    const told = interpolate(
      beside.map((one) => one.tick),
      beside.map((one) => one.at),
      tick,
    );
    return Math.abs(at - told);
  });
  points.splice(1 + errors.indexOf(Math.min(...errors)), 1);
}
