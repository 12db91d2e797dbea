/** The whole server, put together: checkpoint, engine, rooms, ticker, pages, sockets. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DEFAULTS } from '../shared/defaults.ts';
import type { RoomSettings } from '../shared/host/settings.ts';
import { Refusal } from '../shared/protocol/reasons.ts';
import { hashText } from '../shared/random.ts';
import type { Config } from './config.ts';
import type { PassedOver } from './engine/backend.ts';
import { createEngine } from './engine/create.ts';
import { EngineError, type EngineLoss } from './engine/engine.ts';
import { Gardeners } from './hooks/gardener/gardeners.ts';
import { Hooks } from './hooks/hooks.ts';
import { type Osc, openOsc } from './hooks/osc/open.ts';
import { openHost } from './host/host.ts';
import { createApp } from './http/app.ts';
import { wallBuild } from './http/client-build.ts';
import { listening } from './listening.ts';
import { Bans } from './net/bans.ts';
import { Door } from './net/door.ts';
import { httpOptions, openGateway } from './net/gateway.ts';
import type { Lobby } from './net/lobby.ts';
import { createNameCheck } from './net/names.ts';
import { Refusals } from './net/refusals.ts';
import { type Log, silentLog } from './operations/log.ts';
import { createMetrics } from './operations/metrics.ts';
import { type MetricsServer, serveMetrics } from './operations/metricsServer.ts';
import { runPhases } from './operations/phases.ts';
import { Pulse } from './operations/pulse.ts';
import { type Clock, systemClock } from './platform/clock.ts';
import { lanAddresses, lanOrigins, localOrigin, venueAddresses, watchOrigin } from './reach.ts';
import { Rooms } from './rooms.ts';
import { startBoth } from './startBoth.ts';
import { stockOf } from './stock.ts';
import { Chronicle } from './store/chronicle.ts';
import { openSound } from './store/lmdb/open.ts';
import { openMemory } from './store/memory.ts';
import { banRecords } from './store/schemas.ts';
import { keptSecret } from './store/secret.ts';
import { Store } from './store/store.ts';
import { loadCheckpoint } from './vnca/checkpoint.ts';
import { Meanwhile } from './world/meanwhile.ts';
import type { Room } from './world/room.ts';
import { Ticker, type TickTiming } from './world/ticker.ts';
import { World } from './world/world.ts';

export interface VivariumOptions {
  readonly config: Config;
  readonly clientFolder: string;
  readonly clock?: Clock;
  /** Something of the engine was lost and is put back: rooms are held up for a moment, and go on. */
  readonly onLoss?: (loss: EngineLoss) => void;
  /** Hears of each tick that is done, for whoever measures. */
  readonly onTick?: (timing: TickTiming) => void;
  /** Wall clock, ms; it may go back. */
  readonly date?: () => number;
  /** This machine's addresses on its networks, the likeliest for phones first. */
  readonly addresses?: () => readonly string[];
  readonly log?: Log;
  /** Told at most once a second that ticks go on. */
  readonly onBeat?: () => void;
  /** The schedule wants the server to end, and to be started anew. */
  readonly onRestart?: () => void;
  /** The rooms cannot go on. */
  readonly onFatal: (error: unknown) => void;
}

