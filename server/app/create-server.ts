/** The whole server, put together: checkpoint, engine, rooms, ticker, pages, sockets. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DEFAULTS } from '../../shared/defaults.ts';
import type { RoomSettings } from '../../shared/host/settings.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import { hashText } from '../../shared/random.ts';
import type { SkippedEngine } from '../engine/backends.ts';
import { createEngine } from '../engine/create-engine.ts';
import { EngineError, type EngineLoss } from '../engine/engine.ts';
import { Hooks } from '../extensions/hooks.ts';
import { Gardeners } from '../gardener/gardeners.ts';
import { openHost } from '../host/host.ts';
import { createApp } from '../http/app.ts';
import { wallBuild } from '../http/client-build.ts';
import { loadGalleries } from '../http/gallery.ts';
import { StaticFiles } from '../http/static-files.ts';
import { limitsWithin } from '../operations/descriptors.ts';
import { watchExhaustion } from '../operations/exhaustion.ts';
import { createMetrics } from '../operations/metrics.ts';
import { type MetricsServer, serveMetrics } from '../operations/metrics-server.ts';
import { RestartLimit } from '../operations/restart-limit.ts';
import { TickWatchdog } from '../operations/tick-watchdog.ts';
import { type Osc, openOsc } from '../osc/open-osc.ts';
import { type Clock, systemClock } from '../platform/clock.ts';
import { type Log, silentLog } from '../platform/log.ts';
import { startBoth } from '../platform/start-both.ts';
import { ConnectionAdmission } from '../realtime/admission/connection-admission.ts';
import { RejectionCounts } from '../realtime/admission/rejection-counts.ts';
import { httpOptions, openGateway } from '../realtime/gateway.ts';
import { Bans } from '../realtime/policy/bans.ts';
import type { RoomServer } from '../realtime/room-server.ts';
import { createNameCheck } from '../realtime/sessions/display-names.ts';
import { prepareCheckpoint } from '../rooms/loaded-checkpoint.ts';
import { RoomRegistry } from '../rooms/room-registry.ts';
import type { Config } from '../settings/server.ts';
import { JournalWriter } from '../storage/journal-writer.ts';
import { openSound } from '../storage/lmdb/open.ts';
import { openMemory } from '../storage/memory-records.ts';
import { banRecords } from '../storage/record-schemas.ts';
import { Store } from '../storage/store.ts';
import { storedSecret } from '../storage/stored-secret.ts';
import { loadCheckpoint } from '../vnca/checkpoint.ts';
import { DeferredWork } from '../world/deferred-work.ts';
import type { Room } from '../world/room.ts';
import { Ticker, type TickTiming } from '../world/ticker.ts';
import { World } from '../world/world.ts';
import { listen } from './listen.ts';
import {
  localOrigin,
  networkAddresses,
  networkOrigins,
  venueAddresses,
  watchOrigin,
} from './network-addresses.ts';
import { runShutdownPhases } from './shutdown-phases.ts';

export interface VivariumServerOptions {
  readonly config: Config;
  readonly clientFolder: string;
  readonly clock?: Clock;
  /** Something of the engine was lost and is put back: rooms are held up for a moment, and go on. */
  readonly onEngineLoss?: (loss: EngineLoss) => void;
  /** Hears of each tick that is done, for whoever measures. */
  readonly onTick?: (timing: TickTiming) => void;
  /** Wall clock, ms; it may go back. */
  readonly date?: () => number;
  /** This machine's addresses on its networks, the likeliest for phones first. */
  readonly networkAddresses?: () => readonly string[];
  readonly log?: Log;
  /** Told at most once a second that ticks go on. */
  readonly onHeartbeat?: () => void;
  /** The schedule wants the server to end, and to be started anew. */
  readonly onRestart?: () => void;
  /** No file descriptors are left, and the server may restart; undefined where nothing would start it again. */
  readonly onExhausted?: (() => void) | undefined;
  /** The rooms cannot go on. */
  readonly onFatal: (error: unknown) => void;
}

