/** The ways into the rooms of this server for the connections of others. */
import type { Bus } from '../../bus/bus.ts';
import type { Clock } from '../../platform/clock.ts';
import type { RoomServer } from '../room-server.ts';
import { RoomAccess } from './room-access.ts';

export interface RoomAccessesOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  /** @throws Refusal no-such-room, room-closed, elsewhere */
  readonly findServer: (room: string) => RoomServer;
  /** The epoch of the lease that this process has of a room; undefined if it has none. */
  readonly epochOf: (room: string) => number | undefined;
}

export class RoomAccesses {
  private readonly opened = new Map<RoomServer, RoomAccess>();

  constructor(private readonly options: RoomAccessesOptions) {}

  /** Opens a room that this server has begun to run. */
  open(roomServer: RoomServer): void {
    const { bus, clock, findServer, epochOf } = this.options;
    const { name } = roomServer.room;
    const epoch = epochOf(name);
    // Its lease has ended while it was opened.
    if (epoch === undefined) return;
    const find = () => findServer(name);
    this.opened.set(roomServer, new RoomAccess({ roomServer, find, bus, epoch, clock }));
  }

  /** Closes a room that does not run here any more. */
  close(roomServer: RoomServer): void {
    this.opened.get(roomServer)?.close();
    this.opened.delete(roomServer);
  }

  closeAll(): void {
    for (const roomServer of [...this.opened.keys()]) this.close(roomServer);
  }

  /** Number of connections by room and server. */
  get connections(): ReadonlyMap<string, ReadonlyMap<string, number>> {
    return new Map(
      [...this.opened].map(([{ room }, access]) => [room.name, access.connections] as const),
    );
  }
}
