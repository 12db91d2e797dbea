/** Replays a range of a room and compares the checksums. */
import type { Engine } from '../engine/engine.ts';
import { type Clock, pause } from '../platform/clock.ts';
import { reopenRoom, replay } from '../storage/recovery.ts';
import { StoreError } from '../storage/store-error.ts';
import type { Species } from '../world/species.ts';
import { World } from '../world/world.ts';
import type { JournalRange } from './journal-range.ts';
import type { PictureWriter } from './pictures.ts';

/** Options of `runReplay`. */
export interface RunReplayOptions {
  /** An engine with the room's checkpoint and without patches. */
  readonly engine: Engine;
  readonly species: Species;
  readonly clock: Clock;
  /** Maximum ticks per second. */
  readonly rate: number;
  readonly pictures?: PictureWriter | undefined;
  /** Called after each tick. */
  readonly onTick?: (tick: number) => void;
  /** Ticks between two pictures. */
  readonly every: number;
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

/**
 * Runs the replay.
 *
 * @returns the number of ticks and of equal checksums, the number of ticks that these cover, and the
 *   ticks with a different checksum
 * @throws StoreError damaged: a state in the range is missing
 */
export async function runReplay(
  { room: record, state, cells, journal, marks, jumps = [], from, to }: JournalRange,
  { engine, species, clock, rate, pictures, every, onTick }: RunReplayOptions,
) {
  const world = new World(engine);
  const room = await reopenRoom(world, { ...record, species }, { state, cells });
  const unequal: number[] = [];
  let begun: number | undefined;
  const { ticks, equal, proven } = await replay({
    world,
    room,
    to,
    journal: each(journal),
    marks: each(marks),
    async moment(tick) {
      const jump = jumps.find((one) => one.state.tick === tick);
      if (jump) return jump;
      const what = `The state that replaced the room in tick ${tick} is missing.`;
      throw new StoreError('damaged', what);
    },
    async onTick({ tick }, same) {
      if (same === false) unequal.push(tick);
      onTick?.(tick);
      // Earlier ticks only lead up to the requested range.
      if (tick < from) return;
      begun ??= clock.now();
      const wait = begun + ((tick - from) * 1000) / rate - clock.now();
      if (wait > 0) await pause(clock, wait);
      const wanted = (tick - from) % every === 0 || tick === to;
      if (wanted) await pictures?.add(room.grid.planes, tick);
    },
  });
  await world.close(room);
  return { ticks, equal, unequal, proven };
}
