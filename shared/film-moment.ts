/** When the pictures of a film were. */
import { interpolate } from './time-points.ts';

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
