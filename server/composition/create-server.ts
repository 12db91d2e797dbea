/**
 * Opens the parts of a server one after another, connects them, and closes them. This module only
 * assembles: how rooms, pages and the host's calls behave is up to the parts.
 * Start reading at `createVivariumServer`.
 */

import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Refusal } from '../../shared/protocol/reasons.ts';
import { RECORD_LIMITS } from '../cluster/valkey-records.ts';
import type { SkippedEngine } from '../engine/choose-backend.ts';
import type { EngineLoss } from '../engine/engine.ts';
import { Hooks } from '../extensions/call-hooks.ts';
import { Gardeners } from '../gardener/gardener.ts';
import { openHost, type RunningHost } from '../host/host.ts';
import { wallBuild } from '../http/client-build.ts';
import { loadGalleries } from '../http/room-pages.ts';
import { createApp } from '../http/routes.ts';
import { StaticFiles } from '../http/static-files.ts';
import { type Alerts, startAlerts } from '../operations/alert-monitor.ts';
import { createMetrics, type MetricsServer, serveMetrics } from '../operations/metrics.ts';
import { RestartLimit } from '../operations/supervisor.ts';
import { DiskWatch, ExhaustionWatch, limitsWithin } from '../operations/watches.ts';
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
import { checkpointCopier, prepareCheckpoint } from '../rooms/loaded-checkpoint.ts';
import type { Config } from '../settings/server.ts';
import { JournalWriter } from '../storage/journal-writer.ts';
import { storedSecret } from '../storage/lmdb/open.ts';
import { openMemory } from '../storage/records.ts';
import { Store } from '../storage/store.ts';
import type { Room } from '../world/room.ts';
import type { TickTiming } from '../world/ticker.ts';
import { World } from '../world/world.ts';
import {
  configuredRooms,
  createRooms,
  defaultRoomSettings,
  gardenerSettings,
  serverVersion,
} from './create-rooms.ts';
import {
  listen,
  listenHttp,
  localOrigin,
  networkAddresses,
  networkOrigins,
  venueAddresses,
  watchOrigin,
} from './listen.ts';
import { openHostRecords } from './open-host-records.ts';
import { loadCheckpoints, openEngine, openStorage } from './open-storage.ts';
import { PageRelay } from './page-relay.ts';
import { runShutdownPhases, shutdownPhases } from './process-end.ts';
import { createTickLoop } from './tick-loop.ts';

export interface VivariumServerOptions {
  readonly config: Config;
  readonly clientFolder: string;
  readonly clock?: Clock;
  /** Maximum number of engine threads, at least 1; if absent, as many as the engine can use. */
  readonly engineThreads?: number;
  /**
   * Called when the engine has lost a GPU or a thread and is replacing it. Rooms pause for a
   * moment, then continue.
   */
  readonly onEngineLoss?: (loss: EngineLoss) => void;
  /** Called after each tick, for measurements. */
  readonly onTick?: (timing: TickTiming) => void;
  /** Wall clock, ms since the epoch; it may be set back. */
  readonly date?: () => number;
  /** This machine's network addresses; those that phones can probably reach come first. */
  readonly networkAddresses?: () => readonly string[];
  readonly log?: Log;
  /** Called about once a second while ticks run. */
  readonly onHeartbeat?: () => void;
  /** Ends the process, so that a supervisor restarts it; absent if there is no supervisor. */
  readonly restart?: (() => void) | undefined;
  /** Called when the rooms cannot continue. */
  readonly onFatal: (error: unknown) => void;
}

/** State that changes after the start, and parts that open after the parts that use them. */
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
 * Starts the server and resolves once it listens.
 *
 * @throws CheckpointError, ClusterError, EngineError, HookError, ListenError, StoreError
 */
