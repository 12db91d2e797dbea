/** When ticks were by the wall clock, told by a few points with a steady pace between them. */

/** A tick and its wall-clock time, ms. */
export interface TimePoint {
  readonly tick: number;
  readonly at: number;
}

/** Most points that are stored of a room, and told with its family tree. */
export const MOST_TIME_POINTS = 256;

/**
 * Linear between known points; the first and the last beyond them. Neither list ever decreases.
 * Where one value is known several times, the first counts: what is dated by the last tick before a
 * pause happened before it.
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
 * Wall-clock times of some pictures, ms, oldest first; those between lie evenly. At most
 * `MOST_TIME_POINTS`.
 */
export type FilmTimes = readonly { readonly frame: number; readonly at: number }[];

/** What is known of when a film's pictures were. */
export interface FilmPeriod {
  /** When the first picture was, ms; null: unknown. */
  readonly from: number | null;
  /** When the last one was, ms. */
  readonly until: number;
  /** Number of pictures of the whole film. */
  readonly frames: number;
  /** Absent until the times are known: pictures are then dated evenly. */
  readonly times?: FilmTimes | undefined;
}

/** When a picture of a film was, wall clock, ms; null: unknown. */
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
