/**
 * Metamorphosis: an organism immediately counts as the creature of another seed, and its genome
 * spreads over the cells in a wave (rules TRF-1 and TRF-4 … TRF-6).
 */
import { type Genomes, MAX_GENOMES } from '../../vnca/chimera.ts';
import { genomesOf } from './grafts.ts';
import type { Organism, Seed } from './organism.ts';

/** Number of cells by which the new genome advances per step. */
const WAVE_SPEED = 2;
/** Number of steps for which an organism keeps its places after a graft. */
const GRAFT_STEPS = 8;
/** Maximum number of former kinds that an organism remembers. */
export const MAX_FORMER = 8;

type Changing = Pick<Organism, 'latent' | 'grafts' | 'expression' | 'transforming' | 'window'>;
type Wave = NonNullable<NonNullable<Organism['transforming']>['wave']>;

/**
 * Turns an organism into the creature of another seed. Its cells follow over several steps.
 *
 * @param at point in cells of the grid from which the new genome spreads; if absent, the middle
 * @param tick number of completed ticks
 */
export function become(
  organism: Organism,
  into: Seed,
  tick: number,
  at?: { readonly x: number; readonly y: number },
): void {
  const { kind, origin, window, was = [] } = organism;
  const { latents, labels } = genomesNow(organism);
  organism.was = [...was, { kind, origin, until: tick }].slice(-MAX_FORMER);
  organism.expression = undefined;
  organism.grafts = undefined;
  Object.assign(organism, into);
  const inside = (value: number, size: number): number =>
    Math.max(0, Math.min(size - 1, Math.floor(value)));
  const from = { x: window.width / 2, y: window.height / 2 };
  if (at) Object.assign(from, { x: at.x - window.x, y: at.y - window.y });
  const point = { x: inside(from.x, window.width), y: inside(from.y, window.height) };
  const most = MAX_GENOMES - genomesOf(organism).latents.length;
  const old = withLargest({ latents, labels }, most);
  const wave = old && { ...point, latents: [...old.latents], labels: old.labels };
  begin(organism, wave ? stepsOf(wave, window.width) : GRAFT_STEPS, wave);
}

/** Lets an organism's cells follow its changed grafts. A wave in progress ends at once. */
export function followGrafts(organism: Organism): void {
  begin(organism, GRAFT_STEPS);
}

function begin(organism: Organism, stepsLeft: number, wave?: Wave): void {
  organism.transforming = { stepsLeft, ...(wave && { wave }) };
  // The size before the wound no longer matters, so reset it to 0, as for organisms wounded while
  // growing.
  if (organism.hurt !== undefined) organism.hurt = 0;
  organism.stirs = 0;
  organism.mustExpress = true;
}

/** Number of steps after which a wave has reached all cells of a window of this side. */
function stepsOf({ x, y }: Pick<Wave, 'x' | 'y'>, side: number): number {
  const farthest = Math.hypot(Math.max(x, side - 1 - x), Math.max(y, side - 1 - y));
  return Math.ceil(farthest / WAVE_SPEED);
}

/**
 * Returns the genomes that a transforming organism's cells read in a step.
 *
 * @param stepsLeft number of steps left, including this one
 */
function genomesInWave(organism: Changing, wave: Wave, stepsLeft: number): Genomes {
  const into = genomesOf(organism);
  const side = organism.window.width;
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

/** Returns the genomes that an organism's cells read in the last step. */
export function genomesNow(organism: Changing): Genomes {
  const { expression, transforming } = organism;
  if (expression) return { latents: [expression.latent] };
  if (!transforming?.wave || transforming.stepsLeft === 0) return genomesOf(organism);
  return genomesInWave(organism, transforming.wave, transforming.stepsLeft + 1);
}

/**
 * Returns the genomes to send to the engine with an organism's next step; undefined if they have
 * not changed.
 */
export function takeExpressed(organism: Organism): Genomes | undefined {
  const { mustExpress, expression, transforming } = organism;
  organism.mustExpress = false;
  if (transforming?.wave && transforming.stepsLeft > 0) {
    return transforming.stepsLeft === 1
      ? genomesOf(organism)
      : genomesInWave(organism, transforming.wave, transforming.stepsLeft);
  }
  if (!mustExpress) return undefined;
  return expression ? { latents: [expression.latent] } : genomesOf(organism);
}

/** Returns whether the genomes that the cells read are still changing, or have just changed. */
export const isTurning = ({ transforming }: Pick<Organism, 'transforming'>): boolean =>
  transforming !== undefined && transforming.stepsLeft > 0;

/** Counts a step of a transformation. @returns whether the transformation was still in progress */
export function countTurn({ transforming }: Organism): boolean {
  if (!transforming || transforming.stepsLeft === 0) return false;
  transforming.stepsLeft--;
  return true;
}

/**
 * Keeps the genomes that the most cells read. The others' cells read the first one kept.
 *
 * @returns undefined if none may be kept
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