export async function createVivariumServer(options: VivariumServerOptions) {
  const base = await openBase(options);
  const withRooms = { ...base, ...(await openRooms(base)) };
  const server = { ...withRooms, ...(await openPages(withRooms)) };
  const { later, bound, rooms, ticker, host } = server;
  try {
    await openDoors(server);
  } catch (error) {
    await shutDown(server, silentLog);
    throw error;
  }
  return {
    port: bound().port,
    localOrigin: localOrigin(bound()),
    networkOrigins: server.networkOrigins,
    qrOrigin: server.qrOrigin,
    engine: server.engine.info,
    /** Faster engines that could not be used, each with the reason. */
    skippedEngines: server.skippedEngines,
    /** Undefined if rooms are not stored. */
    journalWriter: server.journalWriter,
    world: server.world,
    rooms,
    /** The servers of the open rooms, by room name. */
    roomServers: rooms.roomServers as ReadonlyMap<string, RoomServer>,
    /** The host's token, if it was created at this start. Show it now: only its hash is stored. */
    hostToken: host.freshToken,
    /** The port for metrics, if they have a separate port. */
    metricsPort: later.metricsServer?.port,
    gardeners: server.gardeners,
    /** The port for incoming OSC messages; undefined if OSC is off. */
    oscPort: later.osc?.port,
    /** Rejections since the start, by reason. */
    rejectionCounts: server.rejections,
    setTickRate: (room: Room, rate: number): void => {
      ticker.setRate(room, rate);
      room.setTickRate(rate);
    },
    /** Stops the server in the order of the shutdown phases. @throws the first phase's error */
    close: (): Promise<void> => {
      later.closing ??= shutDown(server, server.log);
      return later.closing;
    },
  };
}

/** Opens the parts that rooms need: checkpoints, extensions, engine, storage and host records. */
async function openBase(options: VivariumServerOptions) {
  const { config, clock = systemClock, date = Date.now, log = silentLog } = options;
  const { onEngineLoss: onLoss, engineThreads: threads } = options;
  const folder = config.data === 'none' ? undefined : config.data;
  const checkpoints = await loadCheckpoints(config, folder, log);
  // Read the client's files first: if they are unreadable, nothing needs to be closed.
  const files = await StaticFiles.load(options.clientFolder);
  const checkpointFolders = new Map(checkpoints.map((one) => [one.card.name, one.folder]));
  const gallery = await loadGalleries(checkpointFolders);
  const names = createNameCheck(config.bannedWords ?? []);
  const hooks = await Hooks.open({ files: config.extension, clock, log, limits: config.limits });
  let skippedEngines: readonly SkippedEngine[] = [];
  const [engine, opened] = await startBoth(
    openEngine(config, {
      checkpoints,
      onSkipped: (skipped) => {
        skippedEngines = skipped;
      },
      ...(onLoss && { onLoss }),
      ...(threads !== undefined && { threads }),
    }),
    openStorage({ config, folder, clock, date, log }),
  ).catch(async (error: unknown) => {
    await hooks.close();
    throw error;
  });
  const { store, cluster, bus } = opened ?? {};
  const hostStore = store ?? new Store(openMemory());
  const secret = cluster?.secret ?? storedSecret(folder, 'passes.key');
  const isShared = cluster !== undefined;
  const records = await openHostRecords({ store: hostStore, isShared, secret, date, clock, log });
  const world = new World(engine);
  const newPatch = () => world.newPatch();
  const loaded = await Promise.all(
    checkpoints.map((one) => prepareCheckpoint(one, { engine, newPatch, clock, log })),
  );
  const later: Later = { hasFailed: false };
  const bound = () => later.http!.address() as AddressInfo;
  const { networkAddresses: addresses } = options;
  return {
    ...{ options, config, folder, clock, date, log, hooks, engine, skippedEngines, world, records },
    ...{ opened, store, cluster, bus, hostStore, secret, later, bound, files, gallery, names },
    previews: loaded.map((one) => one.previews),
    checkpoints: new Map(loaded.map((one) => [one.species.checkpoint, one])),
    checkpointFolders,
    checkpointList: checkpoints,
    rejections: new RejectionCounts(),
    version: serverVersion(),
    since: date(),
    /** The origins at which phones can probably reach the server now, the likeliest first. */
    networkOrigins: () => networkOrigins(bound(), (addresses ?? networkAddresses)()),
    /** The origin for QR codes; '' if phones can probably reach no address of this server. */
    qrOrigin: () => networkOrigins(bound(), (addresses ?? venueAddresses)())[0] ?? '',
  };
}
export type ServerBase = Awaited<ReturnType<typeof openBase>>;

