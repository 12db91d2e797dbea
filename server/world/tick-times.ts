/**
 * The wall-clock times of a room's ticks. A tick's time cannot be computed from the current tick
 * rate, because the rate may change, and because a room does not tick while the machine is off. A
 * room usually keeps its rate for most of a day. A few points, each a tick and its time, are
 * therefore enough; times between them are interpolated. The points are not part of the room's
 * state, which does not depend on the wall clock.
 */
import { interpolate, MOST_TIME_POINTS, type TimePoint } from '../../shared/time-points.ts';

/**
 * Maximum error, in ms, of a tick's time that is interpolated between two points. Pages show times
 * to the minute, so this is precise enough. The error can be larger after points have been removed
 * because there were too many.
 */
const TOLERANCE = 5_000;

export class TickTimes {
  /**
   * Points, oldest first. Between two neighbouring points, the room ticked at a nearly constant
   * rate.
   */
  private points: TimePoint[];
  /** The latest known tick, and its time. */
  private last: TimePoint | undefined;

  /**
   * @param known the value of `known` from an earlier run of the room. Its ticks and times never
   *   decrease
   */
  constructor(known: readonly TimePoint[] = []) {
    this.points = limited(known);
    this.last = known.at(-1);
  }

  /**
   * The known points, oldest first, including the latest tick. There are at most
   * `MOST_TIME_POINTS`.
   */
  get known(): readonly TimePoint[] {
    const { points, last } = this;
    return last && last !== points.at(-1) ? [...points, last] : [...points];
  }

  /**
   * Returns the known points, corrected by `settled`, followed by the current point.
   *
   * @param now the room's last tick, and the current wall-clock time in ms
   */
  until(now: TimePoint): readonly TimePoint[] {
    return [...settled(this.known, now), now];
  }

  /**
   * Records the time of a tick. Ignores ticks before the last known tick. If the clock was set
   * back, corrects the earlier times, because the clock is more likely to be right after the change
   * than before it.
   *
   * @param point.at wall-clock time, in ms
   */
  add(point: TimePoint): void {
    const { last } = this;
    if (last && point.tick < last.tick) return;
    if (last && point.at < last.at - TOLERANCE) {
      this.points = limited(settled(this.known, point));
      this.last = this.points.at(-1);
    }
    const from = this.points.at(-1);
    const at = Math.max(point.at, this.last?.at ?? point.at);
    // Keep the previous tick as a point. Interpolation then gives the right times for earlier
    // ticks, even if the room did not tick for a while between the previous tick and this one.
    if (from && this.last && from !== this.last && at - from.at > TOLERANCE) this.keep(this.last);
    this.last = { tick: point.tick, at };
    if (!from) this.keep(this.last);
  }

  /**
   * Records that the room ticks again after a standstill, such as a restart. The last ticks before
   * the standstill may not have been recorded here.
   *
   * @param now the room's last tick, and the current wall-clock time in ms
   * @param tickRate nominal ticks per second
   */
  goOn(now: TimePoint, tickRate: number): void {
    // Forget ticks after the room's last tick. They were lost when the end of the room's stored
    // data was damaged.
    this.points = limited(this.known.filter(({ tick }) => tick <= now.tick));
    this.last = this.points.at(-1);
    if (this.last) {
      const ended = this.last.at + (1000 * (now.tick - this.last.tick)) / tickRate;
      this.add({ tick: now.tick, at: Math.min(now.at, ended) });
    }
    this.add(now);
  }

  private keep(point: TimePoint): void {
    this.points = limited([...this.points, point]);
  }
}

/** Removes points until the points and the latest tick together number at most `MOST_TIME_POINTS`. */
function limited(points: readonly TimePoint[]): TimePoint[] {
  const kept = [...points];
  while (kept.length >= MOST_TIME_POINTS) removeLeast(kept);
  return kept;
}

/**
 * Corrects the times of ticks that were recorded while the clock was ahead. If a tick has a later
 * time than the next tick, the clock was set back between these two ticks. The times that were
 * recorded while the clock was ahead are then reduced by the amount by which the clock was set
 * back.
 *
 * @param points oldest first
 * @param now the latest tick, and the current time in ms
 * @param pace assumed duration, in ms, of each tick between the two ticks where the clock was set
 *   back
 * @returns points of the same ticks. Their times never decrease and are not later than `now`
 */
export function settled(points: readonly TimePoint[], now: TimePoint, pace = 0): TimePoint[] {
  let later = now;
  let ahead = 0;
  return points
    .toReversed()
    .map(({ tick, at }) => {
      const over = at - later.at;
      // This time is closer to the corrected clock than to the clock that was ahead. It was
      // therefore recorded before the clock went ahead, so leave it and all earlier times
      // unchanged.
      if (over <= ahead / 2) ahead = 0;
      else if (over > ahead) ahead = over + pace * (later.tick - tick);
      later = { tick, at: Math.min(at - ahead, later.at) };
      return later;
    })
    .reverse();
}

/**
 * Removes the point that is needed least: the one whose time can be interpolated most precisely
 * from its two neighbours. Never removes the first or the last point.
 */
function removeLeast(points: TimePoint[]): void {
  const errors = points.slice(1, -1).map(({ tick, at }, i) => {
    const beside = [points[i], points[i + 2]];
    const expected = interpolate(
      beside.map((one) => one.tick),
      beside.map((one) => one.at),
      tick,
    );
    return Math.abs(at - expected);
  });
  points.splice(1 + errors.indexOf(Math.min(...errors)), 1);
}
