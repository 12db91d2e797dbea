/**
 * Chooses the moments that a time axis labels. Contains no words, because walls show several
 * languages.
 */
import type { LineagePage } from '../../shared/lineage.ts';
import { interpolate } from '../../shared/time-points.ts';
import type { TreeLayout } from './layout.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Candidates for the interval between two marks, in ms. */
const SPANS = [MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 24 * HOUR];

/**
 * Formatters for each language and kind. They are cached, because creating one is slow and every
 * frame writes times.
 */
const FORMATS = new Map<string, Intl.DateTimeFormat>();

/** The part of a tree's data that maps ticks to the wall clock. */
export type TreeClock = Pick<LineagePage, 'now' | 'tick' | 'tickRate' | 'times'>;

/** Returns the wall-clock time of a tick, in ms. */
export const dateOf = (clock: TreeClock, tick: number): number => timesOf(clock).dateOf(tick);

/** Returns conversions between ticks and wall-clock time, in ms. */
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

/**
 * Chooses as many round times as fit on the axis.
 *
 * @param apart minimum distance between two marks, in the layout's unit
 * @param zoneAt returns the time zone's offset at a moment, in ms; summer time changes it
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
  // Place coarse times first, so that finer times fill the gaps.
  for (const each of [...SPANS].reverse()) {
    if (each < span) break;
    // Step in local time, so that marks stay round when summer time begins or ends. A local time
    // may then be missing or occur twice.
    for (let round = Math.ceil((first + zoneAt(first)) / each) * each; ; round += each) {
      const at = round - zoneAt(round - zoneAt(round));
      if (at > last) break;
      const x = placeOf(at);
      if (marks.every((other) => Math.abs(other.x - x) >= apart)) marks.push({ x, at });
    }
  }
  return marks.sort((a, b) => a.x - b.x);
}
