/**
 * Measures how fast an hour of a room, with a restart halfway, is replayed, and whether its
 * checksums match.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BackendName } from '../../server/engine/backend.ts';
import { createEngine } from '../../server/engine/create-engine.ts';
import type { Engine } from '../../server/engine/engine.ts';
import { systemClock } from '../../server/platform/clock.ts';
import { readMiddle, readRange } from '../../server/replay/journal-range.ts';
import { runReplay } from '../../server/replay/run-replay.ts';
import { speciesOf } from '../../server/rooms/loaded-checkpoint.ts';
import { readFolder } from '../../server/storage/lmdb/open.ts';
import { Store } from '../../server/storage/store.ts';
import { loadCheckpoint } from '../../server/vnca/checkpoint.ts';
import { loadRelatives } from '../../server/vnca/relatives.ts';
import { rounded } from '../load/figures.ts';
import { GARDEN } from '../load/garden.ts';
import { CHECKPOINT_FOLDER } from '../support/organisms.ts';
import { type BenchOptions, describeMachine, type Log } from './options.ts';
import { RECORDED, recordRoom } from './recording.ts';

/** Goals: speed as a multiple of real time, without and with idle life. */
const GOALS = { still: 20, lively: 10 };

/** @throws CheckpointError, EngineError, StoreError */
export async function benchReplay(
  log: Log,
  {
    checkpoint: folder = CHECKPOINT_FOLDER,
    engine: backend = 'auto' as BackendName,
    seconds = 3_600,
    organisms = GARDEN.organisms,
    liveliness = 0,
  }: BenchOptions = {},
) {
  const checkpoint = await loadCheckpoint(folder);
  const relatives = liveliness > 0 ? await loadRelatives(checkpoint) : undefined;
  const species = { ...speciesOf(checkpoint), relatives };
  const goal = liveliness > 0 ? GOALS.lively : GOALS.still;
  const start = () => createEngine({ checkpoints: [checkpoint], backend });
  const scratch = mkdtempSync(join(tmpdir(), 'vivarium-replay-'));
  let engine = await start();
  try {
    const { name, device } = engine.info;
    log(`Recording ${seconds} s of a busy room, with ${name} on ${device}.`);
    const data = join(scratch, 'data');
    const ticks = seconds * GARDEN.tickRate;
    const recording = await recordRoom(
      { folder: data, engine, checkpoint, species, organisms, liveliness },
      ticks,
    );

    // Start another engine, in which nothing is left of the recording.
    await engine.close();
    engine = await start();
    const watched = watchSteps(engine);
    const cpuBefore = process.cpuUsage();
    const begun = performance.now();
    const store = new Store(await readFolder(data));
    const range = await readRange(store, RECORDED, { from: undefined, to: undefined });
    const middle = await readMiddle(store, range);
    await store.close();
    const reading = (performance.now() - begun) / 1000;
    const done = await runReplay(range, {
      ...{ engine: watched, species, clock: systemClock },
      ...{ rate: Number.POSITIVE_INFINITY, every: GARDEN.tickRate, middle },
    });
    const took = (performance.now() - begun) / 1000;
    const { user, system } = process.cpuUsage(cpuBefore);
    const times = done.ticks / GARDEN.tickRate / took;
    const { equal, unequal, proven } = done;
    const whole = range.from === 0 && done.ticks === ticks;
    const compacted = recording.snapshots.kept < recording.snapshots.taken;
    const figures = {
      ...{ machine: describeMachine(), engine: name, device, seconds, liveliness, recording },
      ticks: done.ticks,
      /** Duration including reading, in s. */
      took: rounded(took),
      /** Parts of this duration: reading, and waiting for the engine. */
      reading: rounded(reading),
      stepping: rounded(watched.waited() / 1000),
      /** Processor time of all threads, in s. On two cores, a replay takes at least half of it. */
      cpu: rounded((user + system) / 1e6),
      /** Speed as a multiple of real time. */
      times: rounded(times),
      /** Checksums. */
      ...{ equal, unequal: unequal.length },
      /** Number of ticks whose planes were equal. */
      proven,
      /**
       * Whether the replay is as fast as `GOALS` says, complete, with equal checksums, and includes
       * a restart and a compaction.
       */
      ...{ whole, compacted },
      met: times >= goal && unequal.length === 0 && equal > 0 && whole && compacted,
    };
    return figures;
  } finally {
    await engine.close();
    rmSync(scratch, { recursive: true });
  }
}

/** Wraps an engine to measure how long its steps are waited for. */
function watchSteps(engine: Engine): Engine & { waited(): number } {
  let waited = 0;
  return {
    ...engine,
    waited: () => waited,
    step: async (steps) => {
      const begun = performance.now();
      const readouts = await engine.step(steps);
      waited += performance.now() - begun;
      return readouts;
    },
  };
}
