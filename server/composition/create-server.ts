/**
 * Opens the parts of a server, connects them to each other, and closes them. Start reading at
 * `createVivariumServer`.
 */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Refusal } from '../../shared/protocol/reasons.ts';
import { RECORD_LIMITS } from '../cluster/valkey-records.ts';
import type { SkippedEngine } from '../engine/choose-backend.ts';
import { EngineError, type EngineLoss } from '../engine/engine.ts';
import { JoinedEngine } from '../engine/joined-engine.ts';
import { Hooks } from '../extensions/call-hooks.ts';
import { Gardeners } from '../gardener/gardener.ts';
import { openHost, type RunningHost } from '../host/host.ts';
import { loadGalleries } from '../http/room-pages.ts';
import { createApp } from '../http/routes.ts';
import { StaticFiles, wallBuild } from '../http/serve-client.ts';
import { type Alerts, startAlerts } from '../operations/alerts.ts';
import { DiskWatch } from '../operations/disk-watch.ts';
import {
  createMetrics,
  type Metrics,
  type MetricsServer,
  serveMetrics,
} from '../operations/metrics.ts';
import { RestartLimit } from '../operations/supervisor.ts';
import { ExhaustionWatch, limitsWithin, TickWatchdog } from '../operations/watches.ts';
import { type Osc, openOsc } from '../osc/open-osc.ts';
import { type Clock, systemClock } from '../platform/clock.ts';
import { startBoth } from '../platform/collections.ts';
import { type Log, silentLog } from '../platform/log.ts';
import {
  ConnectionLimits,
  hostCheck,
  RejectionCounts,
} from '../realtime/limits/connection-limits.ts';
import { createNameCheck } from '../realtime/names/display-names.ts';
import type { RoomServer } from '../realtime/room-server.ts';
import { httpOptions, MOVING, openSocketServer } from '../realtime/socket-server.ts';
import { CheckpointLibrary } from '../rooms/checkpoint-library.ts';
import {
  checkpointCopier,
  type NamedCheckpoint,
  prepareCheckpoint,
} from '../rooms/loaded-checkpoint.ts';
import type { Config } from '../settings/server.ts';
import { JournalWriter } from '../storage/journal-writer.ts';
import { storedSecret } from '../storage/lmdb/open.ts';
import { openMemory, StoreError } from '../storage/records.ts';
import { Store } from '../storage/store.ts';
import type { Room } from '../world/room.ts';
import { DeferredWork, Ticker, type TickTiming } from '../world/ticker.ts';
import { World } from '../world/world.ts';
import {
  configuredRooms,
  createRooms,
  defaultRoomSettings,
  gardenerSettings,
  openRelay,
  type ServerRooms,
  serverVersion,
} from './create-rooms.ts';
import {
  listen,
  localOrigin,
  networkAddresses,
  networkOrigins,
  venueAddresses,
  watchOrigin,
} from './listen.ts';
import { loadCheckpoints, openEngine, openHostRecords, openStorage } from './open-storage.ts';
import { runShutdownPhases, type ShutdownPhase } from './process-end.ts';

export interface VivariumServerOptions {
  readonly config: Config;
  readonly clientFolder: string;
  readonly clock?: Clock;
  /** Maximum number of engine threads, at least 1. If absent, the engine decides. */
  readonly engineThreads?: number;
  /** Called when the engine has lost a GPU or a thread and is replacing it. */
  readonly onEngineLoss?: (loss: EngineLoss) => void;
  readonly onTick?: (timing: TickTiming) => void;
  /** Returns the wall-clock time, in ms since 1970. The time may jump backwards. */
  readonly date?: () => number;
  /**
   * Lists this machine's network addresses; addresses that phones can probably reach come first.
   */
  readonly networkAddresses?: () => readonly string[];
  readonly log?: Log;
  /** Called about once a second while ticks run. */
  readonly onHeartbeat?: () => void;
  /**
   * Ends the process so that a supervisor such as systemd restarts it; absent without a supervisor.
   */
  readonly restart?: (() => void) | undefined;
  /** Called after an error if the server cannot continue to run rooms. */
  readonly onFatal: (error: unknown) => void;
}