/** Opens the rooms, the journal and the tick loop. */
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
    later.host?.count(ticks);
    return journalWriter?.record(ticks) ?? Promise.resolve();
  };
  const disk = folder === undefined ? undefined : new DiskWatch({ folder, clock, log });
  const { ticker, watchdog, deferredWork } = createTickLoop({
    ...{ world, clock, hooks, journalWriter, onTick: options.onTick },
    metrics: () => metrics,
    roomServers: () => serverRooms.rooms.roomServers,
    mayTick: (room) => cluster?.leases.mayTick(room) ?? true,
    pausePreviews: (until) => {
      for (const { growth } of base.previews) growth.pause(until);
    },
    onHeartbeat: options.onHeartbeat,
    onFailure: (error) => {
      later.hasFailed = true;
      options.onFatal(error);
    },
  });
  const storage = opened && journalWriter && { ...opened, aside: opened.aside, journalWriter };
  const build = await wallBuild(options.clientFolder);
  const defaults = defaultRoomSettings(config);
  const { bans, wallSeats } = records;
  const serverRooms = createRooms({
    ...{ ...base, bans, wallSeats, ticker, storage, defaults, engine: engine.info },
    retainCheckpoint:
      folder === undefined ? undefined : checkpointCopier(folder, checkpointFolders, log),
    ...{ flashLimit: config.maxFlashes, keepUrl: config.keepUrl },
    maxSpectators: config.maxSpectators,
    onOpen: (roomServer, pace) => hooks.watch(roomServer, pace),
    onClose: (roomServer) => {
      hooks.unwatch(roomServer);
      // A lease can end before `later.host` is set, so `later.host` may be undefined here.
      return later.host?.closed(roomServer.room.name);
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
          remote: () => serverRooms.connections(),
          cluster: () => serverRooms.figures(),
          alerts: () => later.alerts?.open ?? [],
          roomServers: rooms.roomServers,
          rateOf: (room) => ticker.pace(room)!.actual,
        });
  try {
    await rooms.start(...configuredRooms(config, base.checkpointList[0].card.name));
  } catch (error) {
    serverRooms.stopStandby();
    watchdog.stop();
    disk?.stop();
    await ticker.stop();
    await serverRooms.releaseAll();
    serverRooms.close();
    await journalWriter?.close();
    await hooks.close();
    await engine.close();
    await opened?.close();
    throw error;
  }
  return {
    ...{ journalWriter, disk, metrics, ticker, watchdog, deferredWork },
    ...{ storage, defaults, serverRooms, rooms },
  };
}

type ServerWithRooms = ServerBase & Awaited<ReturnType<typeof openRooms>>;