export interface VivariumServer {
  readonly port: number;
  /** Where this machine itself reaches it, as an origin. */
  readonly localOrigin: string;
  /** Where phones reach it now, as origins, the likeliest first. */
  networkOrigins(): readonly string[];
  /** The one of them that a code leads to; '' where none is likely. */
  qrOrigin(): string;
  readonly engine: { readonly name: string; readonly device: string };
  /** Engines that would have been better, and why they are not used. */
  readonly skippedEngines: readonly SkippedEngine[];
  readonly world: World;
  readonly rooms: RoomRegistry;
  /** What keeps the rooms, where they are kept. */
  readonly journalWriter: JournalWriter | undefined;
  /** Of the open rooms. */
  readonly roomServers: ReadonlyMap<string, RoomServer>;
  /** What was turned away since the start. */
  readonly rejectionCounts: RejectionCounts;
  /** The host's token, where it was made at this start: shown once, kept nowhere. */
  readonly hostToken: string | undefined;
  /** Those who play where nobody does. */
  readonly gardeners: Gardeners;
  /** Where figures are served, where that is a port of its own. */
  readonly metricsPort: number | undefined;
  /** Where OSC is listened to, if it is. */
  readonly oscPort: number | undefined;
  setTickRate(room: Room, rate: number): void;
  close(): Promise<void>;
}

/** How rooms are set that nobody has touched. */
function settingsOf(config: Config): RoomSettings {
  const { tickRate, capacity, maxOrganisms, energy } = config;
  const attract =
    config.attract === 'off'
      ? { ...DEFAULTS.house.attract, on: false }
      : { on: true, after: config.attract };
  return { ...DEFAULTS.house, tickRate, capacity, maxOrganisms, energy, attract };
}

/** @returns ms without visitors after which a room's gardener begins */
const gardenerAfter = ({ attract }: RoomSettings): number | 'off' =>
  attract.on ? 1_000 * attract.after : 'off';

/**
 * Starts everything.
 *
 * @throws CheckpointError, EngineError, HookError, ListenError, StoreError
 */
