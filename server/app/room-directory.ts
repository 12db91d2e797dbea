/** Leads connections to the rooms of this server. */

import type { WallPlaces } from '../realtime/policy/wall-places.ts';
import { LocalSession } from '../realtime/sessions/local-session.ts';
import type { RoomDirectory } from '../realtime/sessions/room-session.ts';
import type { RoomRegistry } from '../rooms/room-registry.ts';

/** @param places the places of walls, in all rooms */
export function roomDirectory(
  rooms: Pick<RoomRegistry, 'findServer'>,
  places: Pick<WallPlaces, 'find'>,
): RoomDirectory {
  return {
    open(room, client) {
      const find = () => rooms.findServer(room);
      find();
      return new LocalSession(find, client);
    },
    acceptsPass: (room, pass) => places.find(room, pass) !== undefined,
  };
}
