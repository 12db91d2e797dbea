/** The rooms of a server that has them alone, or shares them with others. */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Cluster } from '../cluster/open-cluster.ts';
import { ClusterRooms } from '../rooms/cluster-rooms.ts';
import { RoomRegistry, type RoomRegistryOptions } from '../rooms/room-registry.ts';

/**
 * @param cluster undefined: all rooms are this server's
 * @param refresh reads what the host has set for all rooms
 * @returns the rooms, and what ends the wait for those that other servers have
 */
export function createRooms(
  options: RoomRegistryOptions,
  cluster: Cluster | undefined,
  refresh: () => Promise<void>,
): { readonly rooms: RoomRegistry; stopStandby(): void } {
  if (!cluster) return { rooms: new RoomRegistry(options), stopStandby: () => {} };
  const { leases } = cluster;
  const { plans } = DEFAULTS.cluster;
  const rooms = new ClusterRooms({ ...options, leases, plans, refresh });
  cluster.onEnd((room) => {
    rooms.stopForLostLease(room).catch((error: Error) => {
      options.log.error('room-not-stopped', `Room "${room}" cannot be stopped: ${error.message}`);
    });
  });
  return { rooms, stopStandby: () => rooms.stopStandby() };
}
