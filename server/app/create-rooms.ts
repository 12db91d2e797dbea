/** The rooms of a server that has them alone, or shares them with others. */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Cluster } from '../cluster/open-cluster.ts';
import { ClusterRooms } from '../rooms/cluster-rooms.ts';
import { RoomRegistry, type RoomRegistryOptions } from '../rooms/room-registry.ts';
import type { HostRecords } from './open-host-records.ts';

export interface CreatedRooms {
  readonly rooms: RoomRegistry;
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
    return { rooms: new RoomRegistry(options), stopStandby: () => {}, isOwner: () => true };
  }
  const { leases, report } = cluster;
  const { plans } = DEFAULTS.cluster;
  const rooms = new ClusterRooms({ ...options, leases, report, plans, refresh });
  cluster.onEnd((room) => {
    rooms.stopForLostLease(room).catch((error: Error) => {
      options.log.error('room-not-stopped', `Room "${room}" cannot be stopped: ${error.message}`);
    });
  });
  return { rooms, stopStandby: () => rooms.stopStandby(), isOwner: () => rooms.isOwner };
}
