/**
 * Replays both halves of a range at once: while the engine steps one, this thread does the rest of a
 * tick of the other.
 */
import { isDeepStrictEqual } from 'node:util';
import { EngineError } from '../engine/engine.ts';
import type { JournalRange } from './journal-range.ts';
import {
  type Moment,
  ReplayedRoom,
  type ReplayedRoomOptions,
  type ReplayResult,
} from './replayed-room.ts';

/**
 * The second half counts only if the first leads exactly to where it begins. Otherwise the first goes
 * on, so that the result is always that of one replay from the beginning. Where memory is scarce or a
 * checksum differs, there is only that one replay.
 *
 * @throws StoreError damaged: a state in the range is missing
 */
export async function replayHalves(
  range: JournalRange,
  middle: Moment,
  options: ReplayedRoomOptions,
): Promise<ReplayResult> {
  const whole = async (first: ReplayedRoom): Promise<ReplayResult> => {
    const result = await first.run(range.to);
    await first.close();
    return result;
  };
  const first = await ReplayedRoom.open(range, range, options);
  const second = await ReplayedRoom.open(range, middle, options, first).catch((error: unknown) => {
    if (lacksMemory(error)) return undefined;
    throw error;
  });
  if (!second) return whole(first);
  // Checksums cover all ticks since the one before, so the first half ends with one.
  const end = range.marks.find(({ tick }) => tick >= middle.state.tick)?.tick ?? range.to;
  let leads = false;
  const [head, tail] = await Promise.allSettled([
    first.run(end, async (tick) => {
      if (tick === middle.state.tick) leads = isSame(await first.moment(), middle);
    }),
    second.run(range.to, undefined, end + 1),
  ]);
  // Together they may have lacked memory that one alone has.
  const isDoubtful = (half: typeof head): boolean =>
    half.status === 'fulfilled' ? half.value.unequal.length > 0 : lacksMemory(half.reason);
  if (isDoubtful(head) || isDoubtful(tail)) {
    await first.close();
    await second.close();
    return whole(await ReplayedRoom.open(range, range, options));
  }
  if (head.status === 'rejected') throw head.reason;
  if (leads && tail.status === 'rejected') throw tail.reason;
  const rest = leads && tail.status === 'fulfilled' ? tail.value : await first.run(range.to);
  await first.close();
  await second.close();
  return {
    ticks: range.to - range.snapshot.tick,
    equal: head.value.equal + rest.equal,
    proven: head.value.proven + rest.proven,
    unequal: rest.unequal,
  };
}

const lacksMemory = (error: unknown): boolean =>
  error instanceof EngineError && error.reason === 'out-of-memory';

const isSame = (a: Moment, b: Moment): boolean =>
  isDeepStrictEqual(a.state, b.state) && isDeepStrictEqual(a.cells, b.cells);
