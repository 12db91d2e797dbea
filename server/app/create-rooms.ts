/** The rooms of a server that has them alone, or shares them with others. */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Cluster } from '../cluster/open-cluster.ts';
import type { RoomDirectory } from '../realtime/sessions/room-session.ts';
import { ClusterRooms } from '../rooms/cluster-rooms.ts';
import { RoomRegistry, type RoomRegistryOptions } from '../rooms/room-registry.ts';
import type { HostRecords } from './open-host-records.ts';
import { roomDirectory } from './room-directory.ts';

export interface CreatedRooms {
  readonly rooms: RoomRegistry;
  /** Where connections come in. */
  readonly directory: RoomDirectory;
  /** Ends the wait for rooms that other servers have. */
  stopStandby(): void;
  /** See `ClusterRooms.isOwner`. */
  isOwner(): boolean;
}

/**
 * @param cluster undefined: all rooms are this server's
 * @param refresh see `HostRecords`
 */
export function createRooms(
  options: RoomRegistryOptions,
  cluster: Cluster | undefined,
  refresh: HostRecords['refresh'],
): CreatedRooms {
  if (!cluster) {
    const rooms = new RoomRegistry(options);
    const directory = roomDirectory(rooms, options.places);
    return { rooms, directory, stopStandby: () => {}, isOwner: () => true };
  }
  const { leases } = cluster;
  const { plans } = DEFAULTS.cluster;
  const rooms = new ClusterRooms({ ...options, leases, plans, refresh });
  cluster.onEnd((room) => {
    rooms.stopForLostLease(room).catch((error: Error) => {
      options.log.error('room-not-stopped', `Room "${room}" cannot be stopped: ${error.message}`);
    });
  });
  return {
    rooms,
    directory: roomDirectory(rooms, options.places),
    stopStandby: () => rooms.stopStandby(),
    isOwner: () => rooms.isOwner,
  };
}
