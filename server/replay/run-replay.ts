/** Does a stretch of a room's life again. */

import type { Engine } from '../engine/engine.ts';
import type { Clock } from '../platform/clock.ts';
import { reopenRoom, replay } from '../storage/recovery.ts';
import { StoreError } from '../storage/store-error.ts';
import type { Species } from '../world/species.ts';
import { World } from '../world/world.ts';
import type { JournalRange } from './journal-range.ts';
import type { PictureWriter } from './pictures.ts';

export interface RunReplayOptions {
  /** Has the room's checkpoint loaded, and no patches. */
  readonly engine: Engine;
  readonly species: Species;
  readonly clock: Clock;
  /** Ticks per second, at most. */
  readonly rate: number;
  readonly pictures?: PictureWriter | undefined;
  /** Told of each tick that is done. */
  readonly onTick?: (tick: number) => void;
  /** Every so many ticks there is a picture. */
  readonly every: number;
}

export interface ReplayResult {
  readonly ticks: number;
  /** Checksums that were equal; ticks whose were not. */
  readonly equal: number;
  readonly unequal: readonly number[];
  /** Ticks that were equal, each of them. */
  readonly proven: number;
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

export async function runReplay(
  { room: record, state, cells, journal, marks, jumps = [], from, to }: JournalRange,
  { engine, species, clock, rate, pictures, every, onTick }: RunReplayOptions,
): Promise<ReplayResult> {
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
      if (!jump)
        throw new StoreError('damaged', `What the room became in tick ${tick} is missing.`);
      return jump;
    },
    async onTick({ tick }, same) {
      if (same === false) unequal.push(tick);
      onTick?.(tick);
      // What comes before is only done to get there.
      if (tick < from) return;
      begun ??= clock.now();
      const wait = begun + ((tick - from) * 1000) / rate - clock.now();
      if (wait > 0) await new Promise<void>((resume) => clock.after(wait, resume));
      const wanted = (tick - from) % every === 0 || tick === to;
      if (wanted) await pictures?.add(room.grid.planes, tick);
    },
  });
  await world.close(room);
  return { ticks, equal, unequal, proven };
}
