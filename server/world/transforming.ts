/**
 * Metamorphosis: a living organism becomes what another seed grows into, in place (rules TRF-1 …
 * TRF-6). It is the other at once; its cells follow. The latent that they read moves over in steps,
 * as one that changed at a stroke would show noise first.
 */
import { DEFAULTS } from '../../shared/defaults.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import { createRandom } from '../../shared/random.ts';
import { chance } from './chance.ts';
import type { RoomCommand } from './commands.ts';
import { createLatent } from './create-latent.ts';
import type { Energy } from './energy.ts';
import type { Organism, Transformation } from './organism.ts';
import type { OrganismLifecycle } from './organism-lifecycle.ts';
import type { SeedInventory } from './seed-inventory.ts';
import type { Species } from './species.ts';

const { transformSteps, maxFormer } = DEFAULTS.life;

/** What grows from a seed. */
export type Seed = Pick<Organism, 'latent' | 'origin' | 'kind' | 'parents'>;

/** What a transformation depends on. */
export interface TransformContext {
  readonly species: Species;
  readonly inventory: SeedInventory;
  /** Ticks completed. */
  readonly tick: number;
}

/**
 * Has an organism turn into what a seed grows into. Who may do so is not decided here.
 *
 * @throws Refusal not-here (the checkpoint's rule cannot), no-such-organism (also for one that
 *   departs), not-grown, no-energy, no-such-seed, bad-latent, bad-token; nothing has changed then
 */
export function transform(
  { by, organism: id, seed }: RoomCommand & { what: 'transform' },
  lifecycle: OrganismLifecycle,
  energy: Energy,
  { tick, ...context }: TransformContext,
): void {
  if (!context.species.hasStandingInput) {
    throw new Refusal('not-here', 'the rule of this checkpoint does not read latents');
  }
  const organism = lifecycle.require(id);
  const { phase } = organism;
  if (phase === 'growing') throw new Refusal('not-grown', `organism ${id}`);
  if (phase === 'departing') throw new Refusal('no-such-organism', `organism ${id} departs`);
  energy.requirePlant(by.id, tick);
  // Not a draw from the room's random numbers: an undo must not change what others get.
  const random = createRandom(Math.floor(2 ** 32 * chance(lifecycle.rules.seed, id, tick)));
  const into = createLatent(seed, by.id, { ...context, random });
  energy.spendPlant(by.id, tick);
  lifecycle.transform(organism, into, by.id, tick);
}

/** Makes an organism what a seed grows into; its cells follow. @param tick ticks completed */
export function become(organism: Organism, into: Seed, tick: number): void {
  const { kind, origin, was = [] } = organism;
  const from = presentLatent(organism);
  organism.was = [...was, { kind, origin, until: tick }].slice(-maxFormer);
  organism.expression = undefined;
  organism.transforming = { from, stepsLeft: transformSteps };
  organism.latent = into.latent;
  organism.origin = into.origin;
  organism.kind = into.kind;
  organism.parents = into.parents;
  // The size that it had does not matter any more, as for one that was wounded while it grew.
  if (organism.hurt !== undefined) organism.hurt = 0;
  organism.stirs = 0;
}

/** The latent that the next step of one that turns reads, [Z]. */
export function nextLatent(
  { latent }: Pick<Organism, 'latent'>,
  { from, stepsLeft }: Transformation,
): Float32Array {
  // Exactly its own in the end.
  if (stepsLeft <= 1) return latent;
  return mixed(from, latent, 1 - (stepsLeft - 1) / transformSteps);
}

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
