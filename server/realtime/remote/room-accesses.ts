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
  /** The epoch of the lease that this process has of a room. */
  readonly epochOf: (room: string) => number;
}

export class RoomAccesses {
  private readonly byServer = new Map<RoomServer, Promise<RoomAccess | undefined>>();
  private open_ = new Map<string, RoomAccess>();

  constructor(private readonly options: RoomAccessesOptions) {}
}
