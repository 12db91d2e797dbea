/**
 * An example extension. It keeps the middle of every room free. When organisms have died of their
 * wounds, it replants them at the same position after a delay.
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
  /**
   * Current views of the living organisms, by room and id. Kept here because events contain only
   * the id and the changes.
   */
  const living = new Map<string, OrganismView>();

  return {
    name: 'remembrance',

    onRoomOpened(opened) {
      rooms.set(opened.room, opened);
      for (const organism of opened.organisms) {
        living.set(`${opened.room}/${organism.id}`, organism);
      }
    },

    // Returning `refuse` with a text rejects the command; returning undefined allows it.
    onPlant({ room, x, y }) {
      const { width, height } = rooms.get(room)!;
      const distance = Math.max(Math.abs(x - width / 2), Math.abs(y - height / 2));
      if (distance < (CLEARING * Math.min(width, height)) / 2)
        return { refuse: 'nothing may be planted in the clearing' };
      return undefined;
    },

    onLife({ room, event }) {
      if (event.what === 'born') living.set(`${room}/${event.organism.id}`, event.organism);
      if (!('id' in event)) return;
      const key = `${room}/${event.id}`;
      const organism = living.get(key);
      if (!organism) return;
      if (event.what === 'wounded') living.set(key, { ...organism, wounds: event.wounds });
      if (event.what === 'transformed') living.set(key, { ...organism, kind: event.kind });
      if (event.what !== 'died') return;
      living.delete(key);
      const ofWounds = event.cause === 'killed' || event.cause === 'no-cell-left';
      if (organism.wounds === 0 || !ofWounds) return;
      const index = rooms.get(room)!.gallery.indexOf(organism.kind);
      if (index < 0) return;
      schedule(async () => {
        const { x, y, kind } = organism;
        const { refused } = await hand.plant(room, { x, y, seed: { from: 'gallery', index } });
        // Planting is refused if another organism now owns the position.
        hand.say(refused ? `${kind} was not replanted` : `${kind} was replanted`);
      }, REPLANT_DELAY);
    },
  };
}
