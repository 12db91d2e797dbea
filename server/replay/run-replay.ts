/**
 * Replays a range of a room's journal, checks the stored checksums, and writes pictures. Never
 * changes stored data. Start reading at `runReplay`.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Planes } from '../../shared/codec/chunks.ts';
import { type Engine, EngineError } from '../engine/engine.ts';
import { type Clock, pause } from '../platform/clock.ts';
import { StoreError } from '../storage/records.ts';
import { replay } from '../storage/recovery.ts';
import type { StoredMoment } from '../storage/store.ts';
import type { Room } from '../world/room.ts';
import type { Species } from '../world/species.ts';
import { World } from '../world/world.ts';
import type { JournalRange } from './journal-range.ts';

/** The state of a room between two ticks, with the cells of its organisms. */
export type Moment = Pick<StoredMoment, 'state' | 'cells'>;

interface ReplayedRoomOptions {
  /** An engine with the room's checkpoint, and without patches (cells) of other rooms. */
  readonly engine: Engine;
  readonly species: Species;
}

interface ReplayResult {
  readonly ticks: number;
  /** Number of checksums that match. */
  readonly equal: number;
  /** Number of ticks that the matching checksums cover. */
  readonly proven: number;
  /** Ticks whose checksum differs from the stored checksum. */
  readonly unequal: readonly number[];
}

/**
 * Opens a room in the state of a given moment.
 *
 * @param beside world of another replay that will run in parallel; if absent, creates a new world
 * @throws EngineError
 */
async function openReplayed(
  range: JournalRange,
  { state, cells }: Moment,
  { engine, species }: ReplayedRoomOptions,
  beside?: World,
) {
  const world = beside ?? new World(engine);
  const name = beside ? `${range.room.name} from ${state.tick}` : range.room.name;
  // Copy the state, because the room will change it.
  const moment = { state: structuredClone(state), cells };
  const room = await world.restore({ ...range.room, name, species }, moment);
  return {
    world,
    room,
    /**
     * Continues the replay up to and including the tick `to`.
     *
     * @param marksFrom first tick whose checksum is compared
     * @throws StoreError 'damaged' if a state in the range is missing
     */
    async run(
      to: number,
      onTick?: (tick: number) => void | Promise<void>,
      marksFrom = room.tick + 1,
    ): Promise<ReplayResult> {
      const unequal: number[] = [];
      const { ticks, equal, proven } = await replay({
        ...{ world, room, to },
        journal: range.journal.filter(({ tick }) => tick > room.tick),
        marks: range.marks.filter(({ tick }) => tick >= marksFrom),
        async moment(tick) {
          const jump = range.jumps?.find((one) => one.state.tick === tick);
          // Copy the state, because the room will change it, and a second replay needs the
          // unchanged state.
          if (jump) return { ...jump, state: structuredClone(jump.state) };
          const what = `The room's state was replaced in tick ${tick}, but the new state is not stored.`;
          throw new StoreError('damaged', what);
        },
        async onTick({ tick }, same) {
          if (same === false) unequal.push(tick);
          await onTick?.(tick);
        },
      });
      return { ticks, equal, proven, unequal };
    },
    async moment(): Promise<Moment> {
      const now = room.export();
      const patches = now.organisms.map(({ id }) => room.patchOf(id)!);
      return { state: now, cells: await engine.exportStates(patches) };
    },
    close: () => world.close(room),
  };
}

/**
 * Replays the two halves of a range in parallel. If the first half reaches exactly the state from
 * which the second half started, combines both results. Otherwise, continues the first replay to
 * the end of the range. If memory runs out or a checksum differs, replays the whole range in one
 * go.
 *
 * @throws StoreError 'damaged' if a state in the range is missing
 */
