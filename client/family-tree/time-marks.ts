/** Which moments a time axis names. Has no texts of its own: walls show the axis in several languages. */
import type { LineagePage } from '../../shared/lineage.ts';
import { interpolate } from '../../shared/time-points.ts';
import type { TreeLayout } from './layout.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Candidates for the time between two marks, ms. */
const SPANS = [MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 24 * HOUR];

/** Formatters by language and kind: each frame writes times, and to create a formatter is slow. */
const FORMATS = new Map<string, Intl.DateTimeFormat>();

/** The part of a tree's data that maps ticks to the wall clock. */
export type TreeClock = Pick<LineagePage, 'now' | 'tick' | 'tickRate' | 'times'>;

/** Wall-clock time of a tick, ms. */
export const dateOf = (clock: TreeClock, tick: number): number => timesOf(clock).dateOf(tick);

/** Converts between ticks and the wall clock, ms. */
function timesOf({ now, tick: last, tickRate, times }: TreeClock) {
  const points = times.length > 0 ? times : [{ tick: last, at: now }];
  const ticks = points.map(({ tick }) => tick);
  const dates = points.map(({ at }) => at);
  const [first] = points;
  return {
    dateOf: (tick: number): number =>
      tick < first.tick
        ? first.at - (1000 * (first.tick - tick)) / tickRate
        : interpolate(ticks, dates, tick),
    tickAt: (date: number): number =>
      date < first.at
        ? first.tick - ((first.at - date) * tickRate) / 1000
        : interpolate(dates, ticks, date),
  };
}

/**
 * Formats a time of day, with the date if it differs from the tree's.
 *
 * @param locale tag of the language that it is written in
 * @param at wall clock, ms
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

/**
 * Chooses round times, as many as there is room for.
 *
 * @param apart least distance of two of them, in the layout
 * @param zoneAt offset of the time zone at a moment, ms; it changes with summer time
 */
export function timeMarks(
  { time, start }: Pick<TreeLayout, 'time' | 'start'>,
  clock: TreeClock,
  apart: number,
  zoneAt = (at: number): number => -MINUTE * new Date(at).getTimezoneOffset(),
): { readonly x: number; readonly at: number }[] {
  const last = clock.now;
  const { dateOf: atTick, tickAt } = timesOf(clock);
  const first = atTick(time.tickAt(0));
  const placeOf = (at: number): number => start + time.placeOf(tickAt(at));
  const span = SPANS.find((each) => (last - first) / each <= 60) ?? SPANS.at(-1)!;
  const marks: { x: number; at: number }[] = [];
  // Coarse times come first; finer ones fill the gaps.
  for (const each of [...SPANS].reverse()) {
    if (each < span) break;
    // Where the clock is put forward or back, a round time may be missing or occur twice.
    for (let round = Math.ceil((first + zoneAt(first)) / each) * each; ; round += each) {
      const at = round - zoneAt(round - zoneAt(round));
      if (at > last) break;
      const x = placeOf(at);
      if (marks.every((other) => Math.abs(other.x - x) >= apart)) marks.push({ x, at });
    }
  }
  return marks.sort((a, b) => a.x - b.x);
}
