/** Composes the server: checkpoints, engine, storage, rooms, tick loop, pages and sockets. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DEFAULTS } from '../../shared/defaults.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import type { SkippedEngine } from '../engine/backends.ts';
import type { EngineLoss } from '../engine/engine.ts';
import { Hooks } from '../extensions/hooks.ts';
import { Gardeners } from '../gardener/gardener.ts';
import { openHost } from '../host/host.ts';
import { wallBuild } from '../http/client-build.ts';
import { pageModels } from '../http/page-models.ts';
import { loadGalleries } from '../http/room-pages.ts';
import { createApp } from '../http/routes.ts';
import { StaticFiles } from '../http/static-files.ts';
import type { Alerts } from '../operations/alerts/open-alerts.ts';
import { DiskWatch } from '../operations/disk-watch.ts';
import { ExhaustionWatch, limitsWithin } from '../operations/exhaustion.ts';
import { createMetrics, type MetricsServer, serveMetrics } from '../operations/metrics.ts';
import { RestartLimit } from '../operations/supervisor.ts';
import { type Osc, openOsc } from '../osc/open-osc.ts';
import { type Clock, systemClock } from '../platform/clock.ts';
import { startBoth } from '../platform/collections.ts';
import { type Log, silentLog } from '../platform/log.ts';
import {
  ConnectionAdmission,
  hostCheck,
  RejectionCounts,
} from '../realtime/admission/connection-admission.ts';
import { createNameCheck } from '../realtime/names/display-names.ts';
import type { RoomServer } from '../realtime/room-server.ts';
import { httpOptions, openGateway } from '../realtime/socket-server.ts';
import { checkpointCopier } from '../rooms/kept-checkpoints.ts';
import { prepareCheckpoint } from '../rooms/loaded-checkpoint.ts';
import type { RoomRegistry, RoomRegistryOptions } from '../rooms/room-registry.ts';
import type { Config } from '../settings/server.ts';
import { JournalWriter } from '../storage/journal-writer.ts';
import { storedSecret } from '../storage/lmdb/open.ts';
import { openMemory } from '../storage/records.ts';
import { Store } from '../storage/store.ts';
import { paintersByPath } from '../vnca/checkpoint.ts';
import type { Room } from '../world/room.ts';
import type { TickTiming } from '../world/ticker.ts';
import { World } from '../world/world.ts';
import {
  configuredRooms,
  createRooms,
  defaultRoomSettings,
  gardenerSettings,
  roomFigures,
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
import { startAlerts } from './start-alerts.ts';
import { createTickLoop } from './tick-loop.ts';

export interface VivariumServerOptions {
  readonly config: Config;
  readonly clientFolder: string;
  readonly clock?: Clock;
  /** Maximum number of the engine's threads, 1…; default: as many as it can use. */
  readonly engineThreads?: number;
  /** The engine lost a GPU or a thread and replaces it. Rooms pause for a moment and continue. */
  readonly onEngineLoss?: (loss: EngineLoss) => void;
  /** Called after each tick, for measurements. */
  readonly onTick?: (timing: TickTiming) => void;
  /** Wall clock, ms since the epoch; it may be set back. */
  readonly date?: () => number;
  /** This machine's network addresses, the likeliest to be reachable by phones first. */
  readonly networkAddresses?: () => readonly string[];
  readonly log?: Log;
  /** Called about once a second while ticks run. */
  readonly onHeartbeat?: () => void;
  /** The nightly restart is due. */
  readonly onRestart?: () => void;
  /** Whether something starts the server again when it has ended; default: false. */
  readonly isSupervised?: boolean;
  /** No file descriptors are left and a restart is due; undefined without a supervisor. */
  readonly onExhausted?: (() => void) | undefined;
  /** The rooms cannot continue. */
  readonly onFatal: (error: unknown) => void;
}

