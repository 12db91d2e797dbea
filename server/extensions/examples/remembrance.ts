/**
 * An example extension. It keeps the middle of every room free. If visitors have killed an organism,
 * it replants the creature at the same position after a delay.
 *
 *     npm start -- --extension server/extensions/examples/remembrance.ts
 *
 * EXTENSIONS.md, one folder up, describes every hook.
 */
import type { OrganismView } from '../../../shared/vocabulary.ts';
import type { Extension, Hand, RoomOpened } from '../extension.ts';

/** Width of the free area in the middle, as a share of the room's shorter side. */
const CLEARING = 0.2;
/** How long after its death an organism is replanted, in ms. */
const REPLANT_DELAY = 10_000;

/** @param schedule calls a function after a delay in ms */
export default function remembrance(
  hand: Hand,
  schedule: (run: () => void, delay: number) => unknown = setTimeout,
): Extension {
  const rooms = new Map<string, RoomOpened>();
  /** The living organisms, by room and id. Events after a birth contain only the id. */
  const living = new Map<string, OrganismView>();

  return {
    name: 'remembrance',

    onRoomOpened(opened) {
      rooms.set(opened.room, opened);
      for (const one of opened.organisms) living.set(`${opened.room}/${one.id}`, one);
    },

    // Returning `refuse` with a text rejects the command; returning undefined allows it.
    onPlant({ room, x, y }) {
      const { width, height } = rooms.get(room)!;
      const distance = Math.max(Math.abs(x - width / 2), Math.abs(y - height / 2));
      const isFree = distance >= (CLEARING * Math.min(width, height)) / 2;
      return isFree ? undefined : { refuse: 'nothing may be planted in the clearing' };
    },

    onLife({ room, event }) {
      if (event.what === 'born') living.set(`${room}/${event.organism.id}`, event.organism);
      if (event.what !== 'died') return;
      const organism = living.get(`${room}/${event.id}`);
      living.delete(`${room}/${event.id}`);
      const index = rooms.get(room)!.gallery.indexOf(organism?.kind ?? '');
      if (!organism || index < 0 || event.cause !== 'killed') return;
      const { x, y, kind } = organism;
      schedule(async () => {
        const { refused } = await hand.plant(room, { x, y, seed: { from: 'gallery', index } });
        // Planting is refused if another organism now owns the position.
        hand.say(refused ? `${kind} was not replanted` : `${kind} was replanted`);
      }, REPLANT_DELAY);
    },
  };
}