/**
 * Parts that are created later than the parts that use them, and state that changes while the
 * server runs.
 */
interface Later {
  http?: Server;
  gardeners?: Gardeners;
  host?: RunningHost;
  osc?: Osc;
  metricsServer?: MetricsServer;
  alerts?: Alerts | undefined;
  stopWatchingOrigin?: () => void;
  hasFailed: boolean;
  closing?: Promise<void>;
}

export type VivariumServer = Awaited<ReturnType<typeof createVivariumServer>>;

/**
 * Starts the server. Resolves once the server listens for connections.
 *
 * @throws CheckpointError, ClusterError, EngineError, HookError, ListenError or StoreError,
 *   depending on the part that could not be opened
 */
export async function createVivariumServer(options: VivariumServerOptions) {
  const base = await openBase(options);
  const withRooms = { ...base, ...(await openRooms(base)) };
  const server = { ...withRooms, ...(await openPages(withRooms)) };
  const { later, bound, rooms, ticker, host } = server;
  const { config, checkpointList } = server;
  try {
    await rooms.start(...configuredRooms(config, checkpointList[0].card.name));
    await openDoors(server);
  } catch (error) {
    await shutDown(server, silentLog);
    throw error;
  }
  const { networkOrigins, qrOrigin, skippedEngines, journalWriter, world, gardeners } = server;
  return {
    ...{ networkOrigins, qrOrigin, skippedEngines, journalWriter, world, rooms, gardeners },
    port: bound().port,
    localOrigin: localOrigin(bound()),
    engine: server.engine.info,
    roomServers: rooms.roomServers as ReadonlyMap<string, RoomServer>,
    /** The host's access token, if it was created at this start. Only a token's hash is stored. */
    hostToken: host.token.fresh,
    /** Port for metrics, if metrics have a separate port. */
    metricsPort: later.metricsServer?.port,
    /** Port for incoming OSC messages; undefined if OSC is off. */
    oscPort: later.osc?.port,
    /** Number of rejected connections and messages since the start, by reason. */
    rejectionCounts: server.rejections,
    setTickRate: (room: Room, rate: number): void => {
      ticker.setRate(room, rate);
      room.setTickRate(rate);
    },
    /**
     * Stops the server in the order of the shutdown phases.
     *
     * @throws the error of the first phase that failed
     */
    close: (): Promise<void> => {
      later.closing ??= shutDown(server, server.log);
      return later.closing;
    },
  };
}

/**
 * Opens everything that rooms need: checkpoints, extensions, engine, storage and the host's
 * records.
 */
