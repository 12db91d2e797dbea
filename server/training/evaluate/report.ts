/** Prints figures as text. */
import type { Figures } from './evaluate.ts';

const percent = (share: number): string => `${Number((100 * share).toFixed(1))} %`;
const shown = (x: number | null): string => (x === null ? '–' : `${Number(x.toPrecision(4))}`);
const row = (label: string, text: string): string => `${label.padEnd(24)}${text}`;
const alike = ({ share, mse }: { share: number; mse: number }): string =>
  `${percent(share)} look the same, error ${shown(mse)}`;

/** Entries sorted by the number in their key. */
const byNumber = <T>(record: Readonly<Record<string, T>>): [string, T][] =>
  Object.entries(record).sort(([a], [b]) => Number(a) - Number(b));

/** One line per figure. */
export function describe(figures: Figures): string {
  const { elbo, iwae, likelihood, grown, stay, heal, probe, robustness } = figures;
  const error = likelihood ? ` ± ${shown(likelihood.standardError)}` : '';
  const bits = iwae.bitsPerDim === null ? '' : `, ${shown(iwae.bitsPerDim)} bits/dim`;
  const lines = [
    row('ELBO', `${shown(elbo)} nats`),
    row(`IWAE, ${iwae.samples} samples`, `${shown(iwae.nats)} nats${error}${bits}`),
    row('error when grown', shown(grown.mse)),
  ];
  for (const [steps, found] of byNumber(stay)) {
    lines.push(row(`after ${steps} steps`, alike(found)));
  }
  for (const [wound, curve] of byNumber(heal)) {
    for (const [steps, found] of byNumber(curve)) {
      lines.push(row(`${percent(Number(wound))} wounded, +${steps}`, alike(found)));
    }
  }
  for (const [radius, { finite, largest }] of byNumber(robustness)) {
    const numbers = `${percent(finite)} finite, largest number ${shown(largest)}`;
    lines.push(row(`latents of ${radius} × √Z`, numbers));
  }
  if (probe) {
    const others = `${percent(probe.byOrganism)} of unseen organisms, guessing ${percent(probe.guess)}`;
    lines.push(row(`a cell tells its ${probe.of}`, `${percent(probe.byCell)} (${others})`));
  }
  const { parameters, macPerCellStep } = figures;
  const cost = `${macPerCellStep} multiply-adds a cell and step`;
  lines.push(row('update net', `${parameters} parameters, ${cost}`));
  return [...lines, ...figures.notes.map((note) => `note: ${note}`)].join('\n');
}
