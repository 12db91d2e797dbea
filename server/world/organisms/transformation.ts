/**
 * Transforms organisms. An organism immediately counts as the creature of the new seed, while the
 * seed's genome spreads over the cells in a wave (rules TRF-1 and TRF-4 … TRF-6).
 */
import { type Genomes, MAX_GENOMES } from '../../vnca/chimera.ts';
import { type Changing, genomesOf, type Seed } from './grafts.ts';

/** Number of cells by which the wave of a transformation advances per step. */
const WAVE_SPEED = 2;
/** Number of steps after a graft during which an organism releases no positions. */
const GRAFT_STEPS = 8;
/** Maximum number of former kinds that an organism remembers. */
export const MAX_FORMER = 8;

/**
 * Turns an organism into the creature of another seed. The cells change over several steps.
 *
 * @param at position on the grid from which the new genome spreads, in cells; if absent, the middle
 *   of the organism
 * @param tick number of completed ticks
 */
export function become(
  organism: Changing,
  into: Seed,
  tick: number,
  at?: { readonly x: number; readonly y: number },
): void {
  const { kind, origin, was = [] } = organism;
  const { x, y, width: side } = organism.window;
  const before = genomesNow(organism);
  organism.was = [...was, { kind, origin, until: tick }].slice(-MAX_FORMER);
  organism.expression = undefined;
  organism.grafts = undefined;
  Object.assign(organism, into);
  const inside = (value: number): number => Math.max(0, Math.min(side - 1, Math.floor(value)));
  const from = { x: inside(at ? at.x - x : side / 2), y: inside(at ? at.y - y : side / 2) };
  const old = withLargest(before, MAX_GENOMES - genomesOf(organism).latents.length);
  const wave = old && { ...from, latents: [...old.latents], labels: old.labels };
  beginChange(organism, wave ? stepsOf(from, side) : GRAFT_STEPS, wave);
}

/**
 * Starts the gradual change of an organism's cells. Call after the organism's grafts have changed.
 * Ends any transformation that is in progress.
 */
export function followGrafts(organism: Changing): void {
  beginChange(organism, GRAFT_STEPS);
}

function beginChange(
  organism: Changing,
  stepsLeft: number,
  wave?: NonNullable<Changing['transforming']>['wave'],
): void {
  organism.transforming = { stepsLeft, ...(wave && { wave }) };
  // The organism's shape changes, so its size before a wound no longer matters. Record 0 cells, so
  // that the wound counts as healed as soon as the organism rests.
  if (organism.hurt !== undefined) organism.hurt = 0;
  organism.stirs = 0;
  organism.mustExpress = true;
}

/**
 * Returns the number of steps after which a wave from a position has reached all cells of a window.
 */
function stepsOf({ x, y }: { readonly x: number; readonly y: number }, side: number): number {
  const farthest = Math.hypot(Math.max(x, side - 1 - x), Math.max(y, side - 1 - y));
  return Math.ceil(farthest / WAVE_SPEED);
}

/**
 * Returns the genomes that an organism's cells read in a step.
 *
 * @param stepsLeft remaining steps of a transformation, including this step
 */
function genomesInStep(
  organism: Omit<Changing, 'mustExpress'>,
  stepsLeft: number | undefined = 0,
): Genomes {
  const { expression, transforming, window } = organism;
  if (expression) return { latents: [expression.latent] };
  const into = genomesOf(organism);
  const wave = transforming?.wave;
  if (!wave || stepsLeft <= 1) return into;
  const side = window.width;
  const front = WAVE_SPEED * (stepsOf(wave, side) - stepsLeft + 1);
  const labels = new Uint8Array(side * side);
  for (let cell = 0; cell < labels.length; cell++) {
    const dx = (cell % side) - wave.x;
    const dy = Math.floor(cell / side) - wave.y;
    const isReached = dx * dx + dy * dy <= front * front;
    labels[cell] = isReached
      ? (into.labels?.[cell] ?? 0)
      : into.latents.length + (wave.labels?.[cell] ?? 0);
  }
  return { latents: [...into.latents, ...wave.latents], labels };
}

/** Returns the genomes that an organism's cells have read in the latest step. */
export const genomesNow = (organism: Omit<Changing, 'mustExpress'>): Genomes =>
  genomesInStep(organism, 1 + (organism.transforming?.stepsLeft ?? 0));

/**
 * Returns the genomes to send to the engine with an organism's next step; undefined if they have
 * not changed since the last step.
 */
export function takeExpressed(organism: Changing): Genomes | undefined {
  const { mustExpress, transforming } = organism;
  organism.mustExpress = false;
  if (!mustExpress && !(transforming?.wave && transforming.stepsLeft > 0)) return undefined;
  return genomesInStep(organism, transforming?.stepsLeft);
}

/** Returns whether the cells are still changing after a transformation or a graft. */
export const isTurning = ({ transforming }: Pick<Changing, 'transforming'>): boolean =>
  transforming !== undefined && transforming.stepsLeft > 0;

/**
 * Counts a step of a transformation or graft.
 *
 * @returns whether the transformation or graft was still in progress
 */
export function countTurn({ transforming }: Changing): boolean {
  if (!transforming || transforming.stepsLeft === 0) return false;
  transforming.stepsLeft--;
  return true;
}

/**
 * Keeps only the `most` genomes that the most cells read. All other cells then read the largest
 * kept genome.
 *
 * @returns undefined if `most` is 0
 */
function withLargest({ latents, labels }: Genomes, most: number): Genomes | undefined {
  if (most === 0) return undefined;
  if (!labels || latents.length <= most) return { latents, labels };
  const counts = latents.map(() => 0);
  for (const label of labels) counts[label]++;
  const kept = [...latents.keys()].sort((a, b) => counts[b] - counts[a] || a - b).slice(0, most);
  return {
    latents: kept.map((genome) => latents[genome]),
    labels: labels.map((label) => Math.max(0, kept.indexOf(label))),
  };
}
