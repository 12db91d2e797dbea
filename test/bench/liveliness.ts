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
import { FrameEncoder } from '../../shared/codec/frame-encoder.ts';
import { isDue, TIER_NAMES, TIERS, type TierName } from '../../shared/codec/tiers.ts';
import { View } from '../../shared/codec/view.ts';
import { ROOM_DEFAULTS } from '../../shared/host/room-settings.ts';
import { mean, rounded } from '../load/figures.ts';
import { GARDEN, Gardener } from '../load/garden.ts';
import { startEngine } from '../support/engine.ts';
import { gridFor } from './grid.ts';
import { describeMachine } from './machine.ts';
import type { BenchOptions, Log } from './options.ts';

const CHECKPOINT_FOLDER = [64, 256];
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
    for (const count of organisms === undefined ? CHECKPOINT_FOLDER : [organisms]) {
      const gardens = SHARES.map(
        (share) => new Garden(world, { ...species, relatives }, count, share),
      );
      for (let tick = 0; tick < WARM_TICKS + seconds * GARDEN.tickRate; tick++) {
        for (const garden of gardens) await garden.tick(tick >= WARM_TICKS);
      }
      for (const garden of gardens) {
        const row = garden.row();
        rows.push(row);
        log(lineOf(row));
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
  const size = gridFor(count, species.side, Math.ceil(Math.sqrt(count)));
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
    whole: rounded(some.kBPerSecond.phone - none.kBPerSecond.phone),
  },
});

function lineOf({ organisms, liveliness: share, ...row }: Row): string {
  const streams = TIER_NAMES.map((tier) => `${tier} ${row.kBPerSecond[tier]}`).join(', ');
  return (
    `${`${organisms}`.padStart(4)} liveliness ${`${share}`.padEnd(4)}${row.msPerTick.toFixed(2).padStart(7)} ms/tick ${`${row.cellsPerTick}`.padStart(7)} cells  ` +
    `${(100 * row.awake).toFixed(1)} % awake  kB/s: whole room ${streams}; a phone's own view ${row.phoneKBPerSecond}`
  );
}

class Garden {
  readonly room: Room;
  private readonly gardener: Gardener;
  private readonly streams: readonly Stream[];
  private readonly figures = { ms: [], awake: [], cells: [] } as Record<string, number[]>;

  constructor(
    private readonly world: World,
    species: Species,
    private readonly organisms: number,
    private readonly share: number,
  ) {
    const size = gridFor(organisms, species.side, Math.ceil(Math.sqrt(organisms)));
    this.room = world.open({
      ...{ name: `${organisms} ${share}`, ...size, maxOrganisms: organisms },
      ...{ seed: 1, species, life: { birth, healing, expressing } },
    });
    this.gardener = new Gardener(this.room);
    this.gardener.plantFirst(organisms);
    this.room.setLiveliness(share);
    this.streams = TIER_NAMES.map((tier) => new Stream(this.room, tier));
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
    for (const stream of this.streams) stream.see(result.tick, result.changed, isMeasured);
    if (!isMeasured) return;
    figures.ms.push(took);
    figures.awake.push(room.awake / room.size);
    figures.cells.push(cells);
  }

  row() {
    const { organisms, share, figures } = this;
    const seconds = figures.ms.length / GARDEN.tickRate;
    const rate = (bytes: number): number => rounded(bytes / 1000 / seconds);
    const whole = this.streams.map(({ tier, bytes }) => [tier, rate(bytes)]);
    return {
      ...{ organisms, liveliness: share },
      msPerTick: rounded(mean(figures.ms)),
      cellsPerTick: Math.round(mean(figures.cells)),
      /** Share of the organisms, mean. */
      awake: rounded(mean(figures.awake)),
      /** Of viewers who see the whole room. */
      kBPerSecond: Object.fromEntries(whole) as Record<TierName, number>,
      /** Of a phone at its first camera, mean of all places. */
      phoneKBPerSecond: rate(this.streams.find(({ tier }) => tier === 'phone')!.ownBytes),
    };
  }
}

/** What viewers of a tier receive: of the whole room, and of what a phone shows of it. */
class Stream {
  bytes = 0;
  /** Mean of phones all over the room. */
  ownBytes = 0;
  private readonly encoder: FrameEncoder;
  /** Chunks of each phone's view. */
  private readonly views: readonly ReadonlySet<number>[];

  constructor(
    room: Room,
    readonly tier: TierName,
  ) {
    const { grid, species } = room;
    this.encoder = new FrameEncoder(new View(grid.planes, 1), TIERS[tier]);
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
    const { encoder, tier, views } = this;
    for (const chunk of changed) if (encoder.view.update(tick, chunk)) encoder.touch(chunk);
    if (!isDue(TIERS[tier], tick)) return;
    encoder.advance(tick, () => true);
    const blocks: FrameBlock[] = [];
    for (let chunk = 0; chunk < encoder.chunks; chunk++) {
      const block = encoder.delta(chunk);
      if (block) blocks.push({ chunk, block });
    }
    if (!isMeasured) return;
    const sizeOf = (some: FrameBlock[]) => writeFrame({ tick, tier, scale: 1 }, some).length;
    this.bytes += sizeOf(blocks);
    this.ownBytes += mean(
      views.map((view) => sizeOf(blocks.filter(({ chunk }) => view.has(chunk)))),
    );
  }
}
