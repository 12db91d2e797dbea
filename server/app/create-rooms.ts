/** The rooms of a server that has them alone, or shares them with others. */
import { DEFAULTS } from '../../shared/defaults.ts';
import { type Reason, Refusal } from '../../shared/protocol/reasons.ts';
import { serverVersion } from '../host/server-version.ts';
import type { MetricsOptions } from '../operations/metrics.ts';
import { RemoteRooms } from '../realtime/remote/remote-rooms.ts';
import { RoomAccesses } from '../realtime/remote/room-accesses.ts';
import type { RoomDirectory } from '../realtime/sessions/room-session.ts';
import { ClusterRooms } from '../rooms/cluster-rooms.ts';
import { RoomRegistry, type RoomRegistryOptions } from '../rooms/room-registry.ts';
import type { Config } from '../settings/server.ts';
import type { HostRecords } from './open-host-records.ts';
import type { OpenStorage } from './open-storage.ts';
import { roomDirectory } from './room-directory.ts';

/** A server's rooms, with what the rest of it asks about them. */
export interface CreatedRooms {
  readonly rooms: RoomRegistry;
  /** The same if other servers share them. */
  readonly cluster: ClusterRooms | undefined;
  /** Where connections come in. */
  readonly directory: RoomDirectory;
  /** Ends the wait for rooms that other servers have. */
  stopStandby(): void;
  /** Whether visitors can come in here: see `ClusterRooms.isOwner`, or rooms of others too. */
  isReady(): boolean;
  /** Gives up the rooms, so that other servers can have them at once. */
  readonly leases: { releaseAll(): Promise<void> } | undefined;
  /** See `MetricsOptions.cluster`. */
  figures(): ReturnType<MetricsOptions['cluster']>;
  /** See `MetricsOptions.remote`. */
  connections(): ReturnType<MetricsOptions['remote']>;
  /** Forgets the rooms of other servers, after all connections have ended. */
  close(): void;
}

/** What decides whether other servers share the rooms. */
export interface SharedRooms {
  /** undefined: all rooms are this server's. */
  readonly storage: Pick<OpenStorage, 'cluster' | 'bus'> | undefined;
  readonly role: Config['role'];
  /** See `HostRecords`. */
  readonly refresh: HostRecords['refresh'];
}

/**
 * Creates the registry of rooms, empty, and what leads visitors to it. With a cluster in `storage`,
 * rooms are taken over lease by lease, and those of other servers are reached over its bus.
 */
export function createRooms(options: RoomRegistryOptions, shared: SharedRooms): CreatedRooms {
  const { storage: { cluster, bus } = {}, role, refresh } = shared;
  const { places, ticker, clock, date, log } = options;
  if (!cluster || !bus) {
    const rooms = new RoomRegistry(options);
    return {
      rooms,
      cluster: undefined,
      directory: roomDirectory(rooms, places),
      stopStandby: () => {},
      isReady: () => true,
      leases: undefined,
      figures: () => undefined,
      connections: () => [],
      close: () => {},
    };
  }
  const { leases, node, report } = cluster;
  const accesses = new RoomAccesses({
    ...{ bus, clock },
    findServer: (room) => rooms.findServer(room),
    epochOf: (room) => leases.of(room)?.epoch,
  });
  const about = { name: node, role, version: serverVersion(), since: date() };
  const viewers = () => {
    const local = [...rooms.roomServers].map(([room, { broadcaster }]) => {
      return { room, connections: broadcaster.localSize };
    });
    const ofOthers = [...(remote?.sizes ?? [])].map(([room, connections]) => ({
      room,
      connections,
    }));
    return [...local, ...ofOthers].filter(({ connections }) => connections > 0);
  };
  const rooms: ClusterRooms = new ClusterRooms({
    ...options,
    describe: () => ({
      ...{ ...about, tick: ticker.meanTick ?? null, latency: bus.latency ?? null },
      viewers: viewers(),
    }),
    ...{ leases, report, refresh, runsRooms: role !== 'gateway', plans: DEFAULTS.cluster.plans },
    onOpen: (roomServer, pace) => {
      options.onOpen?.(roomServer, pace);
      accesses.open(roomServer);
    },
    onClose: (roomServer) => {
      accesses.close(roomServer);
      return options.onClose?.(roomServer);
    },
  });
  cluster.onEnd((room) => {
    rooms.stopForLostLease(room).catch((error: Error) => {
      log.error('room-not-stopped', `Room "${room}" cannot be stopped: ${error.message}`);
    });
  });
  const whyOver = (room: string): Reason | undefined => {
    try {
      rooms.findServer(room);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.reason !== 'elsewhere') return error.reason;
    }
    return undefined;
  };
  const remote = role === 'owner' ? undefined : new RemoteRooms({ bus, clock, node, whyOver });
  return {
    rooms,
    cluster: rooms,
    directory: roomDirectory(rooms, places, remote),
    stopStandby: () => rooms.stopStandby(),
    isReady: () => (remote ? bus.isUp : rooms.isOwner),
    leases: {
      releaseAll: () => {
        accesses.closeAll();
        return rooms.releaseAll();
      },
    },
    figures: () => ({
      latency: bus.latency,
      epochs: [...rooms.roomServers.keys()].flatMap((room) => {
        const epoch = leases.of(room)?.epoch;
        return epoch === undefined ? [] : [{ room, epoch }];
      }),
    }),
    connections: () => [
      ...[...accesses.connections].flatMap(([room, servers]) =>
        [...servers].map(([server, connections]) => ({ room, server, connections })),
      ),
      ...[...(remote?.sizes ?? [])].map(([room, connections]) => ({
        ...{ room, server: node, connections },
      })),
    ],
    close: () => remote?.close(),
  };
}
