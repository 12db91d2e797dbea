/** Visit statistics for the charts: sums over a period, bars, medians, busiest places. */
import { msg, str } from '@lit/localize';
import {
  type DayStatistics,
  DWELL_SPANS,
  HEAT_SIDE,
  type Statistics,
} from '../../shared/host/state.ts';
import { number } from '../elements/text.ts';
import { formats } from '../locale/locale.ts';
import { localTime } from './local-time.ts';

/** One bar of a bar chart. */
export interface Bar {
  /** Text below the bar; may be empty. */
  readonly tick: string;
  /** Full name of the bar. */
  readonly label: string;
  readonly value: number;
}

/** The period that is shown. */
export type Span = 'today' | 'yesterday' | 'week' | 'month';
/** What a bar chart can show. */
export type Counted = 'visits' | 'seeds' | 'wounds';
type Sums = Omit<DayStatistics, 'day'>;

const DAY = 86_400_000;

const twoDigits = (n: number): string => String(n).padStart(2, '0');

/** Date at the server, `ago` days before now: '2026-11-25'. */
function dayOf(now: number, zone: string, ago: number): string {
  return new Date(localTime(now, zone) - ago * DAY).toISOString().slice(0, 10);
}

/** One hour or day with its counts. */
interface Column {
  readonly tick: string;
  readonly label: string;
  readonly sums: Sums | undefined;
}

/**
 * The columns of a period: 24 hours, 7 days or 30 days, the oldest first.
 *
 * @param now ms since 1970
 * @param zone of the server, such as 'Europe/Copenhagen'
 */
export function columnsOf(all: Statistics, span: Span, now: number, zone: string): Column[] {
  if (span === 'today' || span === 'yesterday') {
    const day = dayOf(now, zone, span === 'today' ? 0 : 1);
    const hours = new Map(all.hours.map((each) => [each.hour, each]));
    return Array.from({ length: 24 }, (_, hour) => {
      const start = twoDigits(hour);
      const label = `${start}:00–${twoDigits(hour + 1)}:00`;
      return { tick: hour % 3 === 0 ? start : '', label, sums: hours.get(`${day}T${start}`) };
    });
  }
  const count = span === 'week' ? 7 : 30;
  const days = new Map(all.days.map((each) => [each.day, each]));
  return Array.from({ length: count }, (_, i) => {
    const day = dayOf(now, zone, count - 1 - i);
    const date = new Date(day);
    const short =
      count === 7
        ? date.toLocaleDateString(formats(), { weekday: 'short', timeZone: 'UTC' })
        : number(date.getUTCDate());
    return {
      tick: count === 7 || (count - 1 - i) % 5 === 0 ? short : '',
      label: date.toLocaleDateString(formats(), {
        weekday: 'long',
        day: 'numeric',
        month: 'long',
        timeZone: 'UTC',
      }),
      sums: days.get(day),
    };
  });
}

/** The bars for one of the counts. */
export function bars(columns: readonly Column[], what: Counted): Bar[] {
  return columns.map(({ tick, label, sums }) => ({ tick, label, value: sums?.[what] ?? 0 }));
}

/** Sums over a period. */
export interface Total {
  readonly visits: number;
  readonly seeds: number;
  readonly wounds: number;
  readonly crosses: number;
  /** Most visitors at once. */
  readonly most: number;
  /** Visits by duration, in the spans of `DWELL_SPANS`. */
  readonly dwell: readonly number[];
  /** Actions by place, row by row, [HEAT_SIDE, HEAT_SIDE]. */
  readonly heat: readonly number[];
}

/** Adds up the columns of a period. */
export function total(columns: readonly Column[]): Total {
  const dwell = Array.from({ length: DWELL_SPANS.length + 1 }, () => 0);
  const heat = Array.from({ length: HEAT_SIDE * HEAT_SIDE }, () => 0);
  const sums = { visits: 0, seeds: 0, wounds: 0, crosses: 0, most: 0 };
  for (const { sums: part } of columns) {
    if (!part) continue;
    for (const what of ['visits', 'seeds', 'wounds', 'crosses'] as const) sums[what] += part[what];
    sums.most = Math.max(sums.most, part.most);
    for (const [i, n] of part.dwell.entries()) dwell[i]! += n;
    for (const [i, n] of part.heat.entries()) heat[i]! += n;
  }
  return { ...sums, dwell, heat };
}

/** A time as short as it can be written: '30 s', '5 min'. */
export const shortSpan = (seconds: number): string =>
  seconds < 60 ? msg(str`${number(seconds)} s`) : msg(str`${number(seconds / 60)} min`);

function dwellLabel(from: number, to: number | undefined): string {
  if (to === undefined) return msg(str`more than ${shortSpan(from)}`);
  return from === 0
    ? msg(str`less than ${shortSpan(to)}`)
    : msg(str`${shortSpan(from)} to ${shortSpan(to)}`);
}

/** The bars for visits by duration. */
export function dwellBars(dwell: readonly number[]): Bar[] {
  return dwell.map((value, i) => {
    const from = DWELL_SPANS[i - 1] ?? 0;
    const to = DWELL_SPANS[i];
    const tick = to === undefined ? msg('more') : to < 60 ? `${to}″` : `${to / 60}′`;
    return { tick, label: dwellLabel(from, to), value };
  });
}

/** The duration span of the median visit, in words; undefined without visits. */
export function medianStay(dwell: readonly number[]): string | undefined {
  const all = dwell.reduce((a, b) => a + b, 0);
  if (all === 0) return undefined;
  let sum = 0;
  const median = dwell.findIndex((n) => (sum += n) * 2 >= all);
  return dwellBars(dwell)[median]?.label;
}

/** The next round number up: 1, 2, 3, 4, 5, 6, 8, 10, 20 … */
export function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  return [1, 2, 3, 4, 5, 6, 8, 10].map((n) => n * power).find((n) => n >= value) ?? 10 * power;
}

/** Names of the nine parts of a picture, row by row. */
const NINTHS = [
  [msg('at the top left'), msg('at the top'), msg('at the top right')],
  [msg('on the left'), msg('in the middle'), msg('on the right')],
  [msg('at the bottom left'), msg('at the bottom'), msg('at the bottom right')],
];

/** Counts on a coarse grid. */
export interface Heat {
  readonly columns: number;
  readonly rows: number;
  /** Row by row. */
  readonly counts: readonly number[];
}

/** The share of all counts in each ninth of the picture, the largest first. */
export function ninths({ columns, rows, counts }: Heat): { where: string; share: number }[] {
  const sums = new Map<string, number>();
  let all = 0;
  for (const [i, count] of counts.entries()) {
    const column = Math.floor(((i % columns) * 3) / columns);
    const row = Math.floor((Math.floor(i / columns) * 3) / rows);
    const where = NINTHS[row]?.[column] ?? '';
    sums.set(where, (sums.get(where) ?? 0) + count);
    all += count;
  }
  return [...sums]
    .map(([where, sum]) => ({ where, share: all === 0 ? 0 : sum / all }))
    .sort((a, b) => b.share - a.share);
}
