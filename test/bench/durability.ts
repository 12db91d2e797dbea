/** What storing a room costs: two gardens with the same commands in turns, one of them stored. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BackendName } from '../../server/engine/backend.ts';
import { createEngine } from '../../server/engine/create-engine.ts';
import type { Engine } from '../../server/engine/engine.ts';
import { speciesOf } from '../../server/rooms/loaded-checkpoint.ts';
import { checksumOf } from '../../server/storage/watched-room.ts';
import { loadCheckpoint } from '../../server/vnca/checkpoint.ts';
import { mean, median, rounded } from '../load/figures.ts';
import { GARDEN } from '../load/garden.ts';
import { CHECKPOINT_FOLDER } from '../support/organisms.ts';
import { describeMachine } from './machine.ts';
import type { BenchOptions, Log } from './options.ts';
import { Keeper } from './recording.ts';

/** Largest share that storing may add to a tick. */
const GOAL = 0.05;
/** Ticks of one garden before the other has its turn. */
const TURN = 4 * GARDEN.tickRate;
/** Time for a snapshot that a turn has begun, in ms. */
const REST = 300;

interface Arm {
  readonly engine: Engine;
  readonly keeper: Keeper;
  /** Duration of each tick of each turn, in ms. */
  readonly turns: number[][];
}

/** @throws CheckpointError, EngineError, StoreError */
export async function benchDurability(
  log: Log,
  {
    checkpoint: folder = CHECKPOINT_FOLDER,
    engine: backend = 'auto' as BackendName,
    seconds = 600,
    organisms = GARDEN.organisms,
  }: BenchOptions = {},
) {
  const checkpoint = await loadCheckpoint(folder);
  const species = speciesOf(checkpoint);
  const scratch = mkdtempSync(join(tmpdir(), 'vivarium-durability-'));
  const arms: Arm[] = [];
  try {
    for (const isStored of [false, true]) {
      const engine = await createEngine({ checkpoints: [checkpoint], backend });
      const options = { engine, checkpoint, species, organisms, liveliness: 0, cutEvery: 1 };
      const data = join(scratch, `${isStored}`);
      const keeper = await Keeper.open({ ...options, folder: data, isStored }, 0);
      arms.push({ engine, keeper, turns: [] });
      keeper.gardener.plantFirst(organisms);
      await keeper.tickUntil(2 * species.schedule.length);
    }
    const rounds = Math.max(2, Math.round((seconds * GARDEN.tickRate) / TURN));
    for (let round = 0; round < rounds; round++) {
      // The order alternates, so that what changes with time is the same for both.
      for (const { keeper, turns } of round % 2 === 0 ? arms : arms.toReversed()) {
        const before = keeper.took.length;
        await keeper.tickUntil(keeper.room.tick + TURN);
        turns.push(keeper.took.slice(before));
        await new Promise((wake) => setTimeout(wake, REST));
      }
    }
    const [off, on] = arms.map(({ turns }) => turns);
    const each = on.map((turn, i) => mean(turn) / mean(off[i]) - 1);
    const spread = mean(each.map((one) => (one - mean(each)) ** 2));
    const [unstored, stored] = [off, on].map((turns) => ({
      mean: rounded(mean(turns.flat())),
      median: rounded(median(turns.flat())),
    }));
    /** Shares that storing adds; `error` is the standard error of the mean. */
    const overhead = {
      mean: rounded(stored.mean / unstored.mean - 1),
      error: rounded(Math.sqrt(spread / (rounds - 1))),
      median: rounded(stored.median / unstored.median - 1),
    };
    const { name, device } = arms[0].engine.info;
    const snapshots = arms[1].keeper.snapshots.size;
    const same = new Set(arms.map(({ keeper }) => checksumOf(keeper.room.grid.planes))).size === 1;
    const isLittle = overhead.mean <= GOAL && overhead.median <= GOAL && overhead.error <= GOAL / 2;
    const met = isLittle && same && snapshots > 0;
    log(`${name} on ${device}; ${rounds * TURN} ticks each, ${snapshots} snapshots`);
    log(`ms a tick: ${JSON.stringify(unstored)}, stored ${JSON.stringify(stored)}`);
    log(`storing adds ${JSON.stringify(overhead)}; goal (${GOAL}): ${met ? 'met' : 'missed'}`);
    return {
      ...{ machine: describeMachine(), engine: name, device, ticks: rounds * TURN },
      ...{ unstored, stored, overhead, snapshots, same, met },
    };
  } finally {
    for (const { engine, keeper } of arms) {
      await keeper.end();
      await engine.close();
    }
    rmSync(scratch, { recursive: true });
  }
}