/** A running server. */
export interface VivariumServer {
  readonly port: number;
  /** The origin at which this machine reaches the server. */
  readonly localOrigin: string;
  /** The origins at which phones reach the server now, the likeliest first. */
  networkOrigins(): readonly string[];
  /** The origin for QR codes; '' if no address is likely to work for phones. */
  qrOrigin(): string;
  readonly engine: { readonly name: string; readonly device: string };
  /** Faster engines that could not be used, with reasons. */
  readonly skippedEngines: readonly SkippedEngine[];
  readonly world: World;
  readonly rooms: RoomRegistry;
  /** Undefined if rooms are not stored. */
  readonly journalWriter: JournalWriter | undefined;
  /** By room name. */
  readonly roomServers: ReadonlyMap<string, RoomServer>;
  /** Rejections since the start, by reason. */
  readonly rejectionCounts: RejectionCounts;
  /** The host's token, if created at this start. Show it once; only its hash is stored. */
  readonly hostToken: string | undefined;
  /** The automatic gardeners of idle rooms. */
  readonly gardeners: Gardeners;
  /** The port for metrics, if they have a port of their own. */
  readonly metricsPort: number | undefined;
  /** The port for incoming OSC, if there is one. */
  readonly oscPort: number | undefined;
  setTickRate(room: Room, rate: number): void;
  /** Stops the server in the order of the shutdown phases. @throws the first phase's error */
  close(): Promise<void>;
}

/**
 * Starts the server and resolves once it listens.
 *
 * @throws CheckpointError, ClusterError, EngineError, HookError, ListenError, StoreError
 */
