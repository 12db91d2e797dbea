/**
 * Implements `npm run figures`, which writes checkpoints/FIGURES.md from the cards of the shipped
 * checkpoints. With `--check`, the command only reports whether FIGURES.md is out of date.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../../settings/document.ts';
import { growthSchedule } from '../../vnca/architecture.ts';
import { type Card, parseCard } from '../../vnca/card.ts';
import type { Evaluation } from './evaluate.ts';

type Figures = Evaluation['figures'];
interface Checkpoint {
  readonly card: Card;
  readonly figures: Figures;
}

const FOLDER = fileURLToPath(new URL('../../../checkpoints/', import.meta.url));
const NAMES = ['organisms', 'digits', 'digits-heal'];
const STEPS = ['8', '16', '24', '32', '64'];

/**
 * Figures of other models: mean log-likelihood of a test digit, in nats, and multiply-adds per
 * digit, in millions. "Published" figures are from Palm et al. 2022, "reproduced" ones from Aillet
 * and Sondén 2023.
 */
const OTHERS: readonly (readonly [model: string, nats: number, millions: number])[] = [
  ['neural cellular automaton that grows by cell division (published figures)', -84.23, 12_900],
  ['neural cellular automaton that grows by cell division (reproduced figures)', -84.15, 12_900],
  ['neural cellular automaton that heals (published figures)', -90.97, 8_200],
  ['neural cellular automaton that heals (reproduced figures)', -89.3, 6_000],
  ['autoencoder without cells (reproduced figures)', -84.64, 54],
];

const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const head = (...cells: readonly string[]): string[] => [
  row(...cells),
  row(...cells.map(() => '---')),
];
const percent = (share: number): string => `${Math.round(100 * share)}`;
const thousands = (count: number): string => Math.round(count).toLocaleString('en');

function readCheckpoint(name: string): Checkpoint {
  const file = `${FOLDER}${name}/card.json`;
  const value = JSON.parse(readFileSync(file, 'utf8'));
  return { card: parseCard(value, file), figures: value.figures };
}

/** Returns the number of multiply-adds for growing one organism, in millions. */
function growthCost({ card, figures: { macPerCellStep } }: Checkpoint): number {
  const cellSteps = growthSchedule(card).reduce((sum, { stage }) => sum + stage ** 2, 0);
  return (cellSteps * macPerCellStep) / 1e6;
}

function recoveryTable({ figures }: Checkpoint): string[] {
  const { heal, healFromRim, closing, discLeft, erased } = figures;
  const shares = Object.keys(heal).sort((a, b) => Number(a) - Number(b));
  const kinds = [
    ...shares.map(
      (share) => [`${percent(Number(share))} %`, heal[share], healFromRim[share]] as const,
    ),
    ['half, always a straight cut', undefined, closing] as const,
    ['all but a disc of radius 5', undefined, discLeft] as const,
    ['everything', erased, undefined] as const,
  ];
  const cell =
    (recovery: (typeof heal)[string] | undefined) =>
    (steps: string): string =>
      recovery ? `${percent(recovery[steps].share)} / ${percent(recovery[steps].strict)}` : '';
  return [
    ...head(
      'lost',
      ...STEPS.map((n) => `immediately: ${n} steps`),
      ...STEPS.map((n) => `from the rim: ${n} steps`),
    ),
    ...kinds.map(([what, once, rim]) =>
      row(what, ...STEPS.map(cell(once)), ...STEPS.map(cell(rim))),
    ),
  ];
}

function chimeraRow({ card, figures: { chimeras } }: Checkpoint): string[] {
  if (!chimeras) return [];
  const { rests, same, heals, grows, flashes } = chimeras;
  const shares = [...['32', '64', '128', '256'].map((n) => rests[n]), same, heals, grows, flashes];
  return [row(`\`${card.name}\``, ...shares.map((share) => percent(share ?? 0)))];
}

function page(all: readonly Checkpoint[]): string {
  const digits = all
    .filter(({ card }) => card.readout.kind === 'bernoulli')
    .map((one) => [`\`${one.card.name}\``, one.figures.iwae.nats!, growthCost(one)] as const);
  return [
    '# What the shipped checkpoints can do',
    '',
    '<!-- Written by `npm run figures` from the cards of the checkpoints. Do not edit by hand. -->',
    '',
    '`npm run evaluate` measures the figures on this page ([TRAINING.md](../server/training/TRAINING.md#evaluate) explains how).',
    '',
    '## Likelihood and work',
    '',
    'The column "nats" shows how well a model predicts the test digits of MNIST: the lower bound of the log-likelihood, log p(x), estimated with 128 samples, in nats per digit (higher is better). The column "multiply-adds" shows how much a model computes to draw one digit from a latent (list of numbers). Each grey pixel of the test digits was turned into ink or background at random (its grey value is the probability of ink), so our likelihoods are only roughly comparable with published ones.',
    '',
    ...head('model', 'nats', 'multiply-adds, millions'),
    ...[...digits, ...OTHERS].map(([model, nats, millions]) =>
      row(model, nats.toFixed(2).replace('-', '−'), thousands(millions)),
    ),
    '',
    '"Published" figures are from Palm et al. 2022 (variational neural cellular automata, VNCA), and "reproduced" figures from Aillet and Sondén 2023.',
    '',
    '## Recovery from wounds',
    '',
    `The column "lost" shows which part of an organism's patch (square of cells) was lost. A pair such as 87 / 4 means: 87 % of the organisms have regained their picture from before the wound with a mean squared difference of at most 0.01, and 4 % with a difference of at most 0.002. In the columns "immediately", all lost cells can grow back from the first step after the wound. In the columns "from the rim", wounds close gradually from their rim, as in rooms: a lost cell can grow back only when the closing rim has reached the cell.`,
    ...all.flatMap((one) => [
      '',
      `### \`${one.card.name}\`: ${one.figures.organisms} organisms`,
      '',
      `![Curves of recovery](${one.card.name}/wounds.png)`,
      '',
      ...recoveryTable(one),
    ]),
    '',
    '## Chimeras',
    '',
    'The next table is about 200 random chimeras of each checkpoint. Each number is the percentage of chimeras for which the column title is true. A chimera is an organism that combines the genomes of two or three creatures. No checkpoint was trained on chimeras.',
    '',
    ...head(
      'checkpoint',
      ...['32', '64', '128', '256'].map((n) => `at rest after ${n} steps`),
      'same picture after 1,000 steps',
      'same picture 64 steps after half of the square of cells was lost',
      'same picture when grown again from a seed with the same grafts',
      'flashing after grafting',
    ),
    ...all.flatMap(chimeraRow),
    '',
  ].join('\n');
}

const COMMAND = {
  about: 'Writes checkpoints/FIGURES.md from the cards of the checkpoints.',
  usage: 'npm run figures [-- --check]',
  options: { check: { help: 'write nothing; fail if the page is out of date' } },
};

await runCommand(COMMAND, ({ check }) => {
  const text = page(NAMES.map(readCheckpoint));
  const file = `${FOLDER}FIGURES.md`;
  if (!check) writeFileSync(file, text);
  else if (readFileSync(file, 'utf8') !== text) {
    console.error('checkpoints/FIGURES.md is out of date; run: npm run figures');
    process.exitCode = 1;
  }
});
