/** The family tree of a room: what lives, what it remembers of its dead, and their ancestors. */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { LineageOrganism, LineageTree } from '../../shared/lineage.ts';
import { HOUSE, type OrganismId } from '../../shared/vocabulary.ts';
import { ancestorsOf } from './lineage.ts';
import type { Room } from './room.ts';
import type { Ended } from './room-state.ts';
import type { seedTokenOf } from './species.ts';

const { hours } = DEFAULTS.lineage;

/**
 * The family tree of the last day.
 *
 * @param tickRate nominal ticks a second
 */
export function lineageTree(
  room: Pick<Room, 'organisms' | 'lineage' | 'tick'>,
  tickRate: number,
): LineageTree {
  const { tick } = room;
  const { ended, forgotten } = room.lineage;
  const begin = tick - hours * 3600 * tickRate;
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
  const { id, kind, origin, parents, planter, born, wounds, healed, was } = organism;
  return { id, kind, origin, parents, planter, born, wounds, healed, ...(was && { was }) };
}

const deadOf = ({ latent: _, was, ...one }: Ended): LineageOrganism => ({
  ...one,
  ...(was && { was }),
});

/**
 * The seed of an organism that lives or is remembered; undefined if there is none, or the host has
 * removed it and it is of no kind of the gallery: it may be what nobody should see.
 */
export function rememberedSeed(
  room: Pick<Room, 'lineage' | 'species' | 'viewOf' | 'previewLatent'>,
  id: OrganismId,
): Parameters<typeof seedTokenOf>[1] | undefined {
  const living = room.viewOf(id);
  if (living) {
    const latent = room.previewLatent({ from: 'organism', organism: id }, HOUSE.id);
    return { ...living, latent };
  }
  const dead = room.lineage.ended.find((one) => one.id === id);
  if (!dead) return undefined;
  const { kind, cause } = dead;
  const entry = room.species.gallery.find(({ name }) => name === kind);
  const latent = entry?.latent ?? (cause === 'removed' ? undefined : dead.latent);
  return latent && { ...dead, latent };
}
