/**
 * The wall-clock times of a room's ticks, stored as a short list of pairs, each a tick and its
 * time. Times between two pairs are interpolated. The tick rate is not enough to compute a tick's
 * time, because the rate may change and a room does not tick while the machine is off. The pairs
 * are not part of the room's state, which does not depend on the wall clock.
 */
import { interpolate, MOST_TIME_POINTS, type TimePoint } from '../../shared/time-points.ts';

/**
 * Maximum error of an interpolated tick time, in ms. Errors can be larger after pairs of tick and
 * time have been removed because there were too many (`MOST_TIME_POINTS`).
 */
const TOLERANCE = 5_000;

export class TickTimes {
  /**
   * Pairs of tick and time, oldest first. Between two neighbouring pairs, the tick rate was nearly
   * constant.
   */
  private points: TimePoint[];
  /** The latest known tick, and its time. */
  private last: TimePoint | undefined;

  /**
   * @param known pairs of tick and time from an earlier run of the room; the ticks and times never
   *   decrease
   */
  constructor(known: readonly TimePoint[] = []) {
    this.points = limited(known);
    this.last = known.at(-1);
  }

  /**
   * The known pairs of tick and time, oldest first, including the latest tick. There are at most
   * `MOST_TIME_POINTS` pairs.
   */
  get known(): readonly TimePoint[] {
    const { points, last } = this;
    return last && last !== points.at(-1) ? [...points, last] : [...points];
  }

  /**
   * Returns the known pairs of tick and time, corrected if the clock was set back, followed by
   * `now`.
   *
   * @param now the room's last tick, and the current wall-clock time in ms
   */
  until(now: TimePoint): readonly TimePoint[] {
    return [...settled(this.known, now), now];
  }

  /**
   * Records the time of a tick. Ignores ticks before the last known tick. If the clock was set
   * back, corrects the earlier times to match the new clock.
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
    // Keep the time of the previous tick, not of this tick. If the room stood still between the
    // two, interpolating up to this tick would give wrong times for earlier ticks.
    if (from && this.last && from !== this.last && at - from.at > TOLERANCE) this.keep(this.last);
    this.last = { tick: point.tick, at };
    if (!from) this.keep(this.last);
  }

  /**
   * Records that the room ticks again after a standstill, such as a restart. If the last ticks
   * before the standstill were not recorded, estimates their times from the tick rate.
   *
   * @param now the room's last tick, and the current wall-clock time in ms
   * @param tickRate nominal ticks per second
   */
  goOn(now: TimePoint, tickRate: number): void {
    // Forget the times of ticks that the room no longer has. If the end of the stored data was
    // damaged, the room has lost its latest ticks.
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

/** Removes pairs of tick and time until fewer than `MOST_TIME_POINTS` are left. */
function limited(points: readonly TimePoint[]): TimePoint[] {
  const kept = [...points];
  while (kept.length >= MOST_TIME_POINTS) removeLeast(kept);
  return kept;
}

/**
 * Corrects times that were recorded while the clock was ahead. If a tick has a later time than the
 * next tick, the clock was set back between these ticks. The amount by which it was set back is
 * subtracted from all times that were recorded while the clock was ahead.
 *
 * @param points pairs of tick and time, oldest first
 * @param now the latest tick, and the current time in ms
 * @param pace assumed time from one tick to the next, in ms, if the clock was set back between them
 * @returns the same ticks with corrected times; the times never decrease and are not later than
 *   `now`
 */
export function settled(points: readonly TimePoint[], now: TimePoint, pace = 0): TimePoint[] {
  let later = now;
  let ahead = 0;
  return points
    .toReversed()
    .map(({ tick, at }) => {
      const over = at - later.at;
      // The loop goes back in time. If this time fits better without the correction than with it,
      // the clock was not ahead yet. Stop correcting times, until the loop finds that the clock was
      // set back once more.
      if (over <= ahead / 2) ahead = 0;
      else if (over > ahead) ahead = over + pace * (later.tick - tick);
      later = { tick, at: Math.min(at - ahead, later.at) };
      return later;
    })
    .reverse();
}

/**
 * Removes the pair of tick and time whose time can be interpolated most precisely from the two
 * neighbouring pairs. Never removes the first or the last pair.
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
