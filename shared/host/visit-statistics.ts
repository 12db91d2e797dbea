/** Statistics of visits, as the host's page receives them: bins, heat map and sums. */
import * as v from 'valibot';
import { count } from '../common-schemas.ts';

/**
 * Upper bounds of the bins that count visits by length, in seconds. A last bin counts all longer
 * visits.
 */
export const DWELL_SPANS = [10, 30, 60, 120, 300, 600, 1_200, 3_600] as const;

/** Number of rows and number of columns of the heat map, which covers the whole grid. */
export const HEAT_SIDE = 16;

const sums = {
  /** Number of visits. If a participant returns within a minute, the previous visit continues. */
  visits: count,
  seeds: count,
  wounds: count,
  crosses: count,
  /** Absent in old records, from before grafts existed. */
  grafts: v.optional(count, 0),
  refused: count,
  /** Maximum number of simultaneous participants. */
  most: count,
  /** [DWELL_SPANS.length + 1] Number of ended visits in each bin; see `DWELL_SPANS`. */
  dwell: v.pipe(v.array(count), v.length(DWELL_SPANS.length + 1)),
  /**
   * [HEAT_SIDE²] Number of plantings, wounds and grafts in each field of the heat map, row by row.
   */
  heat: v.pipe(v.array(count), v.length(HEAT_SIDE * HEAT_SIDE)),
};

export const hourStatistics = v.object({
  /** Date and hour in the server's local time, such as `2026-11-25T14`. */
  hour: v.string(),
  ...sums,
});
export type HourStatistics = v.InferOutput<typeof hourStatistics>;

export const dayStatistics = v.object({ day: v.string(), ...sums });
export type DayStatistics = v.InferOutput<typeof dayStatistics>;

export const statistics = v.object({
  room: v.string(),
  /** Statistics for each hour with visitors in the most recent weeks, oldest first. */
  hours: v.array(hourStatistics),
  /** Statistics for each day with visitors in the most recent years, oldest first. */
  days: v.array(dayStatistics),
});
export type Statistics = v.InferOutput<typeof statistics>;
