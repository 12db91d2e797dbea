/** The rooms of other servers that this one has connections to. */
import { randomInt, randomUUID } from 'node:crypto';
import { DEFAULTS } from '../../../shared/defaults.ts';
import type { Reason } from '../../../shared/protocol/reasons.ts';
import { getOrAdd } from '../../platform/get-or-add.ts';
import type { RoomSession, SessionClient } from '../sessions/room-session.ts';
import { RemoteRoom, type RemoteRoomOptions } from './remote-room.ts';
import { RemoteSession } from './remote-session.ts';
import { RemoteStreams } from './remote-streams.ts';

export interface RemoteRoomsOptions extends Pick<RemoteRoomOptions, 'bus' | 'clock' | 'node'> {
  /** Why a room runs nowhere, as far as is known here; undefined if it should run. */
  readonly whyOver: (room: string) => Reason | undefined;
}

export class RemoteRooms {
  private readonly rooms = new Map<string, RemoteRoom>();
  private connections = 0;
  private cancel: () => void;

  constructor(private readonly options: RemoteRoomsOptions) {
    this.cancel = options.clock.after(DEFAULTS.cluster.sessions.idle, this.closeIdle);
  }

  /** Opens a session in a room. */
  open(room: string, client: SessionClient): RoomSession {
    const remote = getOrAdd(this.rooms, room, () => {
      return new RemoteRoom({
        ...this.options,
        ...{ room, newLink: randomUUID, whyOver: () => this.options.whyOver(room) },
        openFrames: (options) => new RemoteStreams(options),
      });
    });
    return new RemoteSession(++this.connections, client, remote, randomInt(2 ** 32));
  }

  /** Number of connections by room. */
  get sizes(): ReadonlyMap<string, number> {
    return new Map([...this.rooms].map(([name, { size }]) => [name, size]));
  }

  close(): void {
    this.cancel();
    for (const room of this.rooms.values()) room.close();
    this.rooms.clear();
  }

  private readonly closeIdle = (): void => {
    this.cancel = this.options.clock.after(DEFAULTS.cluster.sessions.idle, this.closeIdle);
    for (const [name, room] of this.rooms) {
      if (room.size > 0 || room.isFresh) continue;
      room.close();
      this.rooms.delete(name);
    }
  };
}
