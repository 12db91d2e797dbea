/** Creates the rooms of a server that runs alone or shares its rooms with other servers. */

import { readFileSync } from 'node:fs';
import { ROOM_DEFAULTS, type RoomSettings } from '../../shared/host/room-settings.ts';
import { type Reason, Refusal } from '../../shared/protocol/reasons.ts';
import { hashText } from '../../shared/random.ts';
import type { Bus } from '../cluster/bus/bus.ts';
import type { Cluster } from '../cluster/open-cluster.ts';
import type { GardenerSettings } from '../gardener/gardener.ts';
import type { MetricsOptions } from '../operations/metrics.ts';
import { RemoteRooms } from '../realtime/gateway/remote-rooms.ts';
import { RoomAccesses } from '../realtime/gateway/room-access.ts';
import type { WallSeats } from '../realtime/policy/wall-seats.ts';
import { LocalSession, type RoomDirectory } from '../realtime/sessions/local-session.ts';
import { ClusterRooms } from '../rooms/cluster-rooms.ts';
import { RoomRegistry, type RoomRegistryOptions } from '../rooms/room-registry.ts';
import { type Config, DEFAULT_SIZE } from '../settings/server.ts';
import type { HostRecords } from './open-host-records.ts';

export interface CreateRoomsOptions extends RoomRegistryOptions {
  /** The cluster whose servers share the rooms; undefined if this server runs all rooms. */
  readonly cluster: Cluster | undefined;
  readonly bus: Bus | undefined;
  readonly config: Config;
  readonly records: HostRecords;
  /** Version of this server, and when it started (wall clock, ms). */
  readonly version: string;
  readonly since: number;
}

/** A server's rooms, with the queries that other parts of the server need. */
export interface ServerRooms {
  readonly rooms: RoomRegistry;
  /** The same object as `rooms`, if other servers share the rooms. */
  readonly cluster?: ClusterRooms;
  /** Opens sessions for incoming connections. */
  readonly directory: RoomDirectory;
  /** Stops waiting to take over rooms that other servers run. */
  stopStandby(): void;
  /**
   * Whether visitors can join here. In a cluster, a server that connects visitors to rooms of other
   * servers is ready while its bus works. A server that connects visitors only to its own rooms is
   * ready while `ClusterRooms.isLeader` is true.
   */
  isReady(): boolean;
  /** Gives up the rooms, so that other servers can take them over immediately. */
  releaseAll(): Promise<void>;
  /** The values for `MetricsOptions.cluster`. */
  figures(): ReturnType<MetricsOptions['cluster']>;
  /** The values for `MetricsOptions.remote`. */
  connections(): ReturnType<MetricsOptions['remote']>;
  /**
   * Closes the links to rooms of other servers. Call it after all visitors' connections have ended.
   */
  close(): void;
}

/**
 * Creates the empty registry of rooms, and the directory that leads visitors to rooms. In a
 * cluster, the registry takes over a room when it gets the room's lease, and the bus connects
 * visitors to rooms of other servers.
 */
export function createRooms(options: CreateRoomsOptions): ServerRooms {
  const { cluster, bus, wallSeats } = options;
  if (cluster && bus) return createClusterRooms({ ...options, cluster, bus });
  const rooms = new RoomRegistry(options);
  return {
    rooms,
    directory: roomDirectory(rooms, wallSeats),
    stopStandby: () => {},
    isReady: () => true,
    releaseAll: async () => {},
    figures: () => undefined,
    connections: () => [],
    close: () => {},
  };
}