export async function createVivariumServer(
  options: VivariumServerOptions,
): Promise<VivariumServer> {
  const {
    config,
    clientFolder,
    clock = systemClock,
    date = Date.now,
    onFatal,
    onEngineLoss: onLoss,
  } = options;
  const { log = silentLog, networkAddresses: addresses } = options;
  const bound = () => http.address() as AddressInfo;
  const reachedAt = () => networkOrigins(bound(), (addresses ?? networkAddresses)());
  /** Where a code leads phones; '' where that is not known. */
  const scannedAt = () => networkOrigins(bound(), (addresses ?? venueAddresses)())[0] ?? '';
  const names = createNameCheck(config.bannedWords ?? []);
  const checkpoint = await loadCheckpoint(config.checkpoint);
  const checkpoints = [checkpoint, ...(await Promise.all(config.checkpoints.map(loadCheckpoint)))];
  const files = await StaticFiles.load(clientFolder);
  const gallery = await loadGalleries(
    new Map(checkpoints.map(({ card, folder }) => [card.name, folder])),
  );
  const hooks = await Hooks.open({ files: config.extension, clock, log, limits: config.limits });
  let passed: readonly SkippedEngine[] = [];
  const [engine, records] = await startBoth(
    createEngine({
      checkpoints,
      backend: config.engine,
      onSkipped: (better) => {
        passed = better;
      },
      ...(onLoss && { onLoss }),
    }),
    config.data === 'none' ? undefined : openSound(config.data),
  ).catch(async (error: unknown) => {
    await hooks.close();
    throw error;
  });
  const store = records && new Store(records);
  const journalWriter =
    store &&
    new JournalWriter({
      store,
      engine,
      clock,
      date,
      snapshotLeast: 1000 * config.snapshot,
      warn: (name, message) => log.warn(name, message),
      onCommit: (duration) => metrics?.committed(duration),
    });
  const world = new World(engine);
  world.journal = journalWriter?.record;
  const rejections = new RejectionCounts();
  let failed = false;
  let closing: Promise<void> | undefined;

  const watchdog = new TickWatchdog({
    clock,
    timeout: DEFAULTS.operations.stall,
    onHeartbeat: () => options.onHeartbeat?.(),
    onStalled: () => {
      failed = true;
      onFatal(new EngineError('failed', 'a tick has not ended; the engine has stalled'));
    },
  });
  const onFailure = (error: unknown): void => {
    failed = true;
    onFatal(error);
  };
  const deferredWork = new DeferredWork(clock, onFailure);
  const ticker = new Ticker({
    clock,
    tick: async (due) => {
      const ticked = await watchdog.during(() => world.tick(due, () => deferredWork.run()));
      journalWriter?.ticked(ticked);
      const shown: RoomServer[] = [];
      for (const { room, result } of ticked) {
        const roomServer = rooms.roomServers.get(room.name);
        if (!roomServer) continue;
        roomServer.handleTick(result, clock.now());
        hooks.ticked(roomServer, result);
        shown.push(roomServer);
      }
      deferredWork.defer(() => {
        for (const roomServer of shown) roomServer.broadcast(clock.now());
      });
      // Where there is time before the next tick, nobody waits for it. Who is greeted anew is told of the room as it is, which
      // must be between two ticks.
      if (!ticker.isBehind || shown.some((roomServer) => roomServer.hasPendingRefresh))
        deferredWork.run();
      metrics?.ticked(ticked);
    },
    onTick: (timing) => {
      metrics?.timed(timing);
      options.onTick?.(timing);
    },
    onPause: (until) => {
      for (const { previews: seeds } of works) seeds.growth.pause(until);
    },
    onError: onFailure,
  });
  const metrics =
    config.metrics === 'none'
      ? undefined
      : createMetrics({
          engine: engine.info,
          keeping: () => journalWriter?.isPersisting,
          turned: () => rejections.totals(),
          rooms: () =>
            [...rooms.roomServers.values()].map(({ room, size }) => ({
              name: room.name,
              participants: size,
              organisms: room.size,
              awake: room.awake,
              rate: ticker.pace(room)!.actual,
              tick: room.tick,
            })),
        });

  const hostStore = store ?? new Store(openMemory());
  const secret = storedSecret(config.data === 'none' ? undefined : config.data, 'passes.key');
  const bans = new Bans(secret, date, await hostStore.serverRecord('bans', banRecords), (all) => {
    void hostStore
      .putServerRecord('bans', all)
      .catch((error: Error) => log.warn('not-kept', error.message));
  });
  const newPatch = () => world.newPatch();
  const works = await Promise.all(
    checkpoints.map((one) => prepareCheckpoint(one, engine, newPatch, clock)),
  );
  const stock = new Map(works.map((one) => [one.species.checkpoint, one]));
  const kept = store && journalWriter && { store, journalWriter };
  const build = await wallBuild(clientFolder);
  const rooms = new RoomRegistry({
    ...{ world, ticker, hostStore, secret, bans, clock, date, log, engine: engine.info },
    ...{ storage: kept, checkpoints: stock },
    defaults: settingsOf(config),
    onOpen: (roomServer, pace) => hooks.watch(roomServer, pace),
    onClose: (roomServer) => {
      hooks.unwatch(roomServer);
      host.closed(roomServer.room.name);
    },
    wallFacts: () => ({ origin: scannedAt(), build }),
  });
  try {
    await rooms.start(
      config.rooms.map((name) => ({
        name,
        ...config.size,
        seed: hashText(`${config.seed}/${name}`),
        checkpoint: checkpoint.card.name,
      })),
    );
  } catch (error) {
    watchdog.stop();
    await ticker.stop();
    await journalWriter?.close();
    await hooks.close();
    await engine.close();
    await store?.close();
    throw error;
  }

  const { trustProxy, origins = [] } = config;
  const limits = limitsWithin(config.limits, log);
  const admission = new ConnectionAdmission({ limits, origins, trustProxy, clock, rejections });
  const host = await openHost({
    context: {
      ...{ rooms, world, ticker, bans, checkpoints: stock, clock, date, log, engine: engine.info },
      storage: kept,
      hostStore,
      folder: config.data === 'none' ? undefined : config.data,
      defaultRoom: config.rooms[0],
      backend: config.engine,
      checkpointFolder: (name) => checkpoints.find(({ card }) => card.name === name)?.folder,
      defaults: settingsOf(config),
      addresses: reachedAt,
    },
    newToken: config.newHostToken,
    secret,
    addressOf: (request) => admission.addressKeyOf(request),
    onRestart: () => options.onRestart?.(),
  });
  world.journal = (ticks) => {
    host.count(ticks);
    return journalWriter?.record(ticks) ?? Promise.resolve();
  };
  const gardeners = new Gardeners({
    ...{ roomServers: rooms.roomServers, clock, seed: config.seed },
    after: (room) => gardenerAfter(rooms.settingsOf(room)),
  });
  rooms.onSettings((room, settings) =>
    gardeners.of(room)?.configure({ after: gardenerAfter(settings) }),
  );
  hooks.add(gardeners);

  const descriptors = watchExhaustion({
    ...{ clock, log, file: join(clientFolder, 'index.html'), restart: options.onExhausted },
    limit: new RestartLimit({ store, clock, date, most: DEFAULTS.operations.restartsPerHour }),
  });
  const app = createApp({
    host: host.router,
    files,
    gallery,
    maps: new Map(
      works.flatMap(({ species: { checkpoint: name, map } }) => (map ? [[name, map]] : [])),
    ),
    defaultRoom: config.rooms[0],
    hasWall: (room, request) =>
      rooms.roomServers.get(room)?.hasWallAt(admission.addressKeyOf(request)),
    admit: (request) => admission.admitRequest(request),
    health: () => ({ ticking: !failed, descriptors: descriptors.hasSome }),
    readiness: () => ({
      engine: !failed,
      ticking: watchdog.isTicking,
      descriptors: descriptors.hasSome,
      keeping: journalWriter?.isPersisting ?? null,
      open: !closing,
    }),
    ...(config.metrics === 'same' && { metrics }),
  });
  const http = createServer(httpOptions(limits), app);
  const gateway = openGateway(http, { rooms, clock, limits, admission, rejections, names });
  let metricsServer: MetricsServer | undefined;
  let osc: Osc | undefined;
  let unwatch: (() => void) | undefined;
  const phases = [
    { name: 'newcomers are refused', run: () => gateway.stopAdmitting() },
    { name: 'the last tick is done', run: () => ticker.stop().then(() => deferredWork.run()) },
    {
      name: 'seeds are no longer looked at',
      run: () => Promise.all(works.map(({ previews: seeds }) => seeds.growth.stop())),
    },
    { name: 'rooms are kept', run: () => journalWriter?.saveAll() },
    { name: 'what was counted is kept', run: () => host.close() },
    { name: 'everybody is sent home', run: () => gateway.close() },
    { name: 'OSC ends', run: () => osc?.close() },
    { name: 'extensions end', run: () => hooks.close() },
    { name: 'the engine rests', run: () => engine.close() },
    { name: 'the store is closed', run: () => journalWriter?.close().then(() => store?.close()) },
    {
      name: 'figures end',
      run: () => {
        metrics?.close();
        return metricsServer?.close();
      },
    },
  ];
  const close = (): Promise<void> => {
    closing ??= (async () => {
      watchdog.stop();
      descriptors.stop();
      unwatch?.();
      await runShutdownPhases(phases, log);
    })();
    return closing;
  };
  try {
    osc = await openOsc({
      out: config.oscOut,
      in: config.oscIn,
      allowed: config.oscAllow,
      ...{ hooks, roomServers: rooms.roomServers, limits, rejections, clock, log },
      pause: async (room, paused) => {
        try {
          await rooms.change(room, { paused });
        } catch (error) {
          log.warn('osc-not-paused', `OSC cannot pause "${room}": ${(error as Error).message}.`);
          throw new Refusal('room-busy');
        }
      },
    });
    const { port, host: at, metrics: figuresPort } = config;
    await listen({ flag: '--port', host: at, port }, () => {
      return new Promise<void>((resolve, reject) => {
        http.once('error', reject);
        http.listen(port, at, resolve);
      });
    });
    // As when a connection cannot be accepted: one that is missing is no reason to end.
    http.on('error', (error) => log.warn('not-accepted', error.message));
    if (metrics && typeof figuresPort === 'number') {
      const place = { flag: '--metrics', host: '127.0.0.1', port: figuresPort };
      metricsServer = await listen(place, () => serveMetrics(metrics, figuresPort));
    }
    unwatch = watchOrigin(clock, scannedAt, () => {
      for (const roomServer of rooms.roomServers.values()) roomServer.requestWallRefresh();
    });
    // The last that may fail: a token that is kept must be shown.
    await host.keepToken();
  } catch (error) {
    watchdog.stop();
    descriptors.stop();
    unwatch?.();
    await runShutdownPhases(phases, silentLog);
    throw error;
  }
  return {
    port: bound().port,
    localOrigin: localOrigin(bound()),
    networkOrigins: reachedAt,
    qrOrigin: scannedAt,
    engine: engine.info,
    skippedEngines: passed,
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
    close,
  };
}