async function openBase(options: VivariumServerOptions) {
  const { config, clock = systemClock, date = Date.now, log = silentLog } = options;
  const { onEngineLoss: onLoss, engineThreads: threads } = options;
  const folder = config.data === 'none' ? undefined : config.data;
  const checkpoints = await loadCheckpoints(config, folder, log);
  // Read the client's files before opening any part that would have to be closed after a failure.
  const files = await StaticFiles.load(options.clientFolder);
  const checkpointFolders = new Map(checkpoints.map((one) => [one.card.name, one.folder]));
  const gallery = await loadGalleries(checkpointFolders);
  const names = createNameCheck(config.bannedWords ?? []);
  const hooks = await Hooks.open(config.extension, clock, log, config.limits);
  /** Faster engines that could not be used, with the reasons. */
  let skippedEngines: readonly SkippedEngine[] = [];
  const engineOptions = {
    ...(onLoss && { onLoss }),
    ...(threads !== undefined && { threads }),
  };
  const [started, opened] = await startBoth(
    openEngine(config, {
      checkpoints,
      onSkipped: (skipped) => {
        skippedEngines = skipped;
      },
      ...engineOptions,
    }),
    openStorage(config, folder, { clock, date, log }),
  ).catch(async (error: unknown) => {
    await hooks.close();
    throw error;
  });
  const { store, cluster, bus } = opened ?? {};
  const hostStore = store ?? new Store(openMemory());
  const secret = cluster?.secret ?? storedSecret(folder, 'passes.key');
  const isShared = cluster !== undefined;
  const records = await openHostRecords(hostStore, isShared, secret, { date, clock, log });
  const engine = new JoinedEngine(started);
  const world = new World(engine);
  const newPatch = () => world.newPatch();
  const prepare = (one: NamedCheckpoint) =>
    prepareCheckpoint(one, { engine, newPatch, clock, log });
  const loaded = await Promise.all(checkpoints.map(prepare));
  const previews = loaded.map((one) => one.previews);
  const byName = new Map(loaded.map((one) => [one.species.checkpoint, one]));
  const library = new CheckpointLibrary({
    ...{ folder: config.library, store: hostStore, checkpoints: byName, checkpointFolders, log },
    prepare: async (checkpoint) => {
      const { name } = checkpoint.card;
      engine.add(name, await openEngine(config, { checkpoints: [checkpoint], ...engineOptions }));
      const added = await prepare(checkpoint).catch(async (error: unknown) => {
        await engine.remove(name);
        throw error;
      });
      checkpoints.push(checkpoint);
      checkpointFolders.set(name, checkpoint.folder);
      previews.push(added.previews);
      byName.set(name, added);
    },
  });
  await library.reload();
  const later: Later = { hasFailed: false };
  const bound = () => later.http!.address() as AddressInfo;
  const { networkAddresses: addresses } = options;
  return {
    ...{ options, config, folder, clock, date, log, hooks, engine, skippedEngines, world, records },
    ...{ opened, store, cluster, bus, hostStore, secret, later, bound, files, gallery, names },
    ...{ previews, checkpoints: byName, checkpointFolders, library },
    checkpointList: checkpoints,
    rejections: new RejectionCounts(),
    version: serverVersion(),
    since: date(),
    /**
     * Lists the origins at which phones may be able to reach the server now, the most likely one
     * first.
     */
    networkOrigins: () => networkOrigins(bound(), (addresses ?? networkAddresses)()),
    /** Returns the origin for QR codes; '' if phones probably cannot reach the server. */
    qrOrigin: () => networkOrigins(bound(), (addresses ?? venueAddresses)())[0] ?? '',
  };
}
export type ServerBase = Awaited<ReturnType<typeof openBase>>;

