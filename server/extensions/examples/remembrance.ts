/**
 * An example extension. It keeps the middle of every room free, and replants organisms that have
 * died
 * of their wounds where they lived, a while later.
 *
 *     npm start -- --extension server/extensions/examples/remembrance.ts
 *
 * EXTENSIONS.md, one folder up, describes every hook.
 */
import type { OrganismView } from '../../../shared/vocabulary.ts';
import type { Extension, Hand, RoomOpened } from '../extension.ts';

/** Width of the free area in the middle, as a share of the room's shorter side. */
const CLEARING = 0.2;
/** Time before a dead organism is replanted, ms. */
const REPLANT_DELAY = 10_000;

export default function remembrance(hand: Hand): Extension {
  const rooms = new Map<string, RoomOpened>();
  /** Organisms by room and id, as a `died` event has only the id. */
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
        return { refuse: 'the clearing is kept' };
      return undefined;
    },

    onLife({ room, event }) {
      if (event.what === 'born') living.set(`${room}/${event.organism.id}`, event.organism);
      if (event.what !== 'died') return;
      const dead = living.get(`${room}/${event.id}`);
      living.delete(`${room}/${event.id}`);
      const ofWounds = event.cause === 'killed' || event.cause === 'no-cell-left';
      if (!dead || dead.wounds === 0 || !ofWounds) return;
      const index = rooms.get(room)!.gallery.indexOf(dead.kind);
      if (index < 0) return;
      setTimeout(async () => {
        const seed = { from: 'gallery', index } as const;
        const { refused } = await hand.plant(room, { x: dead.x, y: dead.y, seed });
        // Another organism may own the place by then.
        hand.say(refused ? `${dead.kind} was not replanted` : `${dead.kind} was replanted`);
      }, REPLANT_DELAY);
    },
  };
}