export async function createVivariumServer(
  options: VivariumServerOptions,
): Promise<VivariumServer> {
  const { config, clientFolder, clock = systemClock, date = Date.now, log = silentLog } = options;
  const { networkAddresses: addresses, onEngineLoss: onLoss, engineThreads } = options;
  const bound = () => http.address() as AddressInfo;
  const currentOrigins = () => networkOrigins(bound(), (addresses ?? networkAddresses)());
  const qrOrigin = () => networkOrigins(bound(), (addresses ?? venueAddresses)())[0] ?? '';
  const folder = config.data === 'none' ? undefined : config.data;
  const defaults = defaultRoomSettings(config);
  const names = createNameCheck(config.bannedWords ?? []);
  const { all: checkpoints, folders } = await loadCheckpoints(config, folder, log);
  const files = await StaticFiles.load(clientFolder);
  const gallery = await loadGalleries(folders);
  const hooks = await Hooks.open({ files: config.extension, clock, log, limits: config.limits });
  let skippedEngines: readonly SkippedEngine[] = [];
  const [engine, opened] = await startBoth(
    openEngine(config, {
      checkpoints,
      onSkipped: (skipped) => {
        skippedEngines = skipped;
      },
      ...(onLoss && { onLoss }),
      ...(engineThreads !== undefined && { threads: engineThreads }),
    }),
    openStorage({ folder, cluster: config.cluster, onDamage: config.onDamage, clock, date, log }),
  ).catch(async (error: unknown) => {
    await hooks.close();
    throw error;
  });
  const { store, cluster } = opened ?? {};
  const journalWriter =
    store &&
    new JournalWriter({
      ...{ store, engine, clock, date },
      snapshotLeast: 1000 * config.snapshot,
      ...(cluster && { maxBytes: DEFAULTS.cluster.snapshotBytes }),
      warn: (name, message) => log.warn(name, message),
      onCommit: (duration) => metrics?.committed(duration),
    });
  const world = new World(engine);
  world.journal = journalWriter?.record;
  const disk = folder === undefined ? undefined : new DiskWatch({ folder, clock, log });
  const rejections = new RejectionCounts();
  let failed = false;
  let closing: Promise<void> | undefined;
  let alerts: Alerts | undefined;
  const metrics =
    config.metrics === 'none'
      ? undefined
      : createMetrics({
          engine: engine.info,
          isPersisting: () => journalWriter?.isPersisting,
          diskFree: () => disk?.free,
          setAside: () => opened?.aside?.damaged.length,
          rejections: () => rejections.totals(),
          remote: () => ofCluster.connections(),
          cluster: () => ofCluster.figures(),
          alerts: () => alerts?.open ?? [],
          rooms: () => roomFigures(rooms.roomServers.values(), ticker),
        });
  const { ticker, watchdog, deferredWork } = createTickLoop({
    ...{ world, clock, hooks, journalWriter, metrics },
    roomServers: () => rooms.roomServers,
    mayTick: (room) => cluster?.leases.mayTick(room) ?? true,
    pausePreviews: (until) => {
      for (const { previews } of loaded) previews.growth.pause(until);
    },
    onTick: options.onTick,
    onHeartbeat: options.onHeartbeat,
    onFailure: (error) => {
      failed = true;
      options.onFatal(error);
    },
  });

  const hostStore = store ?? new Store(openMemory());
  const secret = cluster?.secret ?? storedSecret(folder, 'passes.key');
  const ofHost = { store: hostStore, secret, date, clock, log, reserve: cluster?.reserve };
  const { bans, places, refresh } = await openHostRecords(ofHost);
  const newPatch = () => world.newPatch();
  const loaded = await Promise.all(
    checkpoints.map((one) => prepareCheckpoint(one, { engine, newPatch, clock, log })),
  );
  const checkpointsByName = new Map(loaded.map((one) => [one.species.checkpoint, one]));
  const storage = opened && journalWriter && { ...opened, journalWriter };
  const build = await wallBuild(clientFolder);
  // A lease may end before the host's part is there.
  let storeVisits = async (_: string): Promise<void> => {};
  const ofRooms: RoomRegistryOptions = {
    ...{ world, ticker, hostStore, secret, bans, places, clock, date, log },
    ...{ storage, checkpoints: checkpointsByName, engine: engine.info },
    retainCheckpoint: folder === undefined ? undefined : checkpointCopier(folder, folders, log),
    ...{ flashLimit: config.maxFlashes, keepUrl: config.keepUrl, defaults },
    onOpen: (roomServer, pace) => hooks.watch(roomServer, pace),
    onClose: (roomServer) => {
      hooks.unwatch(roomServer);
      return storeVisits(roomServer.room.name);
    },
    onSettings: (room, settings) => gardeners.of(room)?.configure(gardenerSettings(settings)),
    wallInfo: () => ({ origin: qrOrigin(), build }),
  };
  const shared = { ...config, storage: opened, refresh };
  const { rooms, directory, stopStandby, ...ofCluster } = createRooms(ofRooms, shared);
  try {
    await rooms.start(...configuredRooms(config, checkpoints[0].card.name));
  } catch (error) {
    stopStandby();
    watchdog.stop();
    disk?.stop();
    await ticker.stop();
    await ofCluster.leases?.releaseAll();
    ofCluster.close();
    await journalWriter?.close();
    await hooks.close();
    await engine.close();
    await opened?.close();
    throw error;
  }

  const { trustProxy, origins = [], hosts } = config;
  const limits = limitsWithin(config.limits, log);
  const admission = new ConnectionAdmission({
    ...{ limits, origins, trustProxy, clock, rejections },
    isForUs: hosts && hostCheck(hosts, currentOrigins),
    shared: cluster && opened?.bus && { bus: opened.bus, node: cluster.node },
  });
  const { cluster: sharedRooms } = ofCluster;
  const pageRelay = await PageRelay.open({
    ...{ bus: opened?.bus, cluster: sharedRooms, clock },
    addressOf: (request) => admission.addressKeyOf(request),
  });
  const host = await openHost({
    context: {
      ...{ rooms, world, ticker, bans, places, clock, date, log, storage, hostStore, folder },
      ...{ cluster: sharedRooms, valkey: config.cluster },
      ...{ defaults, checkpoints: checkpointsByName, engine: engine.info },
      backend: config.engine,
      checkpointFolder: (name) => folders.get(name),
      addresses: currentOrigins,
    },
    newToken: config.newHostToken,
    ...{ secret, bus: opened?.bus, passOn: pageRelay.pass, isSupervised: options.isSupervised },
    addressOf: (request) => admission.addressKeyOf(request),
    onRestart: () => options.onRestart?.(),
  });
  storeVisits = host.closed;
  world.journal = (ticks) => {
    host.count(ticks);
    return journalWriter?.record(ticks) ?? Promise.resolve();
  };
  const gardeners = new Gardeners({
    ...{ roomServers: rooms.roomServers, clock, seed: config.seed },
    settings: (room) => gardenerSettings(rooms.settingsOf(room)),
  });
  hooks.add(gardeners);

  const descriptors = new ExhaustionWatch({
    ...{ clock, log, file: join(clientFolder, 'index.html'), restart: options.onExhausted },
    limit: new RestartLimit({ store, clock, date, most: DEFAULTS.operations.restartsPerHour }),
  });
  const ofRoomPages = { rooms, checkpoints: checkpointsByName, bans, date, files: host.files };
  const app = createApp({
    host: host.router,
    ...{ files, gallery, trustProxy },
    maps: new Map(loaded.map(({ species }) => [species.checkpoint, species])),
    models: pageModels(checkpoints),
    painters: paintersByPath(checkpoints),
    ...pageRelay.roomPages(ofRoomPages),
    defaultRoom: config.rooms[0],
    admitHost: admission.admitHost,
    admit: (request) => admission.admitRequest(request),
    health: () => ({ ticking: !failed, descriptors: descriptors.hasSome }),
    readiness: () => ({
      engine: !failed,
      ticking: watchdog.isTicking,
      descriptors: descriptors.hasSome,
      keeping: journalWriter?.isPersisting ?? null,
      open: !closing,
      ...(cluster && { owner: ofCluster.isReady() }),
    }),
    ...(config.metrics === 'same' && { metrics }),
  });
  const http = createServer(httpOptions(limits), app);
  const gateway = openGateway(http, {
    ...{ rooms: directory, clock, limits, admission, trustProxy, rejections, names },
  });
  let metricsServer: MetricsServer | undefined;
  let osc: Osc | undefined;
  let unwatch: (() => void) | undefined;
  const phases = shutdownPhases({
    ...{ gateway, ticker, deferredWork, journalWriter, host, hooks, engine, metrics },
    store: opened,
    // Pages of a server that has run rooms wait for frames already.
    moving: cluster && (config.role === 'gateway' ? DEFAULTS.cluster.moving.time : 0),
    ...{ leases: ofCluster.leases, directory: ofCluster, pageRelay },
    previews: loaded.map(({ previews }) => previews),
    alerts: () => alerts,
    osc: () => osc,
    metricsServer: () => metricsServer,
  });
  const shutDown = (phaseLog: Log): Promise<void> => {
    stopStandby();
    watchdog.stop();
    descriptors.stop();
    disk?.stop();
    unwatch?.();
    return runShutdownPhases(phases, phaseLog);
  };
  try {
    osc = await openOsc({
      ...{ out: config.oscOut, in: config.oscIn, allowed: config.oscAllow },
      // A server that runs no rooms takes nothing from others.
      bus: config.role === 'gateway' && !config.oscIn ? undefined : opened?.bus,
      ...{ hooks, rooms, limits, rejections, clock, log },
      pause: async (room, paused) => {
        try {
          await rooms.change(room, { paused });
        } catch (error) {
          log.warn('osc-not-paused', `OSC cannot pause "${room}": ${(error as Error).message}.`);
          throw new Refusal('room-busy');
        }
      },
    });
    const { port, host: address, metrics: metricsPort } = config;
    await listenHttp(http, { flag: '--port', host: address, port });
    // For example a connection that could not be accepted: the server continues without it.
    http.on('error', (error) => log.warn('not-accepted', error.message));
    if (metrics && typeof metricsPort === 'number') {
      const target = { flag: '--metrics', host: '127.0.0.1', port: metricsPort };
      metricsServer = await listen(target, () =>
        serveMetrics(metrics, metricsPort, { admitHost: admission.admitHost, log }),
      );
    }
    unwatch = watchOrigin(clock, qrOrigin, () => {
      for (const roomServer of rooms.roomServers.values()) roomServer.refresh.requestWalls();
    });
    alerts = await startAlerts({
      ...{ config, clock, date, log, hostStore, rooms, http, admission, journalWriter, cluster },
      ...{ connections: limits.connections, watchdog, descriptors },
    });
    // Last, since nothing after it may fail: a stored token must be shown.
    await host.keepToken();
  } catch (error) {
    await shutDown(silentLog);
    throw error;
  }
  return {
    port: bound().port,
    localOrigin: localOrigin(bound()),
    networkOrigins: currentOrigins,
    qrOrigin,
    engine: engine.info,
    skippedEngines,
    journalWriter,
    world,
    rooms,
    roomServers: rooms.roomServers,
    hostToken: host.freshToken,
    metricsPort: metricsServer?.port,
    gardeners,
    oscPort: osc.port,
    rejectionCounts: rejections,
    setTickRate: (room, rate) => {
      ticker.setRate(room, rate);
      room.setTickRate(rate);
    },
    close: () => (closing ??= shutDown(log)),
  };
}
