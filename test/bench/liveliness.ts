/**
 * What idle life costs: the standard garden with none, the default and all of it, tick by tick in
 * turn, so that what else the machine does falls on each alike.
 */

import { STREAM } from '../../server/realtime/streaming/viewer-stream.ts';
import { readConfig } from '../../server/settings/server.ts';
import { loadRelatives } from '../../server/vnca/relatives.ts';
import { EXPRESSION_PACE } from '../../server/world/organisms/expressions.ts';
import type { Room } from '../../server/world/room.ts';
import type { Species } from '../../server/world/species.ts';
import { World } from '../../server/world/world.ts';
import { type FrameBlock, writeFrame } from '../../shared/codec/frame.ts';
import { FrameEncoder, View } from '../../shared/codec/frame-encoder.ts';
import { isDue, TIERS } from '../../shared/codec/tiers.ts';
import { ROOM_DEFAULTS } from '../../shared/host/room-settings.ts';
import { mean, rounded } from '../load/figures.ts';
import { GARDEN, Gardener } from '../load/garden.ts';
import { startEngine } from '../support/engine.ts';
import { gridFor } from './grid.ts';
import { describeMachine } from './machine.ts';
import type { BenchOptions, Log } from './options.ts';

const COUNTS = [64, 256];
const { liveliness, birth, healing } = ROOM_DEFAULTS;
const expressing = EXPRESSION_PACE;
const SHARES = [0, liveliness, 1];
/** Until the garden is grown and busy. */
const WARM_TICKS = 12 * GARDEN.tickRate;
/** A phone's window, CSS pixels. Its page opens so that two sides of an organism fit. */
const PHONE = { width: 390, height: 844, sides: 2 };
/** Of the default compared with none, and with a garden of which all are awake. */
const GOALS = { times: 1.3, kBPerSecond: 4, ofAllAwake: 0.25 };

/** @throws EngineError */
export async function benchLiveliness(log: Log, { seconds = 40, organisms }: BenchOptions = {}) {
  const config = readConfig([], process.env);
  if (config === 'help') throw new Error('no help wanted');
  const { engine, checkpoint, species } = await startEngine(config.engine);
  try {
    const world = new World(engine);
    const relatives = await loadRelatives(checkpoint);
    const rows: Row[] = [];
    const shares: { organisms: number; msAllAwake: number; ofAllAwake: number }[] = [];
    for (const count of organisms === undefined ? COUNTS : [organisms]) {
      const gardens = SHARES.map(
        (share) => new Garden(world, { ...species, relatives }, count, share),
      );
      for (let tick = 0; tick < WARM_TICKS + seconds * GARDEN.tickRate; tick++) {
        for (const garden of gardens) await garden.tick(tick >= WARM_TICKS);
      }
      for (const garden of gardens) {
        const row = garden.row();
        rows.push(row);
        log(JSON.stringify(row));
        await world.close(garden.room);
      }
      const [none, some] = rows.slice(-SHARES.length);
      log(`     default compared with none: ${JSON.stringify(compare(none, some))}`);
      const msAllAwake = await timeAllAwake(world, species, count);
      const ofAllAwake = rounded(some.msPerTick / msAllAwake);
      shares.push({ organisms: count, msAllAwake: rounded(msAllAwake), ofAllAwake });
      log(`     with all of them awake ${msAllAwake.toFixed(2)} ms/tick: a share of ${ofAllAwake}`);
    }
    const pairs = rows.flatMap((row, i) => (row.liveliness === 0 ? [[row, rows[i + 1]]] : []));
    const compared = pairs.map(([none, some]) => compare(none, some));
    const { name, device } = engine.info;
    return {
      ...{ machine: describeMachine(), engine: name, device, seconds, rows, compared, shares },
      met:
        shares.every(({ ofAllAwake }) => ofAllAwake <= GOALS.ofAllAwake) &&
        compared.every(
          ({ times, phone }) => times <= GOALS.times && phone.own <= GOALS.kBPerSecond,
        ),
    };
  } finally {
    await engine.close();
  }
}

/** @returns ms of a tick in which every organism has just grown up and steps, mean */
async function timeAllAwake(world: World, species: Species, count: number): Promise<number> {
  const size = gridFor(count, species.side);
  const room = world.open({ name: `${count}`, ...size, maxOrganisms: count, seed: 1, species });
  new Gardener(room).plantFirst(count);
  for (let tick = 0; tick < species.schedule.length; tick++) await world.tick([room]);
  const ms: number[] = [];
  while (room.awake === room.size) {
    const start = performance.now();
    await world.tick([room]);
    ms.push(performance.now() - start);
  }
  await world.close(room);
  return mean(ms);
}

