/** Formats figures as text. */

import type { Likeness } from './compare-pictures.ts';
import type { Figures } from './evaluate.ts';
import type { Recovery } from './wound-recovery.ts';

const percent = (share: number): string => `${Number((100 * share).toFixed(1))} %`;
const shown = (x: number | null): string => (x === null ? '–' : `${Number(x.toPrecision(4))}`);
const row = (label: string, text: string): string => `${label.padEnd(24)}${text}`;
const alike = ({ share, strict, mse }: Likeness): string =>
  `${percent(share)} look the same (${percent(strict)} strictly), error ${shown(mse)}`;

/** Returns entries sorted by the number in their key. */
const byNumber = <T>(record: Readonly<Record<string, T>>): [string, T][] =>
  Object.entries(record).sort(([a], [b]) => Number(a) - Number(b));

/**
 * Describes how organisms rest and heal, and which images they resemble. Empty for a model without
 * cells.
 */
function organismLines({ chimeras, cycles, retrieval, throws, ...figures }: Figures): string[] {
  const lines: string[] = [];
  const add = (what: string, recovery: Recovery): void => {
    for (const [steps, found] of byNumber(recovery)) {
      lines.push(row(`${what}, +${steps}`, alike(found)));
    }
  };
  if (cycles !== null) lines.push(row('still move', percent(cycles)));
  for (const [share, found] of byNumber(figures.heal)) {
    add(`${percent(Number(share))} wounded`, found);
  }
  for (const [share, found] of byNumber(figures.healFromRim)) {
    add(`${percent(Number(share))}, from the rim`, found);
  }
  add('half, from the rim', figures.closing);
  add('a disc left', figures.discLeft);
  add('nothing left', figures.erased);
  const { grown, healed } = retrieval;
  for (const [what, share] of Object.entries({ grown, ...healed })) {
    if (share !== null) lines.push(row(`retrieved, ${what}`, percent(share)));
  }
  if (throws) {
    const { precision, recall, hold } = throws;
    lines.push(row(`${throws.throws} throws`, `${percent(hold)} hold`));
    if (precision !== null && recall !== null) {
      lines.push(row('', `precision ${shown(precision)}, recall ${shown(recall)}`));
    }
  }
  if (chimeras) {
    const { chimeras: count, rests, failed, ...shares } = chimeras;
    const by = byNumber(rests).map(([steps, share]): [string, number] => [
      `rests, +${steps}`,
      share,
    ]);
    const text = [...by, ...Object.entries(shares)].map(([key, of]) => `${key} ${percent(of)}`);
    lines.push(row(`${count} chimeras`, text.join(', ')));
    if (failed.length > 0) lines.push(row('', `failed: ${failed.join(', ')}`));
  }
  return lines;
}

/** Describes all figures, one line per figure. */
export function describe(figures: Figures): string {
  const { elbo, iwae, likelihood, grown, unseen, edges, stay, probe } = figures;
  const error = likelihood ? ` ± ${shown(likelihood.standardError)}` : '';
  const bits = iwae.bitsPerDim === null ? '' : `, ${shown(iwae.bitsPerDim)} bits/dim`;
  const lines = [
    row('ELBO', `${shown(elbo)} nats`),
    row(`IWAE, ${iwae.samples} samples`, `${shown(iwae.nats)} nats${error}${bits}`),
    row('error when grown', `${shown(grown.mse)}; of the gallery ${shown(grown.gallery)}`),
  ];
  if (unseen) lines.push(row('error, never seen', `${shown(unseen.mse)} of ${unseen.images}`));
  if (edges !== null) lines.push(row('edges', `${percent(edges)} of those of the images`));
  for (const [steps, found] of byNumber(stay)) {
    lines.push(row(`after ${steps} steps`, alike(found)));
  }
  lines.push(...organismLines(figures));
  if (probe) {
    const others = `${percent(probe.byOrganism)} of unseen organisms, guessing ${percent(probe.guess)}`;
    lines.push(row(`a cell tells its ${probe.of}`, `${percent(probe.byCell)} (${others})`));
  }
  const { parameters, macPerCellStep } = figures;
  const cost = `${macPerCellStep} multiply-adds a cell and step`;
  lines.push(row('update net', `${parameters} parameters, ${cost}`));
  return [...lines, ...figures.notes.map((note) => `note: ${note}`)].join('\n');
}
