/** The whole server, put together: checkpoint, engine, rooms, ticker, pages, sockets. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DEFAULTS } from '../shared/defaults.ts';
import { hashText } from '../shared/random.ts';
import { lanOrigin } from './announce.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Config } from './config.ts';
import type { PassedOver } from './engine/backend.ts';
import { createEngine } from './engine/create.ts';
import { EngineError, type EngineLoss } from './engine/engine.ts';
import { Hooks } from './hooks/hooks.ts';
import { createApp, galleryUrl, mapUrl } from './http/app.ts';
import { wallBuild } from './http/client-build.ts';
import { Door } from './net/door.ts';
import { httpOptions, openGateway } from './net/gateway.ts';
import { Lobby } from './net/lobby.ts';
import { createNameCheck } from './net/names.ts';
import { Passes } from './net/passes.ts';
import { Refusals } from './net/refusals.ts';
import { openSeedWorks } from './nursery/open.ts';
import { type Log, silentLog } from './operations/log.ts';
import { createMetrics } from './operations/metrics.ts';
import { type MetricsServer, serveMetrics } from './operations/metricsServer.ts';
import { runPhases } from './operations/phases.ts';
import { Pulse } from './operations/pulse.ts';
import { Chronicle } from './store/chronicle.ts';
import { fingerprint } from './store/fingerprint.ts';
import { openSound } from './store/lmdb/open.ts';
import { openRooms } from './store/openRooms.ts';
import { keptSecret } from './store/secret.ts';
import { Store } from './store/store.ts';
import { type Checkpoint, galleryLatent, loadCheckpoint } from './vnca/checkpoint.ts';
import { GALLERY_COLUMNS } from './vnca/gallery.ts';
import { growthSchedule } from './vnca/growth.ts';
import { loadMap } from './vnca/latentMap.ts';
import type { Room } from './world/room.ts';
import type { Species } from './world/species.ts';
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
  readonly log?: Log;
  /** Told at most once a second that ticks go on. */
  readonly onBeat?: () => void;
  /** The rooms cannot go on. */
  readonly onFatal: (error: unknown) => void;
}

export interface Vivarium {
  readonly port: number;
  readonly engine: { readonly name: string; readonly device: string };
  /** Engines that would have been better, and why they are not used. */
  readonly passed: readonly PassedOver[];
  readonly world: World;
  readonly lobbies: ReadonlyMap<string, Lobby>;
  /** What was turned away since the start. */
  readonly refusals: Refusals;
  /** Where figures are served, where that is a port of its own. */
  readonly metricsPort: number | undefined;
  setTickRate(room: Room, rate: number): void;
  close(): Promise<void>;
}

/** What a room needs to know of a checkpoint. */
export function speciesOf(checkpoint: Checkpoint, map?: Species['map']): Species {
  const { name, side, latentSize, presence, trustedSteps, gallery } = checkpoint.card;
  return {
    checkpoint: name,
    side,
    latentSize,
    schedule: growthSchedule(checkpoint.card),
    threshold: Math.ceil(presence.threshold * 255),
    trustedSteps,
    map,
    gallery: gallery.map((entry, i) => ({
      name: entry.name,
      latent: galleryLatent(checkpoint, i),
    })),
  };
}

/**
 * Starts everything.
 *
 * @throws CheckpointError, EngineError, or the error of listening
 */