/** Creates the registry of rooms, the journal writer and the tick loop. Does not open any rooms. */
async function openRooms(base: ServerBase) {
  const { config, options, clock, date, log, folder, hooks, engine, world, later } = base;
  const { opened, store, cluster, records, checkpointFolders } = base;
  const journalWriter =
    store &&
    new JournalWriter({
      ...{ store, engine, clock, date },
      snapshotLeast: 1000 * config.snapshot,
      ...(cluster && { maxBytes: RECORD_LIMITS.snapshotBytes }),
      warn: (name, message) => log.warn(name, message),
      onCommit: (duration) => metrics?.committed(duration),
    });
  world.journal = (ticks) => {
    later.host?.counter.record(ticks);
    return journalWriter?.record(ticks) ?? Promise.resolve();
  };
  const disk = folder === undefined ? undefined : new DiskWatch(folder, log, clock);
  const roomServers = () => serverRooms.rooms.roomServers;
  const loop = createTickLoop(base, journalWriter, roomServers, () => metrics);
  const { ticker } = loop;
  const storage = opened && journalWriter && { ...opened, aside: opened.aside, journalWriter };
  const build = await wallBuild(options.clientFolder);
  const defaults = defaultRoomSettings(config);
  const { bans, wallSeats } = records;
  const serverRooms: ServerRooms = createRooms({
    ...{ ...base, bans, wallSeats, ticker, storage, defaults, engine: engine.info },
    retainCheckpoint:
      folder === undefined ? undefined : checkpointCopier(folder, checkpointFolders, log),
    ...{ flashLimit: config.maxFlashes, keepUrl: config.keepUrl },
    maxSpectators: config.maxSpectators,
    onOpen: (roomServer, pace) => hooks.watch(roomServer, pace),
    onClose: (roomServer) => {
      hooks.unwatch(roomServer);
      return later.host?.counter.closed(roomServer.room.name);
    },
    onSettings: (room, settings) =>
      later.gardeners?.of(room)?.configure(gardenerSettings(settings)),
    wallInfo: () => ({ origin: base.qrOrigin(), build }),
  });
  const { rooms } = serverRooms;
  const metrics =
    config.metrics === 'none'
      ? undefined
      : createMetrics({
          engine: engine.info,
          isPersisting: () => journalWriter?.isPersisting,
          diskFree: () => disk?.free,
          setAside: () => opened?.aside?.damaged.length,
          rejections: () => base.rejections.totals(),
          remote: () => serverRooms.connections?.() ?? [],
          cluster: () => serverRooms.figures?.(),
          alerts: () => later.alerts?.open ?? [],
          roomServers: rooms.roomServers,
          rateOf: (room) => ticker.pace(room)!.actual,
        });
  return { ...loop, journalWriter, disk, metrics, storage, defaults, serverRooms, rooms };
}

/**
 * Creates the tick loop. At each tick, the loop steps the rooms that are due, writes the journal,
 * and broadcasts the changes.
 *
 * @param roomServers returns the room servers of all open rooms, by room name
 */
export function createTickLoop(
  base: Pick<
    ServerBase,
    'world' | 'clock' | 'hooks' | 'cluster' | 'previews' | 'options' | 'later'
  >,
  journalWriter: JournalWriter | undefined,
  roomServers: () => ReadonlyMap<string, RoomServer>,
  metrics: () => Metrics | undefined,
) {
  const { world, clock, hooks, cluster, previews, options, later } = base;
  const fail = (error: unknown): void => {
    later.hasFailed = true;
    options.onFatal(error);
  };
  /**
   * Returns whether this server is allowed to tick the room now. Returns false if another server is
   * possibly running the room.
   */
  const mayTick = (room: string): boolean => cluster?.leases.mayTick(room) ?? true;
  const onStalled = (): void =>
    fail(
      world.isStoring
        ? new StoreError(
            'write-failed',
            'A tick could not be stored, because the disk of the data folder (in a cluster: Valkey) does not answer. Check the disk or Valkey.',
          )
        : new EngineError('failed', 'a tick did not end, because the engine does not respond'),
    );
  const watchdog = new TickWatchdog(clock, onStalled, options.onHeartbeat);
  const deferredWork = new DeferredWork(clock, fail);
  const ticker = new Ticker({
    clock,
    tick: async (planned, isApart) => {
      const due = planned.filter(({ name }) => mayTick(name));
      if (due.length === 0) return;
      for (const { name } of due) roomServers().get(name)?.tickInProgress.begin();
      const ticks = await watchdog.during(world.tick(due, () => deferredWork.run(), isApart));
      journalWriter?.ticked(ticks);
      const ticked: RoomServer[] = [];
      for (const { room, result } of ticks) {
        const roomServer = roomServers().get(room.name);
        // Skip rooms that this server is no longer allowed to run, for example because the process
        // was suspended during the tick.
        if (!roomServer || !mayTick(room.name)) continue;
        roomServer.handleTick(result, clock.now());
        hooks.ticked(roomServer, result);
        ticked.push(roomServer);
      }
      const broadcast = (): void => {
        for (const roomServer of ticked) {
          if (mayTick(roomServer.room.name)) roomServer.broadcast(clock.now());
        }
      };
      // If there is no time before the next tick, broadcast during it. But if clients wait for a
      // refresh, broadcast now, because the refresh must show the state before the next tick
      // changes it.
      const mustRefresh = ticked.some((roomServer) => roomServer.refresh.hasPending);
      if (ticker.isBehind && !mustRefresh) deferredWork.defer(broadcast);
      else broadcast();
      metrics()?.ticked(ticks);
    },
    onTick: (timing) => {
      metrics()?.timed(timing);
      options.onTick?.(timing);
    },
    onPause: (until) => {
      for (const { growth } of previews) growth.pause(until);
    },
    onError: fail,
  });
  return { ticker, watchdog, deferredWork };
}

