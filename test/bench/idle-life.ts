/** What idle life costs: the standard garden with more and less of it, all in one run. */
import type { Room } from '../../server/world/room.ts';
import type { Species } from '../../server/world/species.ts';
import type { World } from '../../server/world/world.ts';
import { type FrameBlock, writeFrame } from '../../shared/codec/frame.ts';
import { FrameEncoder } from '../../shared/codec/frame-encoder.ts';
import { isDue, TIER_NAMES, TIERS, type TierName } from '../../shared/codec/tiers.ts';
import { View } from '../../shared/codec/view.ts';
import { DEFAULTS } from '../../shared/defaults.ts';
import { rounded } from '../load/figures.ts';
import { GARDEN, Gardener } from '../load/garden.ts';
import type { Log } from './options.ts';

const ORGANISMS = [64, 256];
const { liveliness, birth, healing } = DEFAULTS.life;
const SHARES = [0, liveliness, 1];
/** Until the garden is grown and busy, and what is measured. */
const WARM_TICKS = 12 * GARDEN.tickRate;
const TICKS = 20 * GARDEN.tickRate;

/** @param species with a table of relatives */
export async function benchIdleLife(world: World, species: Species, log: Log) {
  const rows = [];
  for (const organisms of ORGANISMS) {
    for (const share of SHARES) {
      const row = {
        organisms,
        liveliness: share,
        ...(await measure(world, species, organisms, share)),
      };
      rows.push(row);
      const streams = TIER_NAMES.map((tier) => `${tier} ${row.kBPerSecond[tier]}`).join(', ');
      log(
        `${`${organisms}`.padStart(4)} liveliness ${`${share}`.padEnd(4)}${row.msPerTick.toFixed(2).padStart(7)} ms/tick ${`${row.cellsPerTick}`.padStart(7)} cells  ` +
          `${(100 * row.awake).toFixed(1)} % awake  ${streams} kB/s`,
      );
    }
  }
  return rows;
}

async function measure(world: World, species: Species, organisms: number, share: number) {
  const width = species.side * Math.ceil(Math.sqrt(organisms));
  const room = world.open({
    ...{ name: `idle ${organisms} ${share}`, width, height: width, maxOrganisms: organisms },
    ...{ seed: 1, species, life: { birth, healing } },
  });
  const gardener = new Gardener(room);
  gardener.plantFirst(organisms);
  room.setLiveliness(share);
  const streams = TIER_NAMES.map((tier) => new Stream(room, tier));
  let [ms, awake, steps] = [0, 0, 0];
  for (let tick = 0; tick < WARM_TICKS + TICKS; tick++) {
    if (tick % GARDEN.tickRate === 0) {
      for (let acts = organisms; acts > 0; acts -= GARDEN.organisms) {
        gardener.makeRoom();
        gardener.second();
      }
    }
    const start = performance.now();
    const [{ result, cells }] = await world.tick([room]);
    const took = performance.now() - start;
    const isMeasured = tick >= WARM_TICKS;
    for (const stream of streams) stream.see(result.tick, result.changed, isMeasured);
    if (!isMeasured) continue;
    ms += took;
    awake += room.awake / room.size;
    steps += cells;
  }
  await world.close(room);
  const seconds = TICKS / GARDEN.tickRate;
  const perSecond = streams.map(({ tier, bytes }) => [tier, rounded(bytes / 1000 / seconds)]);
  return {
    msPerTick: rounded(ms / TICKS),
    cellsPerTick: Math.round(steps / TICKS),
    /** Share of the organisms, mean. */
    awake: rounded(awake / TICKS),
    kBPerSecond: Object.fromEntries(perSecond) as Record<TierName, number>,
  };
}

/** What a viewer of the whole room receives. */
class Stream {
  bytes = 0;
  private readonly encoder: FrameEncoder;

  constructor(
    room: Room,
    readonly tier: TierName,
  ) {
    this.encoder = new FrameEncoder(new View(room.grid.planes, 1), TIERS[tier]);
  }

  see(tick: number, changed: readonly number[], isMeasured: boolean): void {
    const { encoder, tier } = this;
    for (const chunk of changed) if (encoder.view.update(tick, chunk)) encoder.touch(chunk);
    if (!isDue(TIERS[tier], tick)) return;
    encoder.advance(tick, () => true);
    const blocks: FrameBlock[] = [];
    for (let chunk = 0; chunk < encoder.chunks; chunk++) {
      const block = encoder.delta(chunk);
      if (block) blocks.push({ chunk, block });
    }
    if (isMeasured) this.bytes += writeFrame({ tick, tier, scale: 1 }, blocks).length;
  }
}
