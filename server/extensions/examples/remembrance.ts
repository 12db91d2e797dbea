/**
 * An extension to begin from. It keeps a clearing in the middle of every room, and whatever has died of its wounds is planted
 * once more, a while later, in the place where it lived.
 *
 *     npm start -- --extension server/extensions/examples/remembrance.ts
 *
 * EXTENSIONS.md, one folder up, tells of every hook.
 */
import type { OrganismView } from '../../../shared/vocabulary.ts';
import type { Extension, Hand, RoomOpened } from '../extension.ts';

/** Share of a room's smaller side that the clearing is wide. */
const CLEARING = 0.2;
/** How long what has died is remembered before it comes back, ms. */
const REMEMBERED = 10_000;

export default function remembrance(hand: Hand): Extension {
  const rooms = new Map<string, RoomOpened>();
  /** Who lives where, by room and number: when one dies, the room knows it no more. */
  const living = new Map<string, OrganismView>();

  return {
    name: 'remembrance',

    onRoomOpened(opened) {
      rooms.set(opened.room, opened);
      for (const organism of opened.organisms) {
        living.set(`${opened.room}/${organism.id}`, organism);
      }
    },

    // What is asked may be refused, with words for the log: return nothing, and it goes on.
    onPlant({ room, x, y }) {
      const { width, height } = rooms.get(room)!;
      const far = Math.max(Math.abs(x - width / 2), Math.abs(y - height / 2));
      if (far < (CLEARING * Math.min(width, height)) / 2) return { refuse: 'the clearing is kept' };
      return undefined;
    },

    onLife({ room, event }) {
      if (event.what === 'born') living.set(`${room}/${event.organism.id}`, event.organism);
      if (event.what !== 'died') return;
      const dead = living.get(`${room}/${event.id}`);
      living.delete(`${room}/${event.id}`);
      if (!dead || dead.wounds === 0 || event.cause !== 'no-cell-left') return;
      const index = rooms.get(room)!.gallery.indexOf(dead.kind);
      if (index < 0) return;
      setTimeout(async () => {
        const seed = { from: 'gallery', index } as const;
        const { refused } = await hand.plant(room, { x: dead.x, y: dead.y, seed });
        // Somebody else may live there by then.
        hand.say(refused ? `${dead.kind} found no place` : `${dead.kind} is remembered`);
      }, REMEMBERED);
    },
  };
}
