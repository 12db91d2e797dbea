/** What is counted of a room: sums alone, of nobody in particular. */
import * as v from 'valibot';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** Upper ends of the spans that visits are sorted into by how long they took, seconds; the last span has none. */
export const DWELL_SPANS = [10, 30, 60, 120, 300, 600, 1_200, 3_600] as const;

/** Places of the heat map a side; the grid is parted into so many fields. */
export const HEAT_SIDE = 16;

const sums = {
  /** Who came; one who comes back within a minute counts once. */
  visits: count,
  seeds: count,
  wounds: count,
  crosses: count,
  refused: count,
  /** Most participants at once. */
  most: count,
  /** [DWELL_SPANS.length + 1] visits that ended, by how long they took. */
  dwell: v.pipe(v.array(count), v.length(DWELL_SPANS.length + 1)),
  /** [HEAT_SIDE²] seeds and wounds by where they were, row by row. */
  heat: v.pipe(v.array(count), v.length(HEAT_SIDE * HEAT_SIDE)),
};

export const hourStatistics = v.object({
  /** Of the server's clock: `2026-11-25T14`. */
  hour: v.string(),
  ...sums,
});
export type HourStatistics = v.InferOutput<typeof hourStatistics>;

export const dayStatistics = v.object({ day: v.string(), ...sums });
export type DayStatistics = v.InferOutput<typeof dayStatistics>;

export const statistics = v.object({
  room: v.string(),
  /** Of the last weeks, oldest first; hours without anybody are left out. */
  hours: v.array(hourStatistics),
  /** Of the last years, oldest first; days without anybody are left out. */
  days: v.array(dayStatistics),
});
export type Statistics = v.InferOutput<typeof statistics>;
