/** What the rooms of a server in a cluster need beside what rooms need anywhere. */
import type { ServerState } from '../../shared/host/state.ts';
import type { RoomLeases } from '../cluster/lease.ts';
import type { ReportLoad } from '../cluster/valkey-leases.ts';
import type { RoomRegistryOptions } from './room-registry.ts';

/** Options of `ClusterRooms`. */
export interface ClusterRoomsOptions extends RoomRegistryOptions {
  readonly leases: RoomLeases;
  /** Whether this server runs rooms; else it only knows which there are. */
  readonly runsRooms: boolean;
  readonly report: ReportLoad;
  /** Time between two looks at which rooms there are, ms. */
  readonly plans: number;
  /** Reads what the host has set for all rooms, perhaps on another server. */
  readonly refresh: (takenOver?: string) => Promise<void>;
  /** What the host sees of this server besides its rooms. */
  readonly describe: () => Omit<ServerState, 'draining' | 'rooms' | 'leaving' | 'followed'>;
}
