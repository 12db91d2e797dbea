/** Wall-clock times of ticks and of films' pictures, interpolated between known times. */

/** A tick and its wall-clock time `at`, in ms. */
export interface TimePoint {
  readonly tick: number;
  readonly at: number;
}

/** Maximum number of tick times that a room stores and sends with its family tree. */
export const MOST_TIME_POINTS = 256;

/**
 * Converts a value by linear interpolation between points, for example a tick to a time. A value
 * before the first point or after the last point is converted as if it were at that point. If
 * several points have exactly this value, uses the first of them.
 *
 * @param known values of the points in the unit of `value`, such as ticks, which never decrease
 * @param sought values of the points in the unit of the result, such as times, which never decrease
 * @param value the value to convert
 */
export function interpolate(
  known: readonly number[],
  sought: readonly number[],
  value: number,
): number {
  const last = known.length - 1;
  if (value <= known[0]) return sought[0];
  if (value > known[last]) return sought[last];
  let [low, high] = [0, last];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (known[middle] < value) low = middle;
    else high = middle;
  }
  const share = (value - known[low]) / (known[high] - known[low]);
  return sought[low] + share * (sought[high] - sought[low]);
}

/**
 * Wall-clock times of some of a film's pictures, in ms, oldest first. Other times are interpolated.
 * Maximum length: `MOST_TIME_POINTS`.
 */
export type FilmTimes = readonly { readonly frame: number; readonly at: number }[];

/** The period of a film, and the known times of its pictures. */
export interface FilmPeriod {
  /** Wall-clock time of the first picture, in ms; null if unknown. */
  readonly from: number | null;
  /** Wall-clock time of the last picture, in ms. */
  readonly until: number;
  /** Total number of pictures. */
  readonly frames: number;
  /**
   * Known times of pictures. If absent, the pictures are assumed to be equally far apart in time.
   */
  readonly times?: FilmTimes | undefined;
}

/** Computes the wall-clock time of a film's picture, in ms; null if unknown. */
export function momentOfFrame(
  { from, until, frames, times = [] }: FilmPeriod,
  frame: number,
): number | null {
  if (times.length > 0) {
    return interpolate(
      times.map((one) => one.frame),
      times.map((one) => one.at),
      frame,
    );
  }
  if (from === null) return null;
  return from + ((until - from) * frame) / Math.max(1, frames - 1);
}
