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
import type { TreeNode } from './layout.ts';

const NOBODY = { participants: new Map(), you: undefined };

export const nameOf = (organism: LineageOrganism): string => capitalized(organismName(organism));

/**
 * Returns the capitalized name of an organism and the name of its planter, '' if the planter has
 * none.
 */
export const namesOf = ({ organism }: Pick<TreeNode, 'organism'>) =>
  [nameOf(organism), planterName(organism, NOBODY)] as const;

export const plantedText = (organism: LineageOrganism): string => planterText(organism, NOBODY);

/** Says how an organism's life ended, or that the organism lives. */
export function endText({ died, cause }: LineageOrganism): string {
  if (died === undefined) return msg('lives');
  if (cause === 'departed') return msg('has left');
  if (cause === 'killed') return msg('died of its wounds');
  if (cause === 'removed') return msg('removed by the host');
  return msg('lost its last cell');
}

/** Lists an organism's earlier kinds, oldest first; '' if there are none. */
export function wasText({ was = [] }: LineageOrganism): string {
  if (was.length === 0) return '';
  const list = new Intl.ListFormat(formats(), { type: 'unit' }).format(was.map(kindName));
  return msg(str`it was ${list}`);
}

/** Lists the people who have grafted parts onto an organism; '' if there are none. */
export function graftedText({ parts = [] }: LineageOrganism): string {
  const names = parts.flatMap(({ by }) =>
    by ? [planterName({ planter: by }, NOBODY) || msg('a visitor')] : [],
  );
  if (names.length === 0) return '';
  const list = new Intl.ListFormat(formats(), { type: 'unit' }).format(new Set(names));
  return msg(str`grafted by ${list}`);
}

/** Formats the times of an organism's birth and death. */
export function spanText(clock: TreeClock, { born, died }: LineageOrganism): string {
  const moment = (tick: number): string => momentIn(formats(), clock, dateOf(clock, tick));
  // `born` counts the ticks before the one in which the organism was planted. The machine may have
  // been off between the two.
  const from = moment(born + 1);
  if (died === undefined) return msg(str`since ${from}`);
  const to = moment(died);
  return from === to ? from : `${from} – ${to}`;
}

/**
 * Describes the size of a tree: the numbers of organisms, of generations, and of organisms that the
 * server has forgotten.
 */
export function sizeText(
  { organisms, forgotten }: LineageTree,
  nodes: readonly Pick<TreeNode, 'generation'>[],
): string {
  const generations = Math.max(...nodes.map(({ generation }) => generation));
  const count = organisms.length;
  const all = plural(count, msg('one creature'), msg(str`${number(count)} creatures`));
  const deep = plural(
    generations,
    msg('one generation'),
    msg(str`${number(generations)} generations`),
  );
  const parts = [all, deep];
  if (forgotten > 0) {
    parts.push(
      plural(forgotten, msg('one more not shown'), msg(str`${number(forgotten)} more not shown`)),
    );
  }
  return parts.join(' · ');
}

/** The fields of a tree's data that are needed to convert ticks to wall-clock times. */
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
 * Formats a time of day in the browser's time zone. Adds the date if it differs from the date of
 * `now`, the time at which the tree was fetched.
 *
 * @param locale language tag
 * @param at the time to format, in ms since 1970
 */
export function momentIn(locale: string, { now }: Pick<TreeClock, 'now'>, at: number): string {
  const time = { hour: '2-digit', minute: '2-digit' } as const;
  const isToday = new Date(at).toDateString() === new Date(now).toDateString();
  const day = isToday ? {} : ({ day: 'numeric', month: 'short' } as const);
  return new Intl.DateTimeFormat(locale, { ...day, ...time }).format(at);
}
