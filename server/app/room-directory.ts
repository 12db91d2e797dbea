/** Leads connections to the rooms of this server, and to those of others. */
import { Refusal } from '../../shared/protocol/reasons.ts';
import type { WallPlaces } from '../realtime/policy/wall-places.ts';
import type { RemoteRooms } from '../realtime/remote/remote-rooms.ts';
import { LocalSession } from '../realtime/sessions/local-session.ts';
import type { RoomDirectory } from '../realtime/sessions/room-session.ts';
import type { RoomRegistry } from '../rooms/room-registry.ts';

/**
 * @param places the places of walls, in all rooms
 * @param remote undefined: only to rooms of this server
 */
export function roomDirectory(
  rooms: Pick<RoomRegistry, 'findServer'>,
  places: Pick<WallPlaces, 'find'>,
  remote?: Pick<RemoteRooms, 'open'>,
): RoomDirectory {
  return {
    open(room, client) {
      const find = () => rooms.findServer(room);
      try {
        find();
      } catch (error) {
        const isElsewhere = error instanceof Refusal && error.reason === 'elsewhere';
        if (isElsewhere && remote) return remote.open(room, client);
        throw error;
      }
      return new LocalSession(find, client);
    },
    acceptsPass: (room, pass) => places.find(room, pass) !== undefined,
  };
}
