/** Has a day of a room begin with heirs of those that lived before it (rules GEN-2 and GEN-3). */
import * as v from 'valibot';
import { Refusal } from '../../shared/protocol/reasons.ts';
import { createRandom } from '../../shared/random.ts';
import { HOUSE, type OrganismId } from '../../shared/vocabulary.ts';
import { isGrown } from '../gardener/choose.ts';
import { choosePlantingPlace, type PlantingPlace } from '../gardener/planting-place.ts';
import type { OpenRoom } from '../rooms/live-room.ts';
import { breed, type Candidate, chooseAncestors, type HeirSeed } from '../world/heirs.ts';
import type { Room } from '../world/room.ts';
import type { HostContext } from './host-context.ts';
import { isDone, runSystemCommand } from './system-commands.ts';

/** The heirs of a room whose day ends now; none if nothing is grown. */
export function heirsIn(room: Room): HeirSeed[] {
  const { organisms, lineage, species, tick } = room;
  const all = [...organisms, ...lineage.ended];
  const grown = organisms.filter(isGrown);
  const candidates = grown.flatMap(({ id, kind, origin, born, healed }): Candidate[] => {
    const latent = latentIn(room, id);
    const children = all.filter(({ parents }) => parents.includes(id)).length;
    return latent ? [{ id, kind, origin, born, healed, children, latent }] : [];
  });
  return breed(chooseAncestors(candidates, tick), species.latentBounds);
}

/** The latent of a living organism; undefined if the checkpoint was not made for it. */
function latentIn(room: Room, organism: OrganismId): Float32Array | undefined {
  try {
    return room.previewLatent({ from: 'organism', organism }, HOUSE.id);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return undefined;
  }
}

/**
 * Plants heirs on bare ground, well spread. Where a room is too small for all, the first of them.
 *
 * @returns number of those that are planted, once all are answered
 */
export async function plantHeirs(live: OpenRoom, heirs: readonly HeirSeed[]): Promise<number> {
  const { grid, species, tick } = live.room;
  const area = { width: grid.width, height: grid.height, side: species.side };
  const random = createRandom(tick);
  const places: PlantingPlace[] = [];
  const answers = heirs.flatMap((seed) => {
    const place = choosePlantingPlace(area, places, random);
    if (!place) return [];
    places.push(place);
    return [runSystemCommand(live, { what: 'plant', ...place, seed })];
  });
  const answered = await Promise.allSettled(answers);
  return answered.filter(isDone).length;
}

const RECORD = 'days';
const days = v.array(v.string());

/**
 * The rooms whose day ends and whose heirs are not planted yet, kept in the store: heirs are lost
 * with the server, which says so when it starts again.
 */
export class EndingDays {
  private readonly rooms = new Set<string>();

  private constructor(private readonly context: HostContext) {}

  /** Says which days were cut short when the server ended. @throws StoreError */
  static async open(context: HostContext): Promise<EndingDays> {
    const { hostStore, log } = context;
    const cut = (await hostStore.serverRecord(RECORD, days)) ?? [];
    for (const room of cut) {
      const message = `The server ended with the day of "${room}". The next one has no heirs.`;
      log.warn('no-heirs', message, { room });
    }
    const ending = new EndingDays(context);
    if (cut.length > 0) await ending.keep();
    return ending;
  }

  async add(room: string): Promise<void> {
    this.rooms.add(room);
    await this.keep();
  }

  async remove(room: string): Promise<void> {
    if (this.rooms.delete(room)) await this.keep();
  }

  private async keep(): Promise<void> {
    const { hostStore, log } = this.context;
    try {
      await hostStore.putServerRecord(RECORD, [...this.rooms]);
    } catch (error) {
      log.warn('not-kept', (error as Error).message);
    }
  }
}
