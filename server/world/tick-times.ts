/**
 * When the ticks of a room were, by the wall clock. A room stands still while the machine is off, and
 * its rate may change, so ticks cannot be counted back from now. Most of a day has one pace, so a few
 * points tell all of it. They are no part of the room's state, which knows no wall clock.
 */
import { interpolate, MOST_TIME_POINTS, type TimePoint } from '../../shared/time-points.ts';

/** How far a time between two points may be from what it was, ms. Pages show minutes. */
const TOLERANCE = 5_000;

/** The known times of a room's ticks. */
export class TickTimes {
  /** Oldest first. Since the last of them, the room has kept its pace. */
  private points: TimePoint[];
  /** The latest that is known. */
  private last: TimePoint | undefined;
  /** Paces, ms per tick, that are within the tolerance of all ticks since the last point. */
  private least = Number.NEGATIVE_INFINITY;
  private most = Number.POSITIVE_INFINITY;

  /** @param known as `known` was before; ticks and times never decrease */
  constructor(known: readonly TimePoint[] = []) {
    this.points = [...known];
    this.last = known.at(-1);
    this.trim();
  }

  /** What is known, oldest first: at most `MOST_TIME_POINTS`, the latest one included. */
  get known(): readonly TimePoint[] {
    const { points, last } = this;
    return last && last !== points.at(-1) ? [...points, last] : [...points];
  }

  /** The same, and one more. @param now the last tick, and the wall clock, ms */
  until(now: TimePoint): readonly TimePoint[] {
    return [...settled(this.known, now), now];
  }

  /**
   * Takes in when a tick was; an earlier one than the last changes nothing. If the clock was set back,
   * what seemed to be later was not: the clock of now is more likely to be right.
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
   * The room goes on after it stood still. It may have run on past the last tick that is known.
   *
   * @param now its last tick, and the wall clock, ms
   * @param tickRate nominal ticks a second
   */
  goOn(now: TimePoint, tickRate: number): void {
    // What came after was given up with a damaged end.
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
      // Less is no pause.
      if (took < TOLERANCE) return;
      this.last = point;
      this.keep(point);
      return;
    }
    const pace = took / ticks;
    if (pace < this.least || pace > this.most) {
      // It has another pace since the latest point.
      this.keep(this.last);
      this.follow(point);
      return;
    }
    this.least = Math.max(this.least, (took - TOLERANCE) / ticks);
    this.most = Math.min(this.most, (took + TOLERANCE) / ticks);
    this.last = point;
  }

  /** Makes the latest point one that stays, from which another pace may begin. */
  private keep(last: TimePoint): void {
    if (last !== this.points.at(-1)) this.points.push(last);
    this.least = Number.NEGATIVE_INFINITY;
    this.most = Number.POSITIVE_INFINITY;
    this.trim();
  }

  /** Leaves a place for the latest point. */
  private trim(): void {
    while (this.points.length >= MOST_TIME_POINTS) removeLeast(this.points);
  }
}

/**
 * Corrects times that were read while the clock was ahead. If a tick has a later time than the tick
 * after it, the clock was set back between them: earlier times move back by the same amount, as far
 * as they were read while it was ahead.
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

/** Removes the point that those beside it tell best. The first and the last stay. */
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
