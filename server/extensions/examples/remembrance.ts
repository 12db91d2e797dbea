/**
 * An example of an extension. It lets nobody plant in the middle of a room. When an organism is
 * killed, the extension plants the same creature at the same position after a delay. To run it:
 *
 *     npm start -- --extension server/extensions/examples/remembrance.ts
 *
 * EXTENSIONS.md in the parent folder describes all hooks.
 */
import type { OrganismView } from '../../../shared/vocabulary.ts';
import type { Extension, Hand, RoomOpened } from '../extension.ts';

/**
 * Side length of the square in the middle that is kept free, as a share of the room's shorter side.
 */
const CLEARING = 0.2;
/** Time between the death of an organism and its replanting, in ms. */
const REPLANT_DELAY = 10_000;

/** Creates the extension. @param schedule calls a function after a delay, in ms */
export default function remembrance(
  hand: Hand,
  schedule: (run: () => void, delay: number) => unknown = setTimeout,
): Extension {
  const rooms = new Map<string, RoomOpened>();
  /** The living organisms, by room and id. Needed because a `died` event contains only the id. */
  const living = new Map<string, OrganismView>();

  return {
    name: 'remembrance',

    onRoomOpened(opened) {
      rooms.set(opened.room, opened);
      for (const one of opened.organisms) living.set(`${opened.room}/${one.id}`, one);
    },

    // To refuse the command, return the reason as `refuse`. To allow the command, return undefined.
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
        // `refused` is set if the room planted nothing, for example because the position is taken.
        hand.say(refused ? `${kind} was not replanted` : `${kind} was replanted`);
      }, REPLANT_DELAY);
    },
  };
}
