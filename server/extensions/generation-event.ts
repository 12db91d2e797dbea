/** Tells from the births of a tick that a day of a room has begun with heirs. */
import { generationsOf } from '../../shared/lineage.ts';
import { HOUSE, type LifeEvent } from '../../shared/vocabulary.ts';
import type { RoomServer } from '../realtime/room-server.ts';
import { lineageTree } from '../world/lineage-tree.ts';
import type { Happening } from './extension.ts';

/**
 * The event of a new generation: what the house plants has parents only where a day begins.
 *
 * @param life events of the tick that is done
 * @returns undefined if no day begins
 */
export function generationIn(
  life: readonly LifeEvent[],
  { room, policy }: RoomServer,
): (Happening & { readonly what: 'generation' }) | undefined {
  const heirs = life.flatMap((event) => {
    if (event.what !== 'born') return [];
    const { id, planter, parents } = event.organism;
    return planter.id === HOUSE.id && parents.length > 0 ? [id] : [];
  });
  if (heirs.length === 0) return undefined;
  const tree = lineageTree(room, policy.settings.tickRate);
  const generations = generationsOf(tree.organisms);
  const number = Math.max(...heirs.map((id) => generations.get(id) ?? 1));
  return { what: 'generation', number, heirs };
}
