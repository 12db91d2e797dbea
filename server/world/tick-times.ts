/**
 * When a room's ticks took place, by the wall clock. This cannot be computed from the current tick
 * rate, because a room stands still while the machine is off, and because its rate may change.
 * Since a room keeps the same pace for most of a day, a few points (a tick and its time) are enough
 * to describe it. The points are not part of the room's state, which knows no wall clock.
 */
import { interpolate, MOST_TIME_POINTS, type TimePoint } from '../../shared/time-points.ts';

/**
 * Maximum error of a tick's time between two points, in ms, as long as there are few points. This is
 * enough, because pages show minutes.
 */
const TOLERANCE = 5_000;

export class TickTimes {
  /** Points between which the room kept its pace, oldest first. */
  private points: TimePoint[];
  /** The latest known tick, and its time. */
  private last: TimePoint | undefined;

  /** @param known value of `known` from an earlier run. Its ticks and times never decrease */
  constructor(known: readonly TimePoint[] = []) {
    this.points = [...known];
    this.last = known.at(-1);
  }

  /** The known points, oldest first. At most `MOST_TIME_POINTS`, including the latest tick. */
  get known(): readonly TimePoint[] {
    const { points, last } = this;
    return last && last !== points.at(-1) ? [...points, last] : [...points];
  }

  /**
   * Returns the known points and the current one.
   *
   * @param now the room's last tick, and the wall clock in ms
   */
  until(now: TimePoint): readonly TimePoint[] {
    return [...settled(this.known, now), now];
  }

  /**
   * Records the time of a tick. Ticks before the last known one are ignored. If the clock was set
   * back, corrects earlier times, because the current clock is more likely to be right.
   *
   * @param point.at wall clock, in ms
   */
  add(point: TimePoint): void {
    const { last } = this;
    if (last && point.tick < last.tick) return;
    if (last && point.at < last.at - TOLERANCE) {
      this.points = settled(this.known, point);
      this.last = this.points.at(-1);
    }
    const from = this.points.at(-1);
    const at = Math.max(point.at, this.last?.at ?? point.at);
    // Keep the tick before this one. All earlier ticks are then near a point, even if the room stood
    // still between the two ticks.
    if (from && this.last && from !== this.last && at - from.at > TOLERANCE) this.keep(this.last);
    this.last = { tick: point.tick, at };
    if (!from) this.keep(this.last);
  }

  /**
   * Records that the room continues after a standstill. Before the standstill, the room may have
   * run beyond the last known tick.
   *
   * @param now the room's last tick, and the wall clock in ms
   * @param tickRate nominal ticks per second
   */
  goOn(now: TimePoint, tickRate: number): void {
    // Forget later ticks, because they were lost when the end of the room's records was damaged.
    this.points = this.known.filter(({ tick }) => tick <= now.tick);
    this.last = this.points.at(-1);
    if (this.last) {
      const ended = this.last.at + (1000 * (now.tick - this.last.tick)) / tickRate;
      this.add({ tick: now.tick, at: Math.min(now.at, ended) });
    }
    this.add(now);
  }

  /** Keeps a point. Removes other points until there is room for the latest tick. */
  private keep(point: TimePoint): void {
    this.points.push(point);
    while (this.points.length >= MOST_TIME_POINTS) removeLeast(this.points);
  }
}

/**
 * Corrects the times of ticks that were read while the clock was ahead. If a tick has a later time
 * than the next tick, the clock was set back between the two. Times read while the clock was ahead
 * are then moved back by the same amount.
 *
 * @param points oldest first
 * @param now the latest tick, and the current time in ms
 * @param pace duration of a tick, in ms, which is assumed between the two ticks where the clock was
 *   set back
 * @returns points of the same ticks. Their times never decrease and are no later than now
 */
export function settled(points: readonly TimePoint[], now: TimePoint, pace = 0): TimePoint[] {
  let later = now;
  let ahead = 0;
  return points
    .toReversed()
    .map(({ tick, at }) => {
      const over = at - later.at;
      // The time of this tick is closer to the corrected clock than to the clock that was ahead. It
      // was therefore read before the clock went ahead, so do not move it back.
      if (over <= ahead / 2) ahead = 0;
      else if (over > ahead) ahead = over + pace * (later.tick - tick);
      later = { tick, at: Math.min(at - ahead, later.at) };
      return later;
    })
    .reverse();
}

/**
 * Removes the point that can be predicted best from its neighbours. The first and the last point
 * stay.
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
