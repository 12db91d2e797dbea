/** The family tree of a room: what lives, what it remembers of its dead, and their ancestors. */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { LineageOrganism, LineageTree } from '../../shared/lineage.ts';
import { ancestorsOf } from './lineage.ts';
import type { Room } from './room.ts';
import type { Ended } from './room-state.ts';

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
  const { id, kind, origin, parents, planter, born, wounds, healed } = organism;
  return { id, kind, origin, parents, planter, born, wounds, healed };
}

const deadOf = ({ latent: _, ...one }: Ended): LineageOrganism => one;
