/** Handlers for the places of walls. */
import { DEFAULTS } from '../../shared/defaults.ts';
import { HostRefusal } from '../../shared/host/reasons.ts';
import type { WallState } from '../../shared/host/state.ts';
import { wallStates } from '../realtime/sessions/wall-states.ts';
import type { Handlers } from './api.ts';
import type { HostContext } from './host-context.ts';

/** The handlers of the wall calls. */
export function wallCalls({ rooms, places }: HostContext) {
  return {
    addWall: ({ name }, { room }) => {
      const others = places.of(rooms.planOf(room).name);
      if (others.length >= DEFAULTS.room.maxWalls) throw new HostRefusal('too-many-walls');
      if (others.some((place) => place.name === name)) throw new HostRefusal('wall-exists');
      return wallStates([places.add(room, name)], [], 0)[0];
    },
    removeWall: (_, { room, wall }) => {
      const place = places.of(room).find(({ id }) => id === Number(wall));
      if (!place) throw new HostRefusal('no-such-wall');
      places.remove(place.id);
      rooms.roomServers.get(room)?.walls.release(place.id);
      return {};
    },
    showRoom: (_, { room }) => {
      rooms.requireOpen(room).server.walls.show(undefined);
      return {};
    },
  } satisfies Partial<Handlers>;
}

/** The walls of a room, open or closed. */
export function wallsOf({ rooms, places }: HostContext, room: string): WallState[] {
  return rooms.roomServers.get(room)?.walls.states ?? wallStates(places.of(room), [], 0);
}
