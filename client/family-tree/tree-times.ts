/** Wall-clock times of a tree's ticks. */
import type { LineagePage } from '../../shared/lineage.ts';
import { interpolate } from '../../shared/time-points.ts';

/**
 * Formatters for each language and kind. They are cached, because creating one is slow and every
 * frame writes times.
 */
const FORMATS = new Map<string, Intl.DateTimeFormat>();

/** The part of a tree's data that maps ticks to the wall clock. */
export type TreeClock = Pick<LineagePage, 'now' | 'tick' | 'tickRate' | 'times'>;

/** Returns the wall-clock time of a tick, in ms. */
export function dateOf({ now, tick: last, tickRate, times }: TreeClock, tick: number): number {
  const points = times.length > 0 ? times : [{ tick: last, at: now }];
  const [first] = points;
  if (tick < first.tick) return first.at - (1000 * (first.tick - tick)) / tickRate;
  return interpolate(
    points.map((point) => point.tick),
    points.map(({ at }) => at),
    tick,
  );
}

/**
 * Formats a time of day, and adds the date unless it is the date of the tree's last moment.
 *
 * @param locale language tag
 * @param at wall-clock time, in ms
 */
export function momentIn(locale: string, { now }: Pick<TreeClock, 'now'>, at: number): string {
  const time = { hour: '2-digit', minute: '2-digit' } as const;
  const isToday = new Date(at).toDateString() === new Date(now).toDateString();
  const day = isToday ? {} : ({ day: 'numeric', month: 'short' } as const);
  const key = `${locale} ${isToday}`;
  const format = FORMATS.get(key) ?? new Intl.DateTimeFormat(locale, { ...day, ...time });
  FORMATS.set(key, format);
  return format.format(at);
}