type ServerWithRooms = ServerBase & Awaited<ReturnType<typeof openRooms>>;

/**
 * Creates the host's API, the HTTP routes of web pages and the socket server. Does not listen for
 * connections yet.
 */
async function openPages(server: ServerWithRooms) {
  const { config, options, clock, date, log, bus, cluster, later, engine } = server;
  const { rejections, rooms, serverRooms } = server;
  const { bans, wallSeats } = server.records;
  const { trustProxy, origins = [], embed = [], hosts } = config;
  const limits = limitsWithin(config.limits, log);
  const connectionLimits = new ConnectionLimits({
    ...{ limits, origins, embed, trustProxy, clock, rejections },
    isForUs: hosts && hostCheck(hosts, server.networkOrigins),
    shared: cluster && bus && { bus, node: cluster.node },
  });
  const addressOf = (request: IncomingMessage): string => connectionLimits.addressKeyOf(request);
  const host = await openHost({
    ...{ ...server, bans, wallSeats, engine: engine.info, cluster: serverRooms.cluster },
    ...{ valkey: config.cluster, backend: config.engine, addresses: server.networkOrigins },
    ...{ newToken: config.newHostToken, addressOf, restart: options.restart },
    ...{ relay: () => relay, alerts: () => (config.alerts ? later.alerts : undefined) },
  });
  later.host = host;
  const relay = await openRelay({
    ...{ ...server, cluster: serverRooms.cluster, bans, addressOf, hostApi: host.relayed },
  });
  const gardeners = new Gardeners(rooms.roomServers, clock, config.seed, (room) =>
    gardenerSettings(rooms.settingsOf(room)),
  );
  later.gardeners = gardeners;
  server.hooks.add(gardeners);
  const limit = new RestartLimit(server.store, clock, date);
  const descriptors = new ExhaustionWatch({ clock, log, limit, restart: options.restart });
  const app = createApp({
    ...{ ...server, relay, trustProxy, connectionLimits, embed, descriptors, host: host.router },
    ...{ origins: [...origins, ...embed], defaultRoom: config.rooms[0] },
    metrics: config.metrics === 'same' ? server.metrics : undefined,
  });
  const http = createServer(httpOptions(limits), app);
  later.http = http;
  const { directory } = serverRooms;
  const sockets = openSocketServer(http, {
    ...{ rooms: directory, clock, limits, connectionLimits, trustProxy, rejections },
    names: server.names,
  });
  return { host, relay, gardeners, descriptors, connectionLimits, limits, http, sockets };
}

type WholeServer = ServerWithRooms & Awaited<ReturnType<typeof openPages>>;

/**
 * Starts listening for visitors, OSC messages and requests for metrics, and starts the alerts.
 *
 * @throws ListenError, HookError
 */
