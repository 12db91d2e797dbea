/** The family tree of a room, and the seeds of remembered organisms. */
import type { LineageOrganism, LineageTree } from '../../../shared/lineage.ts';
import type { PreviewSource } from '../../../shared/protocol/commands.ts';
import { HOUSE, type OrganismId } from '../../../shared/vocabulary.ts';
import { defined } from '../../platform/collections.ts';
import type { Room } from '../room.ts';
import type { Ended } from '../room-state.ts';
import type { seedTokenOf } from '../species.ts';
import { ancestorsOf } from './dead-organisms.ts';
import type { Genotype } from './grafts.ts';

/** Period that a family tree covers, in hours. */
export const FAMILY_TREE_HOURS = 24;

/**
 * Returns the family tree of the last day: all organisms that were alive on this day, and their
 * ancestors.
 *
 * @param tickRate nominal ticks per second
 */
export function lineageTree(
  room: Pick<Room, 'organisms' | 'lineage' | 'tick'>,
  tickRate: number,
): LineageTree {
  const { tick } = room;
  const { ended, forgotten } = room.lineage;
  const begin = tick - FAMILY_TREE_HOURS * 3600 * tickRate;
  const all = [...ended.map(deadOf), ...room.organisms.map(livingOf)];
  const recent = all.filter(({ died = tick }) => died >= begin);
  const known = new Map(all.map((one) => [one.id, one]));
  const shown = new Set([...ancestorsOf(recent, known), ...recent.map(({ id }) => id)]);
  const organisms = [...known.values()]
    .filter(({ id }) => shown.has(id))
    .sort((a, b) => a.id - b.id);
  return { organisms, forgotten, tick, tickRate };
}

function livingOf(organism: Room['organisms'][number]): LineageOrganism {
  const { id, kind, origin, parents, planter, born, wounds, healed, was, parts } = organism;
  return defined({ id, kind, origin, parents, planter, born, wounds, healed, was, parts });
}

const deadOf = ({ latent: _, token: _seed, ...one }: Ended): LineageOrganism => defined(one);

/**
 * Returns the seed of a living or remembered organism; undefined if there is none. If the host has
 * removed the organism, it may be unsuitable to show. The result is then the gallery seed of its
 * kind; undefined if the gallery lacks this kind.
 */
export function rememberedSeed(
  room: Pick<Room, 'lineage' | 'species' | 'viewOf' | 'previewSeed'>,
  id: OrganismId,
): Parameters<typeof seedTokenOf>[1] | undefined {
  const living = room.viewOf(id);
  const seedOf = (seed: PreviewSource): Genotype => room.previewSeed(seed, HOUSE.id);
  if (living) return { ...living, ...seedOf({ from: 'organism', organism: id }) };
  const dead = room.lineage.ended.find((one) => one.id === id);
  if (!dead) return undefined;
  const { kind, cause, token } = dead;
  if (token && cause !== 'removed') return { ...dead, ...seedOf({ from: 'token', token }) };
  const entry = room.species.gallery.find(({ name }) => name === kind);
  const latent = entry?.latent ?? (cause === 'removed' ? undefined : dead.latent);
  return latent && { ...dead, latent };
}
