/** The whole server, put together: checkpoint, engine, rooms, ticker, pages, sockets. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hashText } from '../shared/random.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Config } from './config.ts';
import type { PassedOver } from './engine/backend.ts';
import { createEngine } from './engine/create.ts';
import type { EngineLoss } from './engine/engine.ts';
import { createApp, galleryUrl } from './http/app.ts';
import { Door } from './net/door.ts';
import { httpOptions, openGateway } from './net/gateway.ts';
import { Lobby } from './net/lobby.ts';
import { createNameCheck } from './net/names.ts';
import { Refusals } from './net/refusals.ts';
import { type Checkpoint, galleryLatent, loadCheckpoint } from './vnca/checkpoint.ts';
import { GALLERY_COLUMNS } from './vnca/gallery.ts';
import { growthSchedule } from './vnca/growth.ts';
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
  setTickRate(room: Room, rate: number): void;
  close(): Promise<void>;
}

/** What a room needs to know of a checkpoint. */
export function speciesOf(checkpoint: Checkpoint): Species {
  const { name, side, latentSize, presence, trustedSteps, gallery } = checkpoint.card;
  return {
    checkpoint: name,
    side,
    latentSize,
    schedule: growthSchedule(checkpoint.card),
    threshold: Math.ceil(presence.threshold * 255),
    trustedSteps,
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
  const { config, clientFolder, clock = systemClock, onLoss, onTick, onFatal } = options;
  const names = createNameCheck(config.bannedWords ?? []);
  const checkpoint = await loadCheckpoint(config.checkpoint);
  let passed: readonly PassedOver[] = [];
  const engine = await createEngine({
    checkpoints: [checkpoint],
    backend: config.engine,
    onPassed: (better) => {
      passed = better;
    },
    ...(onLoss && { onLoss }),
  });
  const world = new World(engine);
  const lobbies = new Map<string, Lobby>();
  let failed = false;

  const ticker = new Ticker({
    clock,
    tick: async (rooms) => {
      for (const { room, result } of await world.tick(rooms)) {
        lobbies.get(room.name)?.publish(result, clock.now());
      }
    },
    onTick,
    onError: (error) => {
      failed = true;
      onFatal(error);
    },
  });

  const species = speciesOf(checkpoint);
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
    },
  };
  for (const name of config.rooms) {
    const room = world.open({
      name,
      ...config.size,
      maxOrganisms: config.maxOrganisms,
      seed: hashText(`${config.seed}/${name}`),
      species,
      energy: config.energy,
      tickRate: config.tickRate,
    });
    const pace = () => ticker.pace(room)!;
    ticker.add(room, config.tickRate);
    lobbies.set(name, new Lobby(room, facts, pace, config.capacity, clock));
  }

  const app = createApp({
    clientFolder,
    checkpoints: new Map([[card.name, checkpoint.folder]]),
    defaultRoom: config.rooms[0],
    isHealthy: () => !failed,
  });
  const { limits, trustProxy, origins = [] } = config;
  const refusals = new Refusals();
  const http = createServer(httpOptions(limits), app);
  const door = new Door({ limits, origins, trustProxy, clock, refusals });
  const gateway = openGateway(http, { lobbies, clock, limits, door, refusals, names });
  const close = async (): Promise<void> => {
    await ticker.stop();
    await gateway.close();
    await engine.close();
  };
  try {
    await new Promise<void>((resolve, reject) => {
      http.once('error', reject);
      http.listen(config.port, config.host, resolve);
    });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    port: (http.address() as AddressInfo).port,
    engine: engine.info,
    passed,
    world,
    lobbies,
    refusals,
    setTickRate: (room, rate) => {
      ticker.setRate(room, rate);
      room.setTickRate(rate);
    },
    close,
  };
}
