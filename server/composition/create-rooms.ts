/**
 * Creates a server's registry of rooms and, in a cluster, the relay that forwards HTTP requests to
 * other servers.
 */
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import express, { type RequestHandler } from 'express';
import { API } from '../../shared/host/api.ts';
import { ROOM_DEFAULTS, type RoomSettings } from '../../shared/host/room-settings.ts';
import { type Reason, Refusal } from '../../shared/protocol/reasons.ts';
import { hashText } from '../../shared/random.ts';
import type { Bus } from '../cluster/bus/bus.ts';
import { RelayError, type RelayTarget, RequestRelay } from '../cluster/bus/request-relay.ts';
import type { Cluster } from '../cluster/open-cluster.ts';
import type { GardenerSettings } from '../gardener/gardener.ts';
import { isTarget, type Relay } from '../host/serve-calls.ts';
import { type LineageOptions, lineageRoutes } from '../http/room-pages.ts';
import { WALL_ALIVE, wallAlive } from '../http/routes.ts';
import type { Clock } from '../platform/clock.ts';
import { LocalSession, type RoomDirectory } from '../realtime/commands/client-messages.ts';
import { RemoteRooms } from '../realtime/gateway/remote-rooms.ts';
import { RoomAccesses } from '../realtime/gateway/room-access.ts';
import type { WallSeats } from '../realtime/policy/wall-seats.ts';
import { ClusterRooms } from '../rooms/cluster-rooms.ts';
import { RoomRegistry, type RoomRegistryOptions } from '../rooms/room-registry.ts';
import { type Config, DEFAULT_SIZE } from '../settings/server.ts';
import type { HostRecords } from './open-storage.ts';

interface CreateRoomsOptions extends RoomRegistryOptions {
  /** The cluster whose servers share the rooms; undefined if this server runs alone. */
  readonly cluster: Cluster | undefined;
  readonly bus: Bus | undefined;
  readonly config: Config;
  readonly records: HostRecords;
  /**
   * `version`: this server's version. `since`: wall-clock time at which this server started, in ms.
   */
  readonly version: string;
  readonly since: number;
}

/** Creates an empty registry of rooms, and the directory that connects visitors to rooms. */
export function createRooms(options: CreateRoomsOptions): ServerRooms {
  const { cluster, bus, wallSeats } = options;
  if (cluster && bus) return createClusterRooms({ ...options, cluster, bus });
  const rooms = new RoomRegistry(options);
  return { rooms, directory: roomDirectory(rooms, wallSeats) };
}

type InCluster = Omit<ReturnType<typeof createClusterRooms>, 'rooms' | 'directory'>;

/** The rooms of a server. If the server runs alone, only `rooms` and `directory` are defined. */
export interface ServerRooms extends Partial<InCluster> {
  readonly rooms: RoomRegistry;
  readonly directory: RoomDirectory;
}

function createClusterRooms(
  options: CreateRoomsOptions & { readonly cluster: Cluster; readonly bus: Bus },
) {
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
      const text = `This server could not stop the room "${room}" (${error.message}), although another server may run the room now. Restart this server.`;
      log.error('room-not-stopped', text);
    });
  });
  const whyOver = (room: string): Reason | undefined => {
    const reason = reasonAgainst(rooms, room);
    return reason === 'elsewhere' ? undefined : reason;
  };
  const remote = role === 'owner' ? undefined : new RemoteRooms({ bus, clock, node, whyOver });
  return {
    rooms,
    /** The object `rooms` again, with a type that includes the methods for a cluster. */
    cluster: rooms,
    directory: roomDirectory(rooms, wallSeats, remote),
    /**
     * Whether visitors can join through this server. A server that connects visitors to rooms of
     * other servers is ready while its bus works. Any other server is ready if it runs at least one
     * room, or if all rooms of the cluster are closed.
     */
    isReady: (): boolean => (remote ? bus.isUp : rooms.isLeader),
    /**
     * Releases the leases of all rooms, so that other servers can take over the rooms immediately.
     */
    releaseAll: (): Promise<void> => {
      accesses.closeAll();
      return rooms.releaseAll();
    },
    /** Returns the latency of the bus in ms, and the epoch of each lease that this server holds. */
    figures: () => ({
      latency: bus.latency,
      epochs: [...rooms.roomServers.keys()].flatMap((room) => {
        const epoch = leases.of(room)?.epoch;
        return epoch === undefined ? [] : [{ room, epoch }];
      }),
    }),
    /**
     * Lists the connections of other servers to rooms that run here, and the connections of this
     * server's visitors to rooms that run elsewhere.
     */
    connections: () => [
      ...[...accesses.connections].flatMap(([room, servers]) =>
        [...servers].map(([server, connections]) => ({ room, server, connections })),
      ),
      ...remoteViewers().map((viewer) => ({ ...viewer, server: node })),
    ],
    /**
     * Closes the links to rooms of other servers. Call this after all visitors have been
     * disconnected.
     */
    close: (): void => remote?.close(),
  };
}

