/**
 * Metamorphosis: an organism immediately counts as the creature of another seed, and its cells turn
 * into this creature over several steps (rules TRF-1 and TRF-4 … TRF-6). The latent that the cells
 * read changes gradually, because a sudden change would show noise at first.
 */
import type { Organism, Seed } from './organism.ts';

/** Number of steps over which a transformation gradually changes the latent that the cells read. */
export const TRANSFORM_STEPS = 10;
/** Maximum number of former kinds that an organism remembers. */
export const MAX_FORMER = 8;

/**
 * Turns an organism into the creature of another seed. Its cells follow over several steps.
 *
 * @param tick number of completed ticks
 */
export function become(organism: Organism, into: Seed, tick: number): void {
  const { kind, origin, was = [] } = organism;
  const from = presentLatent(organism);
  organism.was = [...was, { kind, origin, until: tick }].slice(-MAX_FORMER);
  organism.expression = undefined;
  organism.transforming = { from, stepsLeft: TRANSFORM_STEPS };
  Object.assign(organism, into);
  // The size before the wound no longer matters, so reset it to 0, as for organisms wounded while
  // growing.
  if (organism.hurt !== undefined) organism.hurt = 0;
  organism.stirs = 0;
}

/** Returns the latent that a transforming organism's next step reads, [Z]. */
export function nextLatent(
  { latent }: Organism,
  { from, stepsLeft }: NonNullable<Organism['transforming']>,
): Float32Array {
  // End exactly with the organism's own latent.
  if (stepsLeft <= 1) return latent;
  return mixed(from, latent, 1 - (stepsLeft - 1) / TRANSFORM_STEPS);
}

/** Returns whether a transformation still changes the latent that the cells read. */
export const isTurning = ({ transforming }: Organism): boolean =>
  transforming !== undefined && transforming.stepsLeft > 0;

/** Counts a step of a transformation. @returns whether the transformation was still in progress */
export function countTurn({ transforming }: Organism): boolean {
  if (!transforming || transforming.stepsLeft === 0) return false;
  transforming.stepsLeft--;
  return true;
}

/** @param share share of `to`, 0…1 */
const mixed = (from: Float32Array, to: Float32Array, share: number): Float32Array =>
  from.map((value, i) => (1 - share) * value + share * to[i]);

/** Returns the latent that an organism's cells read last, [Z]. */
function presentLatent({ latent, expression, transforming }: Organism): Float32Array {
  if (expression) return expression.latent;
  if (!transforming || transforming.stepsLeft === 0) return latent;
  return mixed(transforming.from, latent, 1 - transforming.stepsLeft / TRANSFORM_STEPS);
}