async function openDoors(server: WholeServer): Promise<void> {
  const { config, clock, log, hooks, rooms, later, limits, rejections, http, metrics } = server;
  later.osc = await openOsc({
    ...{ out: config.oscOut, in: config.oscIn, allowed: config.oscAllow },
    // A gateway runs no rooms, so it needs the bus only to forward incoming OSC messages.
    bus: config.role === 'gateway' && !config.oscIn ? undefined : server.bus,
    ...{ hooks, rooms, limits, rejections, clock, log },
    pause: async (room, paused) => {
      try {
        await rooms.change(room, { paused });
      } catch (error) {
        const text = `An OSC message could not pause or resume the room "${room}": ${(error as Error).message}.`;
        log.warn('osc-not-paused', text);
        throw new Refusal('room-busy');
      }
    },
  });
  await listen({ flag: '--port', host: config.host, port: config.port }, async () => {
    http.listen(config.port, config.host);
    await once(http, 'listening');
  });
  // Log the error and continue, because the error may concern only one connection.
  http.on('error', (error) => log.warn('not-accepted', error.message));
  const { metrics: port } = config;
  if (metrics && typeof port === 'number') {
    const { admitHost } = server.connectionLimits;
    later.metricsServer = await listen({ flag: '--metrics', host: '127.0.0.1', port }, () =>
      serveMetrics(metrics, port, admitHost, log),
    );
  }
  later.stopWatchingOrigin = watchOrigin(clock, server.qrOrigin, () => {
    for (const { refresh } of rooms.roomServers.values()) refresh.requestWalls();
  });
  later.alerts = await startAlerts(server);
  // Store the new access token last. Otherwise, after a failed start, a token would be stored that
  // was never shown to the host.
  await server.host.keepToken();
}

/**
 * Stops the server. Also works after a failed start, when some parts do not exist.
 *
 * @throws the error of the first phase that failed
 */
function shutDown(server: WholeServer, log: Log): Promise<void> {
  server.serverRooms.cluster?.stopStandby();
  server.watchdog.stop();
  server.descriptors.stop();
  server.disk?.stop();
  server.later.stopWatchingOrigin?.();
  return runShutdownPhases(shutdownPhases(server), log);
}

/**
 * Lists the phases of a shutdown, in order. After a failed start, parts in `later` may be missing.
 */
export function shutdownPhases(server: WholeServer): ShutdownPhase[] {
  const { config, cluster, sockets, previews, journalWriter, serverRooms, later } = server;
  return [
    { name: 'new connections are refused', run: () => sockets.stopAdmitting() },
    {
      name: 'the last tick has ended',
      run: () => server.ticker.stop().then(() => server.deferredWork.run()),
    },
    {
      name: 'previews have stopped',
      run: () => Promise.all(previews.map((preview) => preview.stop())),
    },
    { name: 'rooms are saved', run: () => journalWriter?.saveAll() },
    {
      name: 'host records are saved',
      // Release the rooms only after all records are stored, because the next leaders read these
      // records.
      run: () =>
        Promise.all([server.host.close(), later.alerts?.close()]).finally(() =>
          serverRooms.releaseAll?.(),
        ),
    },
    {
      name: 'clients are disconnected',
      run: async () => {
        // Make visitors' pages connect to other servers. A gateway moves them gradually, because
        // their rooms still run on other servers. Any other server moves them all at once, because
        // its rooms have stopped.
        if (cluster) await sockets.moveAway(config.role === 'gateway' ? MOVING.time : 0);
        await sockets.close();
        serverRooms.close?.();
        server.relay.close();
      },
    },
    { name: 'OSC has stopped', run: () => later.osc?.close() },
    { name: 'extensions have stopped', run: () => server.hooks.close() },
    {
      name: 'the engine has stopped',
      // First wait for the threads that refine visitors' drawings, because these threads use the
      // engine.
      run: async () => {
        await Promise.all(previews.map((preview) => preview.close()));
        await server.engine.close();
      },
    },
    {
      name: 'the store is closed',
      run: () => journalWriter?.close().then(() => server.opened?.close()),
    },
    {
      name: 'metrics have stopped',
      run: () => {
        server.metrics?.close();
        return later.metricsServer?.close();
      },
    },
  ];
}