/** Returns why visitors cannot join a room on this server; undefined if visitors can join. */
function reasonAgainst(rooms: Pick<RoomRegistry, 'findServer'>, room: string): Reason | undefined {
  try {
    rooms.findServer(room);
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    throw error;
  }
}

/**
 * Creates the directory that connects visitors to rooms.
 *
 * @param remote opens rooms of other servers; if undefined, visitors can reach only rooms of this
 *   server
 */
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

/** Returns the default settings of a room, which apply until the host changes them. */
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
 * Lists the rooms named in the configuration.
 *
 * @returns the rooms, and two flags: whether the configuration sets `size` and `checkpoint`
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

interface RelayOptions extends LineageOptions {
  /** Bus to the other servers; undefined if this server runs alone. */
  readonly bus: Bus | undefined;
  readonly cluster: ClusterRooms | undefined;
  readonly clock: Clock;
  /** Returns a key for the sender's address. Requests with the same key share their limits. */
  readonly addressOf: (request: IncomingMessage) => string;
  readonly rooms: RoomRegistry;
  /** The host's API, for requests that another server has authenticated. */
  readonly hostApi: RequestHandler;
}

/**
 * Opens the relay, which forwards a request about a room or a server to the server that can answer.
 * Without a bus, this server answers all requests itself.
 */
export async function openRelay(options: RelayOptions) {
  const { bus, cluster, clock, rooms, hostApi } = options;
  let relay: RequestRelay | undefined;
  /**
   * Returns a key for the visitor's address, even if another server has forwarded the request.
   * Requests with the same key share their limits.
   */
  const addressOf = (request: IncomingMessage): string =>
    relay?.addressOf(request) ?? options.addressOf(request);
  /**
   * Whether a wall that shows the room is connected from the request's address; undefined if the
   * room is not open on this server.
   */
  const hasWall = (room: string, request: IncomingMessage): boolean | undefined =>
    rooms.roomServers.get(room)?.walls.hasWallAt(addressOf(request));
  const lineage = lineageRoutes({ ...options, addressOf });
  if (bus && cluster) {
    const serve = express();
    serve.set('env', 'production');
    serve.disable('x-powered-by');
    serve.use(API, hostApi);
    serve.use(lineage);
    serve.get(WALL_ALIVE, wallAlive(hasWall));
    const isFor = (to: RelayTarget): boolean => isTarget(to, cluster);
    relay = await RequestRelay.open({ bus, clock, isFor, serve });
  }
  const pass: Relay['pass'] = async (to, request, response) => {
    try {
      await relay?.pass(to, request, response, options.addressOf(request));
      return relay !== undefined;
    } catch (error) {
      if (error instanceof RelayError) return false;
      throw error;
    }
  };
  /** Forwards a request if another server runs the requested room. */
  const passRoom: RequestHandler = async (request, response, next) => {
    const room = `${request.params.room}`;
    const isElsewhere = cluster?.isElsewhere(room) ?? false;
    if (!isElsewhere || !(await pass({ room }, request, response))) next();
  };
  const get: Relay['get'] = async (to, path, time) => relay?.get(to, path, time);
  return { lineage, hasWall, pass, passRoom, get, close: (): void => relay?.close() };
}
