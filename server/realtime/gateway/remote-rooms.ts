/** Manages this server's connections in rooms that run on other servers. */
import { repeat } from '../../platform/clock.ts';
import { getOrAdd } from '../../platform/collections.ts';
import type { RoomSession } from '../commands/client-messages.ts';
import type { RoomClient } from '../sessions/room-client.ts';
import { GATEWAY_TIMES } from './messages.ts';
import { RemoteRoom, type RemoteRoomOptions, RemoteSession } from './remote-room.ts';

export class RemoteRooms {
  private readonly rooms = new Map<string, RemoteRoom>();
  private connections = 0;
  private readonly cancel = repeat(this.options.clock, GATEWAY_TIMES.idle, () => this.closeIdle());

  constructor(private readonly options: RemoteRoomOptions) {}

  /** Creates a session in a room. The session has not joined the room yet. */
  open(room: string, client: RoomClient): RoomSession {
    const remote = getOrAdd(this.rooms, room, () => new RemoteRoom(room, this.options));
    return new RemoteSession(++this.connections, client, remote);
  }

  /** The number of this server's connections in each room, by room name. */
  get sizes(): ReadonlyMap<string, number> {
    return new Map([...this.rooms].map(([name, { size }]) => [name, size]));
  }

  close(): void {
    this.cancel();
    for (const room of this.rooms.values()) room.close();
    this.rooms.clear();
  }

  private closeIdle(): void {
    for (const [name, room] of this.rooms) {
      if (!room.isIdle) continue;
      room.close();
      this.rooms.delete(name);
    }
  }
}