async function replayHalves(
  range: JournalRange,
  middle: Moment,
  options: ReplayedRoomOptions,
): Promise<ReplayResult> {
  const open = (at: Moment, beside?: World) => openReplayed(range, at, options, beside);
  const whole = async (first: Awaited<ReturnType<typeof open>>): Promise<ReplayResult> => {
    const result = await first.run(range.to);
    await first.close();
    return result;
  };
  const first = await open(range);
  const second = await open(middle, first.world).catch((error: unknown) => {
    if (lacksMemory(error)) return undefined;
    throw error;
  });
  if (!second) return whole(first);
  // Each checksum covers all ticks since the previous checksum. So end the first half at the first
  // checksum at or after the middle, and compare the second half only with later checksums.
  const end = range.marks.find(({ tick }) => tick >= middle.state.tick)?.tick ?? range.to;
  let leads = false;
  const [head, tail] = await Promise.allSettled([
    first.run(end, async (tick) => {
      if (tick === middle.state.tick) leads = isSame(await first.moment(), middle);
    }),
    second.run(range.to, undefined, end + 1),
  ]);
  // If memory ran out or a checksum differs, discard both results, and replay the whole range in
  // one go, which needs less memory.
  const isDoubtful = (half: typeof head): boolean =>
    half.status === 'fulfilled' ? half.value.unequal.length > 0 : lacksMemory(half.reason);
  if (isDoubtful(head) || isDoubtful(tail)) {
    await first.close();
    await second.close();
    return whole(await open(range));
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

interface RunReplayOptions extends ReplayedRoomOptions {
  readonly clock: Clock;
  /** Maximum number of ticks to replay per second. */
  readonly rate: number;
  readonly pictures?: PictureWriter | undefined;
  readonly onTick?: (tick: number) => void;
  /** Number of ticks from one picture to the next. */
  readonly every: number;
  /**
   * A stored state of the room in the middle of the range. If given, the two halves of the range
   * are replayed in parallel, unless `rate` is finite, or `pictures` or `onTick` is given.
   */
  readonly middle?: Moment | undefined;
}

/**
 * Replays a range of a room's journal.
 *
 * @throws StoreError 'damaged' if a state in the range is missing
 */
export async function runReplay(
  range: JournalRange,
  { clock, rate, pictures, every, onTick, middle, ...options }: RunReplayOptions,
): Promise<ReplayResult> {
  const isFree = rate === Number.POSITIVE_INFINITY && !pictures && !onTick;
  if (middle && isFree) return replayHalves(range, middle, options);
  const { from, to } = range;
  const replayed = await openReplayed(range, range, options);
  let begun: number | undefined;
  const result = await replayed.run(to, async (tick) => {
    onTick?.(tick);
    // Replay the ticks between the snapshot and the requested range at full speed, without
    // pictures.
    if (tick < from) return;
    begun ??= clock.now();
    const wait = begun + ((tick - from) * 1000) / rate - clock.now();
    if (wait > 0) await pause(clock, wait);
    const wanted = (tick - from) % every === 0 || tick === to;
    if (wanted) await pictures?.add(replayed.room.grid.planes, tick, replayed.room);
  });
  await replayed.close();
  return result;
}

/** Maximum number of pictures in a GIF. All pictures are kept in memory. */
export const MAX_FRAMES = 1_000;

/** Writes pictures to files, one after another. */
export interface PictureWriter {
  /** Adds a picture of a room. @param planes colours and owners of the room's cells */
  add(planes: Planes, tick: number, room: Room): Promise<void>;
  /** Finishes writing. @returns a sentence about the written files */
  end(): Promise<string>;
}

/**
 * Encodes a picture of cells as a PNG with a black background.
 *
 * @param scale side of a cell, in pixels; an integer
 */
export async function png(
  { rgba, width, height }: Omit<Planes, 'owner'>,
  scale = 1,
): Promise<Buffer> {
  const rgb = new Uint8Array(3 * width * height);
  // Premultiplied colours are already correct on a black background, so copy them and omit alpha.
  for (let i = 0; i < width * height; i++) rgb.set(rgba.subarray(4 * i, 4 * i + 3), 3 * i);
  return rgbPng(rgb, { width, height }, scale);
}

/**
 * Encodes pixels as a PNG.
 *
 * @param rgb [height, width, 3]
 * @param scale integer factor by which the picture is enlarged
 */
export async function rgbPng(
  rgb: Uint8Array,
  { width, height }: Pick<Planes, 'width' | 'height'>,
  scale = 1,
): Promise<Buffer> {
  // Load Sharp, a large native library, only when it is needed.
  const { default: sharp } = await import('sharp');
  const picture = sharp(rgb, { raw: { width, height, channels: 3 } });
  if (scale > 1) picture.resize(width * scale, height * scale, { kernel: 'nearest' });
  return picture.png().toBuffer();
}

/**
 * Creates a writer that writes each picture to a folder, as a PNG named after the tick. Creates the
 * folder if necessary.
 */
export function frames(folder = 'replay'): PictureWriter {
  let count = 0;
  return {
    async add(planes, tick) {
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, `${`${tick}`.padStart(9, '0')}.png`), await png(planes));
      count++;
    },
    end: async () => `${count} pictures were written to ${folder}`,
  };
}

/**
 * Creates a writer that writes all pictures to one animated GIF.
 *
 * @param delay time from one picture to the next, in ms
 * @param encode encodes a picture as a PNG
 */
export function gif(
  file = 'replay.gif',
  delay = 100,
  encode: (planes: Planes, room: Room) => Promise<Buffer> = (planes) => png(planes),
): PictureWriter {
  const pictures: Buffer[] = [];
  return {
    async add(planes, _, room) {
      pictures.push(await encode(planes, room));
    },
    async end() {
      const { default: sharp } = await import('sharp');
      await mkdir(dirname(file), { recursive: true });
      const animation = sharp(pictures, { join: { animated: true } });
      await animation.gif({ delay: pictures.map(() => delay), loop: 0 }).toFile(file);
      return `${pictures.length} pictures were written to ${file}`;
    },
  };
}
