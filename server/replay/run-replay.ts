/** Replays a range of a room and compares the checksums. */
import { type Clock, pause } from '../platform/clock.ts';
import type { JournalRange } from './journal-range.ts';
import type { PictureWriter } from './pictures.ts';
import { replayHalves } from './replay-halves.ts';
import {
  type Moment,
  ReplayedRoom,
  type ReplayedRoomOptions,
  type ReplayResult,
} from './replayed-room.ts';

/** Options of `runReplay`. */
export interface RunReplayOptions extends ReplayedRoomOptions {
  readonly clock: Clock;
  /** Maximum ticks per second. */
  readonly rate: number;
  readonly pictures?: PictureWriter | undefined;
  /** Called after each tick. */
  readonly onTick?: (tick: number) => void;
  /** Ticks between two pictures. */
  readonly every: number;
  /**
   * From which a second half can be replayed beside the first, which then takes less time, unless
   * the rate is limited, or pictures or ticks are wanted in order.
   */
  readonly middle?: Moment | undefined;
}

/**
 * Runs the replay.
 *
 * @returns the number of ticks and of equal checksums, the number of ticks that these cover, and the
 *   ticks with a different checksum
 * @throws StoreError damaged: a state in the range is missing
 */
export async function runReplay(
  range: JournalRange,
  { clock, rate, pictures, every, onTick, middle, ...options }: RunReplayOptions,
): Promise<ReplayResult> {
  const isFree = rate === Number.POSITIVE_INFINITY && !pictures && !onTick;
  if (middle && isFree) return replayHalves(range, middle, options);
  const { from, to } = range;
  const replayed = await ReplayedRoom.open(range, range, options);
  let begun: number | undefined;
  const result = await replayed.run(to, async (tick) => {
    onTick?.(tick);
    // Earlier ticks only lead up to the requested range.
    if (tick < from) return;
    begun ??= clock.now();
    const wait = begun + ((tick - from) * 1000) / rate - clock.now();
    if (wait > 0) await pause(clock, wait);
    const wanted = (tick - from) % every === 0 || tick === to;
    if (wanted) await pictures?.add(replayed.room.grid.planes, tick);
  });
  await replayed.close();
  return result;
}