export interface Vivarium {
  readonly port: number;
  /** Where this machine itself reaches it, as an origin. */
  readonly local: string;
  /** Where phones reach it now, as origins, the likeliest first. */
  origins(): readonly string[];
  /** The one of them that a code leads to; '' where none is likely. */
  scanned(): string;
  readonly engine: { readonly name: string; readonly device: string };
  /** Engines that would have been better, and why they are not used. */
  readonly passed: readonly PassedOver[];
  readonly world: World;
  readonly rooms: Rooms;
  /** What keeps the rooms, where they are kept. */
  readonly chronicle: Chronicle | undefined;
  /** Of the open rooms. */
  readonly lobbies: ReadonlyMap<string, Lobby>;
  /** What was turned away since the start. */
  readonly refusals: Refusals;
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
export async function startVivarium(options: VivariumOptions): Promise<Vivarium> {
  const { config, clientFolder, clock = systemClock, date = Date.now, onFatal, onLoss } = options;
  const { log = silentLog, addresses } = options;
  const bound = () => http.address() as AddressInfo;
  const reachedAt = () => lanOrigins(bound(), (addresses ?? lanAddresses)());
  /** Where a code leads phones; '' where that is not known. */
  const scannedAt = () => lanOrigins(bound(), (addresses ?? venueAddresses)())[0] ?? '';
  const names = createNameCheck(config.bannedWords ?? []);
  const checkpoint = await loadCheckpoint(config.checkpoint);
  const checkpoints = [checkpoint, ...(await Promise.all(config.checkpoints.map(loadCheckpoint)))];
  const hooks = await Hooks.open({ files: config.extension, clock, log, limits: config.limits });
  let passed: readonly PassedOver[] = [];
  const [engine, records] = await startBoth(
    createEngine({
      checkpoints,
      backend: config.engine,
      onPassed: (better) => {
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
  const chronicle =
    store &&
    new Chronicle({
      store,
      engine,
      clock,
      date,
      snapshotLeast: 1000 * config.snapshot,
      warn: (name, message) => log.warn(name, message),
      onCommit: (duration) => metrics?.committed(duration),
    });
  const world = new World(engine);
  world.journal = chronicle?.record;
  const refusals = new Refusals();
  let failed = false;
  let closing: Promise<void> | undefined;

  const pulse = new Pulse({
    clock,
    patience: DEFAULTS.operations.stall,
    onBeat: () => options.onBeat?.(),
    onStalled: () => {
      failed = true;
      onFatal(new EngineError('failed', 'a tick has not ended; the engine has stalled'));
    },
  });
  const onFailure = (error: unknown): void => {
    failed = true;
    onFatal(error);
  };
  const meanwhile = new Meanwhile(clock, onFailure);
  const ticker = new Ticker({
    clock,
    tick: async (due) => {
      const ticked = await pulse.during(() => world.tick(due, () => meanwhile.do()));
      chronicle?.ticked(ticked);
      const shown: Lobby[] = [];
      for (const { room, result } of ticked) {
        const lobby = rooms.lobbies.get(room.name);
        if (!lobby) continue;
        lobby.publish(result, clock.now());
        hooks.ticked(lobby, result);
        shown.push(lobby);
      }
      meanwhile.putOff(() => {
        for (const lobby of shown) lobby.show(clock.now());
      });
      // Where there is time before the next tick, nobody waits for it. Who is greeted anew is told of the room as it is, which
      // must be between two ticks.
      if (!ticker.isBehind || shown.some((lobby) => lobby.greetsAnew)) meanwhile.do();
      metrics?.ticked(ticked);
    },
    onTick: (timing) => {
      metrics?.timed(timing);
      options.onTick?.(timing);
    },
    onPause: (until) => {
      for (const { seeds } of works) seeds.nursery.pause(until);
    },
    onError: onFailure,
  });
  const metrics =
    config.metrics === 'none'
      ? undefined
      : createMetrics({
          engine: engine.info,
          keeping: () => chronicle?.keeping,
          turned: () => refusals.totals(),
          rooms: () =>
            [...rooms.lobbies.values()].map(({ room, size }) => ({
              name: room.name,
              participants: size,
              organisms: room.size,
              awake: room.awake,
              rate: ticker.pace(room)!.actual,
              tick: room.tick,
            })),
        });

  const desk = store ?? new Store(openMemory());
  const secret = keptSecret(config.data === 'none' ? undefined : config.data, 'passes.key');
  const bans = new Bans(secret, date, await desk.ofHouse('bans', banRecords), (all) => {
    void desk.putOfHouse('bans', all).catch((error: Error) => log.warn('not-kept', error.message));
  });
  const newPatch = () => world.newPatch();
  const works = await Promise.all(checkpoints.map((one) => stockOf(one, engine, newPatch, clock)));
  const stock = new Map(works.map((one) => [one.species.checkpoint, one]));
  const kept = store && chronicle && { store, chronicle };
  const build = await wallBuild(clientFolder);
  const rooms = new Rooms({
    ...{ world, ticker, desk, secret, bans, clock, date, log, engine: engine.info },
    ...{ kept, stock },
    defaults: settingsOf(config),
    onOpen: (lobby, pace) => hooks.watch(lobby, pace),
    onClose: (lobby) => {
      hooks.unwatch(lobby);
      host.closed(lobby.room.name);
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
    pulse.stop();
    await ticker.stop();
    await chronicle?.close();
    await hooks.close();
    await engine.close();
    await store?.close();
    throw error;
  }

  const { limits, trustProxy, origins = [] } = config;
  const door = new Door({ limits, origins, trustProxy, clock, refusals });
  const host = await openHost({
    desk: {
      ...{ rooms, world, ticker, bans, stock, clock, date, log, engine: engine.info },
      kept,
      store: desk,
      folder: config.data === 'none' ? undefined : config.data,
      defaultRoom: config.rooms[0],
      backend: config.engine,
      checkpointFolder: (name) => checkpoints.find(({ card }) => card.name === name)?.folder,
      defaults: settingsOf(config),
      addresses: reachedAt,
    },
    newToken: config.newHostToken,
    secret,
    addressOf: (request) => door.keyOf(request),
    onRestart: () => options.onRestart?.(),
  });
  world.journal = (ticks) => {
    host.count(ticks);
    return chronicle?.record(ticks) ?? Promise.resolve();
  };
  const gardeners = new Gardeners({
    ...{ lobbies: rooms.lobbies, clock, seed: config.seed },
    after: (room) => gardenerAfter(rooms.settings(room)),
  });
  rooms.onSettings((room, settings) =>
    gardeners.of(room)?.configure({ after: gardenerAfter(settings) }),
  );
  hooks.add(gardeners);

  const app = createApp({
    host: host.router,
    clientFolder,
    checkpoints: new Map(checkpoints.map(({ card, folder }) => [card.name, folder])),
    maps: new Map(
      works.flatMap(({ species: { checkpoint: name, map } }) => (map ? [[name, map]] : [])),
    ),
    defaultRoom: config.rooms[0],
    hasWall: (room, request) => rooms.lobbies.get(room)?.hasWallAt(door.keyOf(request)),
    admit: (request) => door.fetch(request),
    isHealthy: () => !failed,
    readiness: () => ({
      engine: !failed,
      ticking: pulse.beats,
      keeping: chronicle?.keeping ?? null,
      open: !closing,
    }),
    ...(config.metrics === 'same' && { metrics }),
  });
  const http = createServer(httpOptions(limits), app);
  const gateway = openGateway(http, { lobbies: rooms, clock, limits, door, refusals, names });
  let metricsServer: MetricsServer | undefined;
  let osc: Osc | undefined;
  let unwatch: (() => void) | undefined;
  const phases = [
    { name: 'newcomers are refused', run: () => gateway.refuse() },
    { name: 'the last tick is done', run: () => ticker.stop().then(() => meanwhile.do()) },
    {
      name: 'seeds are no longer looked at',
      run: () => Promise.all(works.map(({ seeds }) => seeds.nursery.stop())),
    },
    { name: 'rooms are kept', run: () => chronicle?.saveAll() },
    { name: 'what was counted is kept', run: () => host.close() },
    { name: 'everybody is sent home', run: () => gateway.close() },
    { name: 'OSC ends', run: () => osc?.close() },
    { name: 'extensions end', run: () => hooks.close() },
    { name: 'the engine rests', run: () => engine.close() },
    { name: 'the store is closed', run: () => chronicle?.close().then(() => store?.close()) },
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
      pulse.stop();
      unwatch?.();
      await runPhases(phases, log);
    })();
    return closing;
  };
  try {
    osc = await openOsc({
      out: config.oscOut,
      in: config.oscIn,
      allowed: config.oscAllow,
      ...{ hooks, lobbies: rooms.lobbies, limits, refusals, clock, log },
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
    await listening({ flag: '--port', host: at, port }, () => {
      return new Promise<void>((resolve, reject) => {
        http.once('error', reject);
        http.listen(port, at, resolve);
      });
    });
    if (metrics && typeof figuresPort === 'number') {
      const place = { flag: '--metrics', host: '127.0.0.1', port: figuresPort };
      metricsServer = await listening(place, () => serveMetrics(metrics, figuresPort));
    }
    unwatch = watchOrigin(clock, scannedAt, () => {
      for (const lobby of rooms.lobbies.values()) lobby.showWalls();
    });
    // The last that may fail: a token that is kept must be shown.
    await host.keepToken();
  } catch (error) {
    pulse.stop();
    unwatch?.();
    await runPhases(phases, silentLog);
    throw error;
  }
  return {
    port: bound().port,
    local: localOrigin(bound()),
    origins: reachedAt,
    scanned: scannedAt,
    engine: engine.info,
    passed,
    chronicle,
    world,
    rooms,
    lobbies: rooms.lobbies,
    hostToken: host.freshToken,
    metricsPort: metricsServer?.port,
    gardeners,
    oscPort: osc.port,
    refusals,
    setTickRate: (room, rate) => {
      ticker.setRate(room, rate);
      room.setTickRate(rate);
    },
    close,
  };
}
