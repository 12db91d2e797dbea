/** What was counted, added up for the span that the host looks at. Pure. */
import { msg, str } from '@lit/localize';
import {
  type DayStatistics,
  DWELL_SPANS,
  HEAT_SIDE,
  type HourStatistics,
  type Statistics,
} from '../../shared/host/statistics.ts';
import { language } from '../locale/locale.ts';

/** One bar of a bar chart. */
export interface Bar {
  /** Text below the bar; may be empty. */
  readonly tick: string;
  /** Full name of the bar. */
  readonly label: string;
  readonly value: number;
}

export type Span = 'today' | 'yesterday' | 'week' | 'month';
export type Counted = 'visits' | 'seeds' | 'wounds';
type Sums = Omit<DayStatistics, 'day'>;

const DAY = 86_400_000;

/** '2026-11-25' of the server's clock. */
function dayOf(now: number, zone: number, ago: number): string {
  return new Date(now + zone * 60_000 - ago * DAY).toISOString().slice(0, 10);
}

/** One column of the charts: an hour or a day, with what was counted in it. */
interface Column {
  readonly tick: string;
  readonly label: string;
  readonly sums: Sums | undefined;
}

export function columnsOf(all: Statistics, span: Span, now: number, zone: number): Column[] {
  if (span === 'today' || span === 'yesterday') {
    const day = dayOf(now, zone, span === 'today' ? 0 : 1);
    const hours = new Map<string, HourStatistics>(all.hours.map((each) => [each.hour, each]));
    return Array.from({ length: 24 }, (_, hour) => {
      const two = String(hour).padStart(2, '0');
      return {
        tick: hour % 3 === 0 ? two : '',
        label: `${two}:00–${String(hour + 1).padStart(2, '0')}:00`,
        sums: hours.get(`${day}T${two}`),
      };
    });
  }
  const count = span === 'week' ? 7 : 30;
  const days = new Map<string, DayStatistics>(all.days.map((each) => [each.day, each]));
  return Array.from({ length: count }, (_, i) => {
    const day = dayOf(now, zone, count - 1 - i);
    const date = new Date(day);
    const short =
      count === 7
        ? date.toLocaleDateString(language(), { weekday: 'short', timeZone: 'UTC' })
        : String(date.getUTCDate());
    return {
      tick: count === 7 || (count - 1 - i) % 5 === 0 ? short : '',
      label: date.toLocaleDateString(language(), {
        weekday: 'long',
        day: 'numeric',
        month: 'long',
        timeZone: 'UTC',
      }),
      sums: days.get(day),
    };
  });
}

export function bars(columns: readonly Column[], what: Counted): Bar[] {
  return columns.map(({ tick, label, sums }) => ({ tick, label, value: sums?.[what] ?? 0 }));
}

export interface Total {
  readonly visits: number;
  readonly seeds: number;
  readonly wounds: number;
  readonly crosses: number;
  /** Most visitors at once. */
  readonly most: number;
  readonly dwell: readonly number[];
  readonly heat: readonly number[];
}

export function total(columns: readonly Column[]): Total {
  const dwell = Array.from({ length: DWELL_SPANS.length + 1 }, () => 0);
  const heat = Array.from({ length: HEAT_SIDE * HEAT_SIDE }, () => 0);
  const sums = { visits: 0, seeds: 0, wounds: 0, crosses: 0, most: 0 };
  for (const { sums: part } of columns) {
    if (!part) continue;
    sums.visits += part.visits;
    sums.seeds += part.seeds;
    sums.wounds += part.wounds;
    sums.crosses += part.crosses;
    sums.most = Math.max(sums.most, part.most);
    for (const [i, n] of part.dwell.entries()) dwell[i]! += n;
    for (const [i, n] of part.heat.entries()) heat[i]! += n;
  }
  return { ...sums, dwell, heat };
}

const short = (seconds: number): string =>
  seconds < 60 ? msg(str`${seconds} s`) : msg(str`${seconds / 60} min`);

function dwellLabel(from: number, to: number | undefined): string {
  if (to === undefined) return msg(str`more than ${short(from)}`);
  return from === 0 ? msg(str`less than ${short(to)}`) : msg(str`${short(from)} to ${short(to)}`);
}

export function dwellBars(dwell: readonly number[]): Bar[] {
  return dwell.map((value, i) => {
    const from = DWELL_SPANS[i - 1] ?? 0;
    const to = DWELL_SPANS[i];
    const tick = to === undefined ? msg('more') : to < 60 ? `${to}″` : `${to / 60}′`;
    return { tick, label: dwellLabel(from, to), value };
  });
}

/** Within which span the middle one of all visits lies, in words; undefined without visits. */
export function middleStay(dwell: readonly number[]): string | undefined {
  const all = dwell.reduce((sum, n) => sum + n, 0);
  if (all === 0) return undefined;
  let passed = 0;
  const at = dwell.findIndex((n) => {
    passed += n;
    return passed * 2 >= all;
  });
  return dwellBars(dwell)[at]?.label;
}

/** The next round number: 1, 2, 3, 4, 5, 6, 8, 10, 20 … */
export function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  return [1, 2, 3, 4, 5, 6, 8, 10].map((n) => n * power).find((n) => n >= value) ?? 10 * power;
}

/** Ninths of a picture in words, row by row. */
const NINTHS = [
  [msg('at the upper left'), msg('at the top'), msg('at the upper right')],
  [msg('at the left'), msg('in the middle'), msg('at the right')],
  [msg('at the lower left'), msg('at the bottom'), msg('at the lower right')],
];

export interface Heat {
  readonly columns: number;
  readonly rows: number;
  /** Row by row. */
  readonly counts: readonly number[];
}

/** How much of all lies in each ninth, the most first. */
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
