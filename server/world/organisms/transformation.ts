/**
 * Metamorphosis: an organism is what another seed grows into at once, and its cells follow (rules
 * TRF-1 and TRF-4 … TRF-6). The latent that they read moves over in steps, as one that changed at a
 * stroke would show noise first.
 */
import { LIFE, type Organism, type Seed } from './organism.ts';

const { transformSteps, maxFormer } = LIFE;

/** Makes an organism what a seed grows into; its cells follow. @param tick ticks completed */
export function become(organism: Organism, into: Seed, tick: number): void {
  const { kind, origin, was = [] } = organism;
  const from = presentLatent(organism);
  organism.was = [...was, { kind, origin, until: tick }].slice(-maxFormer);
  organism.expression = undefined;
  organism.transforming = { from, stepsLeft: transformSteps };
  Object.assign(organism, into);
  // The size that it had does not matter any more, as for one that was wounded while it grew.
  if (organism.hurt !== undefined) organism.hurt = 0;
  organism.stirs = 0;
}

/** The latent that the next step of one that turns reads, [Z]. */
export function nextLatent(
  { latent }: Organism,
  { from, stepsLeft }: NonNullable<Organism['transforming']>,
): Float32Array {
  // Exactly its own in the end.
  if (stepsLeft <= 1) return latent;
  return mixed(from, latent, 1 - (stepsLeft - 1) / transformSteps);
}

/** Whether the latent that its cells read still moves over to its own. */
export const isTurning = ({ transforming }: Organism): boolean =>
  transforming !== undefined && transforming.stepsLeft > 0;

/** Counts a step of a transformation. @returns whether it was one, so that it does not rest yet */
export function countTurn({ transforming }: Organism): boolean {
  if (!transforming || transforming.stepsLeft === 0) return false;
  transforming.stepsLeft--;
  return true;
}

/** @param share of `to`, 0…1 */
const mixed = (from: Float32Array, to: Float32Array, share: number): Float32Array =>
  from.map((value, i) => (1 - share) * value + share * to[i]);

/** The latent that an organism's cells have read last, [Z]. */
function presentLatent({ latent, expression, transforming }: Organism): Float32Array {
  if (expression) return expression.latent;
  if (!transforming || transforming.stepsLeft === 0) return latent;
  return mixed(transforming.from, latent, 1 - transforming.stepsLeft / transformSteps);
}
