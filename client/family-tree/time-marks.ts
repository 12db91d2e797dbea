/** Which moments a time axis names. Pure, but for the reader's time zone. */
import type { LineagePage } from '../../shared/lineage.ts';
import { interpolate } from '../../shared/time-points.ts';
import type { TreeLayout } from './layout.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Times between two marks that are tried. */
const SPANS = [MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 24 * HOUR];

/** Making one takes long, and times are written in each frame. By language and kind. */
const FORMATS = new Map<string, Intl.DateTimeFormat>();

/** When a tree's moments were. */
export type TreeClock = Pick<LineagePage, 'now' | 'tick' | 'tickRate' | 'times'>;

/** The wall clock of a tick, ms. */
export const dateOf = (clock: TreeClock, tick: number): number => timesOf(clock).dateOf(tick);

/** Both ways between ticks and the wall clock, ms. */
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
 * A time of day, with the date if it is another than the tree's.
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

/** As `timeMarks` in the reader's time zone, with their texts. */
export function namedMarks(
  layout: Pick<TreeLayout, 'time' | 'start'>,
  clock: TreeClock,
  apart: number,
  locale: string,
): { readonly x: number; readonly text: string }[] {
  return timeMarks(layout, clock, apart).map(({ x, at }) => ({
    x,
    text: momentIn(locale, clock, at),
  }));
}

/**
 * Round times, as dense as there is room for.
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
  // Coarse times come first, so that finer ones fill what is left.
  for (const each of [...SPANS].reverse()) {
    if (each < span) break;
    // A round time where the clock is put forward or back may be missing, or come twice.
    for (let round = Math.ceil((first + zoneAt(first)) / each) * each; ; round += each) {
      const at = round - zoneAt(round - zoneAt(round));
      if (at > last) break;
      const x = placeOf(at);
      if (marks.every((other) => Math.abs(other.x - x) >= apart)) marks.push({ x, at });
    }
  }
  return marks.sort((a, b) => a.x - b.x);
}
