/** Visit statistics of a room: sums only, nothing about individuals. */
import * as v from 'valibot';
import { count } from '../common-schemas.ts';

/** Upper bounds of the bins for visit lengths, seconds; the last bin is unbounded. */
export const DWELL_SPANS = [10, 30, 60, 120, 300, 600, 1_200, 3_600] as const;

/** Fields per side of the heat map, which covers the whole grid. */
export const HEAT_SIDE = 16;

const sums = {
  /** Visits; a participant who returns within a minute counts once. */
  visits: count,
  seeds: count,
  wounds: count,
  crosses: count,
  refused: count,
  /** Largest number of participants at once. */
  most: count,
  /** [DWELL_SPANS.length + 1] ended visits by length. */
  dwell: v.pipe(v.array(count), v.length(DWELL_SPANS.length + 1)),
  /** [HEAT_SIDE²] seeds and wounds by position, row by row. */
  heat: v.pipe(v.array(count), v.length(HEAT_SIDE * HEAT_SIDE)),
};

export const hourStatistics = v.object({
  /** By the server's clock: `2026-11-25T14`. */
  hour: v.string(),
  ...sums,
});
export type HourStatistics = v.InferOutput<typeof hourStatistics>;

export const dayStatistics = v.object({ day: v.string(), ...sums });
export type DayStatistics = v.InferOutput<typeof dayStatistics>;

export const statistics = v.object({
  room: v.string(),
  /** The last weeks, oldest first; hours without visitors are omitted. */
  hours: v.array(hourStatistics),
  /** The last years, oldest first; days without visitors are omitted. */
  days: v.array(dayStatistics),
});
export type Statistics = v.InferOutput<typeof statistics>;
