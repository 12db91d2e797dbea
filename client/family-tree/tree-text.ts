/** Texts about a family tree and its organisms. */
import { msg, str } from '@lit/localize';
import type { LineageOrganism, LineageTree } from '../../shared/lineage.ts';
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
import { dateOf, momentIn, type TreeClock } from './time-marks.ts';

const NOBODY = { participants: new Map(), you: undefined };

/** Its name, to begin a sentence. */
export const nameOf = (organism: LineageOrganism): string => capitalized(organismName(organism));

/** Its planter's name; '' for one without. */
export const planterOf = (organism: LineageOrganism): string => planterName(organism, NOBODY);

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

/** A time of day, with the date if it is another than the tree's. */
export function momentText(clock: TreeClock, tick: number): string {
  return momentIn(formats(), clock, dateOf(clock, tick));
}

/** From when to when it lived. */
export function spanText(clock: TreeClock, { born, died }: LineageOrganism): string {
  const from = momentText(clock, born);
  if (died === undefined) return msg(str`since ${from}`);
  const to = momentText(clock, died);
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
