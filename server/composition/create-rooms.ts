/** The rooms of a server that has them alone, or shares them with others. */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { RoomSettings } from '../../shared/host/settings.ts';
import { type Reason, Refusal } from '../../shared/protocol/reasons.ts';
import { hashText } from '../../shared/random.ts';
import type { GardenerSettings } from '../gardener/gardener.ts';
import { serverVersion } from '../host/cluster-calls.ts';
import type { MetricsOptions } from '../operations/metrics.ts';
import { RemoteRooms } from '../realtime/gateway/remote-room.ts';
import { RoomAccesses } from '../realtime/gateway/room-access.ts';
import type { WallPlaces } from '../realtime/policy/wall-places.ts';
import type { RoomServer } from '../realtime/room-server.ts';
import { LocalSession, type RoomDirectory } from '../realtime/sessions/local-session.ts';
import { ClusterRooms } from '../rooms/cluster-rooms.ts';
import { RoomRegistry, type RoomRegistryOptions } from '../rooms/room-registry.ts';
import type { Config } from '../settings/server.ts';
import type { Ticker } from '../world/ticker.ts';
import type { HostRecords } from './open-host-records.ts';
import type { OpenStorage } from './open-storage.ts';

/**
 * @param places the places of walls, in all rooms
 * @param remote undefined: only to rooms of this server
 */
export function roomDirectory(
  rooms: Pick<RoomRegistry, 'findServer'>,
  places: Pick<WallPlaces, 'find'>,
  remote?: Pick<RemoteRooms, 'open'>,
): RoomDirectory {
  return {
    open(room, client) {
      const find = () => rooms.findServer(room);
      try {
        find();
      } catch (error) {
        const isElsewhere = error instanceof Refusal && error.reason === 'elsewhere';
        if (isElsewhere && remote) return remote.open(room, client);
        throw error;
      }
      return new LocalSession(find, client);
    },
    acceptsPass: (room, pass) => places.find(room, pass) !== undefined,
  };
}

/** A server's rooms, with what the rest of it asks about them. */
export interface CreatedRooms {
  readonly rooms: RoomRegistry;
  /** The same if other servers share them. */
  readonly cluster: ClusterRooms | undefined;
  /** Where connections come in. */
  readonly directory: RoomDirectory;
  /** Ends the wait for rooms that other servers have. */
  stopStandby(): void;
  /** Whether visitors can come in here: see `ClusterRooms.isLeader`, or rooms of others too. */
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
    ...{ leases, report, refresh, runsRooms: role !== 'gateway' },
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
    isReady: () => (remote ? bus.isUp : rooms.isLeader),
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

/** @returns the settings of a room that the host has not changed */
export function defaultRoomSettings(config: Config): RoomSettings {
  const { tickRate, capacity, maxOrganisms, energy } = config;
  const { gardenerWounds: wounds } = config;
  const attract =
    config.attract === 'off'
      ? { ...DEFAULTS.house.attract, on: false, wounds }
      : { on: true, after: config.attract, wounds };
  const { birth, healing, liveliness, lifetime } = config;
  const life = { birth, healing, liveliness, lifetime };
  return { ...DEFAULTS.house, tickRate, capacity, maxOrganisms, ...life, energy, attract };
}

/** @returns how a room's gardener behaves */
export function gardenerSettings({ attract }: RoomSettings): GardenerSettings {
  return { after: attract.on ? 1_000 * attract.after : 'off', wounds: attract.wounds };
}

/** @returns the rooms of the configuration, and what of them it names explicitly */
export function configuredRooms({ rooms, seed, size, checkpoint }: Config, loaded: string) {
  const { width, height } = size ?? DEFAULTS.room;
  const fixed = rooms.map((name) => {
    return { name, width, height, seed: hashText(`${seed}/${name}`), checkpoint: loaded };
  });
  return [fixed, { size: size !== undefined, checkpoint: checkpoint !== undefined }] as const;
}

/** @param roomServers the servers of the open rooms */
export function roomFigures(
  roomServers: Iterable<RoomServer>,
  ticker: Pick<Ticker, 'pace'>,
): ReturnType<MetricsOptions['rooms']> {
  return [...roomServers].map(({ room, size, walls, reports }) => ({
    name: room.name,
    participants: size,
    organisms: room.size,
    awake: room.awake,
    reported: reports.size,
    rate: ticker.pace(room)!.actual,
    tick: room.tick,
    walls: walls.upCount,
    wallStates: walls.states,
  }));
}