/** Creates the host's calls, the routes of pages and the socket server, but does not listen yet. */
async function openPages(server: ServerWithRooms) {
  const { config, options, clock, date, log, bus, cluster, later, engine } = server;
  const { checkpoints, checkpointList, rejections } = server;
  const { rooms, watchdog, serverRooms, journalWriter } = server;
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
  const relay = await PageRelay.open({
    ...{ ...server, cluster: serverRooms.cluster, bans, addressOf, hostApi: host.relayed },
  });
  const gardeners = new Gardeners({
    ...{ roomServers: rooms.roomServers, clock, seed: config.seed },
    settings: (room) => gardenerSettings(rooms.settingsOf(room)),
  });
  later.gardeners = gardeners;
  server.hooks.add(gardeners);
  const descriptors = new ExhaustionWatch({
    ...{ clock, log, file: join(options.clientFolder, 'index.html'), restart: options.restart },
    limit: new RestartLimit({ store: server.store, clock, date }),
  });
  const app = createApp({
    ...{ files: server.files, gallery: server.gallery },
    ...{
      checkpoints,
      checkpointList,
      relay,
      trustProxy,
      connectionLimits,
      embed,
      origins: [...origins, ...embed],
      defaultRoom: config.rooms[0],
    },
    host: host.router,
    health: () => ({
      hasFailed: later.hasFailed,
      isTicking: watchdog.isTicking,
      hasDescriptors: descriptors.hasSome,
      isPersisting: journalWriter?.isPersisting ?? null,
      isOpen: !later.closing,
      isOwner: cluster && serverRooms.isReady(),
    }),
    metrics: config.metrics === 'same' ? server.metrics : undefined,
  });
  const http = createServer(httpOptions(limits), app);
  later.http = http;
  const { directory } = serverRooms;
  const sockets = openSocketServer(http, {
    ...{
      rooms: directory,
      clock,
      limits,
      connectionLimits,
      trustProxy,
      rejections,
      names: server.names,
    },
  });
  return { host, relay, gardeners, descriptors, connectionLimits, limits, http, sockets };
}

type WholeServer = ServerWithRooms & Awaited<ReturnType<typeof openPages>>;

/**
 * Starts listening for visitors, OSC and metrics, and starts the alerts.
 *
 * @throws ListenError, HookError
 */
async function openDoors(server: WholeServer): Promise<void> {
  const { config, clock, log, hooks, rooms, later, limits, rejections, http, metrics } = server;
  later.osc = await openOsc({
    ...{ out: config.oscOut, in: config.oscIn, allowed: config.oscAllow },
    // A gateway runs no rooms, so OSC messages from other servers are useless to it. It needs the
    // bus only to pass on messages that it receives itself.
    bus: config.role === 'gateway' && !config.oscIn ? undefined : server.bus,
    ...{ hooks, rooms, limits, rejections, clock, log },
    pause: async (room, paused) => {
      try {
        await rooms.change(room, { paused });
      } catch (error) {
        log.warn(
          'osc-not-paused',
          `OSC could not pause or resume room "${room}": ${(error as Error).message}.`,
        );
        throw new Refusal('room-busy');
      }
    },
  });
  await listenHttp(http, { flag: '--port', host: config.host, port: config.port });
  // Log the error and continue: perhaps just one connection could not be accepted.
  http.on('error', (error) => log.warn('not-accepted', error.message));
  const { metrics: port } = config;
  if (metrics && typeof port === 'number') {
    const { admitHost } = server.connectionLimits;
    later.metricsServer = await listen({ flag: '--metrics', host: '127.0.0.1', port }, () =>
      serveMetrics(metrics, port, { admitHost, log }),
    );
  }
  later.stopWatchingOrigin = watchOrigin(clock, server.qrOrigin, () => {
    for (const { refresh } of rooms.roomServers.values()) refresh.requestWalls();
  });
  later.alerts = await startAlerts(server);
  // Do this last. If a later step failed, the token would be stored but never shown.
  await server.host.keepToken();
}

/** Stops the server, even if starting it failed halfway. @throws the first phase's error */
function shutDown(server: WholeServer, log: Log): Promise<void> {
  const { serverRooms, cluster, config, later } = server;
  serverRooms.stopStandby();
  server.watchdog.stop();
  server.descriptors.stop();
  server.disk?.stop();
  later.stopWatchingOrigin?.();
  const phases = shutdownPhases({
    ...server,
    ...later,
    // Only pages connected to a gateway reconnect gradually. Pages connected to other servers get
    // no frames during the shutdown, so these pages should reconnect immediately.
    moving: cluster && (config.role === 'gateway' ? MOVING.time : 0),
  });
  return runShutdownPhases(phases, log);
}
