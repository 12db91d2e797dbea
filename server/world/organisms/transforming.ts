/** Executes the command by which an organism turns into another (rules TRF-1 … TRF-3). */
import { Refusal } from '../../../shared/protocol/reasons.ts';
import { createRandom } from '../../../shared/random.ts';
import type { RoomCommand } from '../commands.ts';
import { type CreationContext, createLatent } from '../create-latent.ts';
import type { Energy } from '../energy.ts';
import { chance } from '../room-rules.ts';
import type { OrganismLifecycle } from './organism-lifecycle.ts';

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
  { tick, ...context }: CreationContext & { readonly tick: number },
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
