/** Texts about a family tree and its organisms. */

import { msg, str } from '@lit/localize';
import type { LineageOrganism, LineagePage, LineageTree } from '../../shared/lineage.ts';
import { interpolate } from '../../shared/time-points.ts';
import {
  capitalized,
  kindName,
  number,
  organismName,
  planterName,
  planterText,
  plural,
} from '../elements/text.ts';
import { formats } from '../locale/locale.ts';
import type { TreeLayout, TreeNode } from './layout.ts';

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

const NOBODY = { participants: new Map(), you: undefined };

/** Its name, to begin a sentence. */
export const nameOf = (organism: LineageOrganism): string => capitalized(organismName(organism));

/** An organism's name, to begin a sentence, and its planter's; '' for one without. */
export const namesOf = ({ organism }: Pick<TreeNode, 'organism'>) =>
  [nameOf(organism), planterName(organism, NOBODY)] as const;

/** "Planted by …". */
export const plantedText = (organism: LineageOrganism): string => planterText(organism, NOBODY);

/** How its life ended, or that it has not. */
export function endText({ died, cause }: LineageOrganism): string {
  if (died === undefined) return msg('lives');
  if (cause === 'departed') return msg('departed');
  if (cause === 'killed') return msg('killed by wounds');
  if (cause === 'removed') return msg('removed by the host');
  return msg('lost its last cell');
}

/** What it was before, oldest first; '' if nothing else. */
export function wasText({ was = [] }: LineageOrganism): string {
  if (was.length === 0) return '';
  const list = new Intl.ListFormat(formats(), { type: 'unit' }).format(was.map(kindName));
  return msg(str`it was ${list}`);
}

/** From when to when it lived. */
export function spanText(clock: TreeClock, { born, died }: LineageOrganism): string {
  const moment = (tick: number): string => momentIn(formats(), clock, dateOf(clock, tick));
  const from = moment(born);
  if (died === undefined) return msg(str`since ${from}`);
  const to = moment(died);
  return from === to ? from : `${from} – ${to}`;
}

/** How many organisms there are in how many generations, and how many others are forgotten. */
export function sizeText({ organisms, forgotten }: LineageTree, generations: number): string {
  const count = organisms.length;
  const all = plural(count, msg('one organism'), msg(str`${number(count)} organisms`));
  const deep = plural(
    generations,
    msg('one generation'),
    msg(str`${number(generations)} generations`),
  );
  const parts = [all, deep];
  if (forgotten > 0) {
    parts.push(
      plural(forgotten, msg('one more left out'), msg(str`${number(forgotten)} more left out`)),
    );
  }
  return parts.join(' · ');
}