type Row = ReturnType<Garden['row']>;

/** What the default adds: times the ms of a tick, and kB/s for phones. */
const compare = (none: Row, some: Row) => ({
  organisms: some.organisms,
  times: rounded(some.msPerTick / none.msPerTick),
  phone: {
    own: rounded(some.phoneKBPerSecond - none.phoneKBPerSecond),
    whole: rounded(some.kBPerSecond - none.kBPerSecond),
  },
});

class Garden {
  readonly room: Room;
  private readonly gardener: Gardener;
  private readonly stream: Stream;
  private readonly figures = { ms: [], awake: [], cells: [] } as Record<string, number[]>;

  constructor(
    private readonly world: World,
    species: Species,
    private readonly organisms: number,
    private readonly share: number,
  ) {
    const size = gridFor(organisms, species.side);
    this.room = world.open({
      ...{ name: `${organisms} ${share}`, ...size, maxOrganisms: organisms },
      ...{ seed: 1, species, life: { birth, healing, expressing } },
    });
    this.gardener = new Gardener(this.room);
    this.gardener.plantFirst(organisms);
    this.room.setLiveliness(share);
    this.stream = new Stream(this.room);
  }

  async tick(isMeasured: boolean): Promise<void> {
    const { room, gardener, figures } = this;
    if (room.tick % GARDEN.tickRate === 0) {
      for (let acts = this.organisms; acts > 0; acts -= GARDEN.organisms) {
        gardener.makeRoom();
        gardener.second();
      }
    }
    const start = performance.now();
    const [{ result, cells }] = await this.world.tick([room]);
    const took = performance.now() - start;
    this.stream.see(result.tick, result.changed, isMeasured);
    if (!isMeasured) return;
    figures.ms.push(took);
    figures.awake.push(room.awake / room.size);
    figures.cells.push(cells);
  }

  row() {
    const { organisms, share, figures, stream } = this;
    const seconds = figures.ms.length / GARDEN.tickRate;
    const rate = (bytes: number): number => rounded(bytes / 1000 / seconds);
    return {
      ...{ organisms, liveliness: share },
      msPerTick: rounded(mean(figures.ms)),
      cellsPerTick: Math.round(mean(figures.cells)),
      /** Share of the organisms, mean. */
      awake: rounded(mean(figures.awake)),
      /** A phone that sees the whole room. */
      kBPerSecond: rate(stream.bytes),
      /** A phone at its first camera, mean of all places. */
      phoneKBPerSecond: rate(stream.ownBytes),
    };
  }
}

/** What phones receive: of the whole room, and of what a phone shows of it. */
class Stream {
  bytes = 0;
  /** Mean of phones all over the room. */
  ownBytes = 0;
  private readonly encoder: FrameEncoder;
  /** Chunks of each phone's view. */
  private readonly views: readonly ReadonlySet<number>[];

  constructor({ grid, species }: Room) {
    this.encoder = new FrameEncoder(new View(grid.planes, 1), TIERS.phone);
    const { margin } = STREAM;
    const shown = PHONE.sides * species.side;
    const [width, height] = [shown, (shown * PHONE.height) / PHONE.width].map(
      (n) => n + 2 * margin,
    );
    const middles = (side: number) => [0.25, 0.5, 0.75].map((share) => share * side);
    this.views = middles(grid.width).flatMap((x) =>
      middles(grid.height).map(
        (y) => new Set(this.encoder.within({ x: x - width / 2, y: y - height / 2, width, height })),
      ),
    );
  }

  see(tick: number, changed: readonly number[], isMeasured: boolean): void {
    const { encoder, views } = this;
    for (const chunk of changed) if (encoder.view.update(tick, chunk)) encoder.touch(chunk);
    if (!isDue(TIERS.phone, tick)) return;
    encoder.advance(tick, () => true);
    const blocks: FrameBlock[] = [];
    for (let chunk = 0; chunk < encoder.chunks; chunk++) {
      const block = encoder.delta(chunk);
      if (block) blocks.push({ chunk, block });
    }
    if (!isMeasured) return;
    const sizeOf = (some: FrameBlock[]) =>
      writeFrame({ tick, tier: 'phone', scale: 1 }, some).length;
    this.bytes += sizeOf(blocks);
    this.ownBytes += mean(
      views.map((view) => sizeOf(blocks.filter(({ chunk }) => view.has(chunk)))),
    );
  }
}