export async function startVivarium(options: VivariumOptions): Promise<Vivarium> {
  const { config, clientFolder, clock = systemClock, date = Date.now, onFatal, onLoss } = options;
  const { log = silentLog } = options;
  const names = createNameCheck(config.bannedWords ?? []);
  const checkpoint = await loadCheckpoint(config.checkpoint);
  const map = await loadMap(checkpoint);
  const hooks = await Hooks.open({ files: config.extension, clock, log, limits: config.limits });
  let passed: readonly PassedOver[] = [];
  const [engine, records] = await startBoth(
    createEngine({
      checkpoints: [checkpoint],
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
  const lobbies = new Map<string, Lobby>();
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
  const ticker = new Ticker({
    clock,
    tick: async (rooms) => {
      const ticked = await pulse.during(() => world.tick(rooms));
      chronicle?.ticked(ticked);
      for (const { room, result } of ticked) {
        const lobby = lobbies.get(room.name);
        if (!lobby) continue;
        lobby.publish(result, clock.now());
        hooks.ticked(lobby, result);
      }
      metrics?.ticked(ticked);
    },
    onTick: (timing) => {
      metrics?.timed(timing);
      options.onTick?.(timing);
    },
    onPause: (until) => seeds.nursery.pause(until),
    onError: (error) => {
      failed = true;
      onFatal(error);
    },
  });
  const metrics =
    config.metrics === 'none'
      ? undefined
      : createMetrics({
          engine: engine.info,
          keeping: () => chronicle?.keeping,
          turned: () => refusals.totals(),
          rooms: () =>
            rooms.map((room) => ({
              name: room.name,
              participants: lobbies.get(room.name)?.size ?? 0,
              organisms: room.size,
              awake: room.awake,
              rate: ticker.pace(room)!.actual,
              tick: room.tick,
            })),
        });

  const species = speciesOf(checkpoint, map);
  const seeds = openSeedWorks(checkpoint, {
    species,
    engine,
    newPatch: () => world.newPatch(),
    clock,
  });
  const { card } = checkpoint;
  const facts = {
    engine: engine.info,
    checkpoint: {
      name: card.name,
      title: card.title,
      side: card.side,
      latentSize: card.latentSize,
      growthTicks: species.schedule.length,
      gallery: card.gallery.map(({ name, kind }) => ({ name, kind })),
      sheet: { url: galleryUrl(card.name), columns: GALLERY_COLUMNS },
      ...(map && { map: mapUrl(card.name) }),
      ...(seeds.draws && { draws: seeds.draws }),
    },
  };
  const places = config.rooms.map((name) => ({
    name,
    ...config.size,
    maxOrganisms: config.maxOrganisms,
    seed: hashText(`${config.seed}/${name}`),
    species,
    energy: config.energy,
    tickRate: config.tickRate,
  }));
  let rooms: readonly Room[] = [];
  try {
    const hash = fingerprint(checkpoint);
    rooms =
      store && chronicle
        ? await openRooms(places, {
            store,
            world,
            chronicle,
            checkpoint: { name: card.name, hash },
            date,
            say: (remark) => log.info('room', remark),
          })
        : places.map((place) => world.open(place));
  } catch (error) {
    pulse.stop();
    await hooks.close();
    await engine.close();
    await store?.close();
    throw error;
  }
  const secret = keptSecret(config.data === 'none' ? undefined : config.data, 'passes.key');
  const build = await wallBuild(clientFolder);
  const wallFacts = () => ({
    origin: lanOrigin(config.host, (http.address() as AddressInfo).port),
    build,
  });
  for (const room of rooms) {
    const pace = () => ticker.pace(room)!;
    ticker.add(room, config.tickRate);
    const passes = new Passes(secret, room.name);
    const lobby = new Lobby(room, facts, pace, config.capacity, clock, passes, wallFacts, seeds);
    lobbies.set(room.name, lobby);
    hooks.watch(lobby, pace);
  }

  const app = createApp({
    clientFolder,
    checkpoints: new Map([[card.name, checkpoint.folder]]),
    maps: new Map(map && [[card.name, map]]),
    defaultRoom: config.rooms[0],
    isHealthy: () => !failed,
    readiness: () => ({
      engine: !failed,
      ticking: pulse.beats,
      keeping: chronicle?.keeping ?? null,
      open: !closing,
    }),
    ...(config.metrics === 'same' && { metrics }),
  });
  const { limits, trustProxy, origins = [] } = config;
  const http = createServer(httpOptions(limits), app);
  const door = new Door({ limits, origins, trustProxy, clock, refusals });
  const gateway = openGateway(http, { lobbies, clock, limits, door, refusals, names });
  let metricsServer: MetricsServer | undefined;
  const phases = [
    { name: 'newcomers are refused', run: () => gateway.refuse() },
    { name: 'the last tick is done', run: () => ticker.stop() },
    { name: 'seeds are no longer looked at', run: () => seeds.nursery.stop() },
    { name: 'rooms are kept', run: () => chronicle?.saveAll() },
    { name: 'everybody is sent home', run: () => gateway.close() },
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
      await runPhases(phases, log);
    })();
    return closing;
  };
  try {
    await new Promise<void>((resolve, reject) => {
      http.once('error', reject);
      http.listen(config.port, config.host, resolve);
    });
    if (metrics && typeof config.metrics === 'number') {
      metricsServer = await serveMetrics(metrics, config.metrics);
    }
  } catch (error) {
    pulse.stop();
    await runPhases(phases, silentLog);
    throw error;
  }
  return {
    port: (http.address() as AddressInfo).port,
    engine: engine.info,
    passed,
    world,
    lobbies,
    metricsPort: metricsServer?.port,
    refusals,
    setTickRate: (room, rate) => {
      ticker.setRate(room, rate);
      room.setTickRate(rate);
    },
    close,
  };
}

/** Waits for two that take their time; when one does not start, the other is closed again. @throws as that one */
async function startBoth<A extends Closable, B extends Closable | undefined>(
  a: Promise<A>,
  b: B | Promise<B>,
): Promise<[A, B]> {
  const [first, second] = await Promise.allSettled([a, b]);
  if (first.status === 'fulfilled' && second.status === 'fulfilled') {
    return [first.value, second.value];
  }
  for (const start of [first, second]) {
    if (start.status === 'fulfilled') await start.value?.close();
  }
  throw (second.status === 'rejected' ? second : (first as PromiseRejectedResult)).reason;
}

interface Closable {
  close(): Promise<void>;
}