function createClusterRooms(
  options: CreateRoomsOptions & { readonly cluster: Cluster; readonly bus: Bus },
): ServerRooms {
  const { cluster, bus, wallSeats, ticker, clock, log, version, since } = options;
  const { role } = options.config;
  const { leases, node, report } = cluster;
  const accesses = new RoomAccesses({
    ...{ bus, clock },
    findServer: (room) => rooms.findServer(room),
    epochOf: (room) => leases.of(room)?.epoch,
  });
  const remoteViewers = () =>
    [...(remote?.sizes ?? [])].map(([room, connections]) => ({ room, connections }));
  const viewers = () => {
    const local = [...rooms.roomServers].map(([room, { broadcaster }]) => {
      return { room, connections: broadcaster.size };
    });
    return [...local, ...remoteViewers()].filter(({ connections }) => connections > 0);
  };
  const rooms: ClusterRooms = new ClusterRooms({
    ...options,
    describe: () => ({
      ...{ name: node, role, version, since, viewers: viewers() },
      ...{ tick: ticker.meanTick ?? null, latency: bus.latency ?? null },
    }),
    ...{ leases, report, refresh: options.records.refresh, runsRooms: role !== 'gateway' },
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
      log.error(
        'room-not-stopped',
        `Room "${room}" could not be stopped after its lease ended (${error.message}). Restart this server.`,
      );
    });
  });
  const whyOver = (room: string): Reason | undefined => {
    const reason = reasonAgainst(rooms, room);
    return reason === 'elsewhere' ? undefined : reason;
  };
  const remote = role === 'owner' ? undefined : new RemoteRooms({ bus, clock, node, whyOver });
  return {
    rooms,
    cluster: rooms,
    directory: roomDirectory(rooms, wallSeats, remote),
    stopStandby: () => rooms.stopStandby(),
    isReady: () => (remote ? bus.isUp : rooms.isLeader),
    releaseAll: () => {
      accesses.closeAll();
      return rooms.releaseAll();
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
      ...remoteViewers().map((viewer) => ({ ...viewer, server: node })),
    ],
    close: () => remote?.close(),
  };
}

/** Returns the reason why nobody can join a room here; undefined if visitors can join. */
function reasonAgainst(rooms: Pick<RoomRegistry, 'findServer'>, room: string): Reason | undefined {
  try {
    rooms.findServer(room);
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    throw error;
  }
}

/** @param remote undefined if the directory leads only to rooms of this server */
function roomDirectory(
  rooms: Pick<RoomRegistry, 'findServer'>,
  wallSeats: Pick<WallSeats, 'find'>,
  remote?: Pick<RemoteRooms, 'open'>,
): RoomDirectory {
  return {
    open(room, client) {
      if (remote && reasonAgainst(rooms, room) === 'elsewhere') return remote.open(room, client);
      rooms.findServer(room);
      return new LocalSession(() => rooms.findServer(room), client);
    },
    acceptsPass: (room, pass) => wallSeats.find(room, pass) !== undefined,
  };
}

/** @returns the settings that a room has until the host changes them */
export function defaultRoomSettings(config: Config): RoomSettings {
  const { tickRate, capacity, maxOrganisms, birth, healing, energy } = config;
  const { liveliness, water, lifetime } = config;
  const isOn = config.attract !== 'off';
  const after = config.attract === 'off' ? ROOM_DEFAULTS.attract.after : config.attract;
  return {
    ...ROOM_DEFAULTS,
    ...{ tickRate, capacity, maxOrganisms, birth, healing, liveliness, water, lifetime, energy },
    ...{ attract: { on: isOn, after, wounds: config.gardenerWounds } },
  };
}

export function gardenerSettings({ attract, curation }: RoomSettings): GardenerSettings {
  const after = attract.on ? 1_000 * attract.after : 'off';
  return { after, wounds: attract.wounds, curation };
}

/**
 * @returns the configured rooms, and which of their properties the configuration sets explicitly
 */
export function configuredRooms({ rooms, seed, size, checkpoint }: Config, loaded: string) {
  const { width, height } = size ?? DEFAULT_SIZE;
  const fixed = rooms.map((name) => {
    return { name, width, height, seed: hashText(`${seed}/${name}`), checkpoint: loaded };
  });
  return [fixed, { size: size !== undefined, checkpoint: checkpoint !== undefined }] as const;
}

export function serverVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
