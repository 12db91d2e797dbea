/**
 * Reads a range of a room's journal for a replay: a snapshot, the commands after the snapshot, and
 * the stored checksums. Start reading at `readRange`.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import * as v from 'valibot';
import { interpolate, type TimePoint } from '../../shared/time-points.ts';
import {
  isStandalone,
  journalRecord,
  planeChecksumRecord,
  roomRecord,
  snapshotRecord,
} from '../storage/record-schemas.ts';
import { cellStates, decodeRecord, encodeRecord, StoreError } from '../storage/records.ts';
import { listOf, type Store, type StoredMoment } from '../storage/store.ts';
import { storedTimes } from '../storage/watched-room.ts';
import { roomState } from '../world/room-state.ts';
import { settled } from '../world/tick-times.ts';

/** A moment in a room's history: a tick, or a wall-clock time in ms. */
export type When = { readonly tick: number } | { readonly time: number };

/**
 * Converts between ticks of a room and wall-clock times, by interpolating between known pairs of
 * tick and time.
 */
export class Timeline {
  /**
   * The known pairs: `times[i]` is the time of `ticks[i]`, in ms. Times never decrease: if the
   * clock was set back, the stored times are adjusted.
   */
  private readonly ticks: readonly number[];
  private readonly times: readonly number[];

  /** @param points known pairs of tick and time, at least one, in any order */
  constructor(points: readonly TimePoint[]) {
    const sorted = points.toSorted((a, b) => a.tick - b.tick || b.at - a.at);
    const known = settled(sorted, sorted.at(-1)!);
    this.ticks = known.map(({ tick }) => tick);
    this.times = known.map(({ at }) => at);
  }

  /** The last known time, in ms. */
  get end(): number {
    return this.times.at(-1)!;
  }

  /** Returns the tick at a time (in ms), clamped to the range of known ticks. */
  tickAt(time: number): number {
    return Math.round(interpolate(this.times, this.ticks, time));
  }

  /** Returns the time of a tick, in ms, clamped to the range of known times. */
  timeOf(tick: number): number {
    return Math.round(interpolate(this.ticks, this.times, tick));
  }
}

/** Fields of a moment: a room's state, and the cells of its organisms. */
const moment = {
  state: roomState,
  cells: v.pipe(v.array(cellStates), v.readonly()),
};

export const journalRangeSchema = v.strictObject({
  room: roomRecord,
  snapshot: snapshotRecord,
  ...moment,
  journal: v.array(journalRecord),
  marks: v.array(planeChecksumRecord),
  /** The new state after each jump (replacement of the room's state), in the order of ticks. */
  jumps: v.optional(v.array(v.strictObject(moment))),
  /** First and last requested tick. The snapshot may be older than the first tick. */
  from: v.number(),
  to: v.number(),
});

export type JournalRange = v.InferOutput<typeof journalRangeSchema>;

/**
 * Reads a range of a room's journal. A time before the first stored tick means this tick. If the
 * range is given in ticks, all its ticks must be stored.
 *
 * @throws StoreError 'not-kept' if the range is not stored; 'damaged' if stored data are damaged
 */
export async function readRange(
  store: Store,
  name: string,
  wanted: { readonly from?: When | undefined; readonly to?: When | undefined },
): Promise<JournalRange> {
  const room = await store.room(name);
  const tail = await store.tail(name);
  if (!room || !tail) {
    const rooms = (await store.rooms()).join(', ') || 'none';
    throw notKept(`There is no stored room "${name}" in this folder. Stored rooms: ${rooms}.`);
  }
  const starts = await replayStarts(store, name);
  if (starts.length === 0) {
    throw notKept(`Room "${name}" has no stored snapshot from which a replay can start.`);
  }
  const begin = starts[0].tick;
  const hasTime = [wanted.from, wanted.to].some((when) => when && 'time' in when);
  const timeline = hasTime ? await timelineOf(store, name, starts) : new Timeline(starts);
  // The room may have advanced since `tail` was read. So, for a wall-clock time, `tickOf` returns
  // at most `tail.tick`.
  const from = wanted.from ? tickOf(wanted.from, timeline, tail.tick) : begin;
  const isToNow = !wanted.to || ('time' in wanted.to && wanted.to.time > timeline.end);
  const to = isToNow ? tail.tick : tickOf(wanted.to!, timeline, tail.tick);
  const base = starts.findLast(({ tick }) => tick <= from)?.tick;
  if (base === undefined || to > tail.tick || from > to) {
    const missing = `so ticks ${from} to ${to} cannot be replayed`;
    throw notKept(`Room "${name}": only ticks ${begin} to ${tail.tick} are stored, ${missing}.`);
  }
  const moment = await store.moment(name, base);
  const journal = await listOf(store.journal(name, base + 1, to));
  const jumps: NonNullable<JournalRange['jumps']> = [];
  let { seq } = moment.snapshot;
  for (const entry of journal) {
    if (entry.seq !== ++seq) {
      const text = `The journal has a gap before tick ${entry.tick}. Choose only ticks before the gap, or only ticks after the gap.`;
      throw notKept(text);
    }
    if (!entry.jump) continue;
    const { state, cells } = await store.moment(name, entry.tick);
    jumps.push({ state, cells });
  }
  const marks = await listOf(store.marks(name, base + 1, to));
  return { ...moment, room, journal, marks, jumps, from, to };
}

/**
 * Reads the stored state nearest to the middle of a range, so that the two halves of the range can
 * be replayed in parallel.
 *
 * @returns undefined if no state within the range is stored, or the state cannot be read
 */
export async function readMiddle(
  store: Store,
  { room, snapshot, to }: Pick<JournalRange, 'room' | 'snapshot' | 'to'>,
): Promise<Pick<StoredMoment, 'state' | 'cells'> | undefined> {
  const middle = (snapshot.tick + to) / 2;
  const [nearest] = (await replayStarts(store, room.name))
    .filter(({ tick }) => tick > snapshot.tick && tick < to)
    .sort((a, b) => Math.abs(a.tick - middle) - Math.abs(b.tick - middle));
  return nearest && store.moment(room.name, nearest.tick).catch(() => undefined);
}

/**
 * Returns the wall-clock time of each of the given ticks, in ms; null if the room has no stored
 * snapshot that a replay can start from.
 *
 * @param now wall-clock time of the room's last stored tick, in ms
 */
export async function timesOf(
  store: Store,
  name: string,
  ticks: readonly number[],
  now: number,
): Promise<number[] | null> {
  const starts = await replayStarts(store, name);
  if (starts.length === 0) return null;
  const tail = await store.tail(name);
  const end = tail ? [{ tick: tail.tick, at: now }] : [];
  const timeline = await timelineOf(store, name, starts, end);
  return ticks.map((tick) => timeline.timeOf(tick));
}

/**
 * Lists the snapshots from which a replay can start, oldest first. Excludes standalone snapshots
 * (named snapshots, and snapshots taken before an action of the host), because the commands after
 * them may not be stored.
 */
async function replayStarts(store: Store, name: string): Promise<TimePoint[]> {
  const snapshots = (await store.readableSnapshots(name)).reverse();
  return snapshots.filter((one) => !isStandalone(one)).map(({ tick, at }) => ({ tick, at }));
}

async function timelineOf(
  store: Store,
  name: string,
  from: readonly TimePoint[],
  end: readonly TimePoint[] = [],
): Promise<Timeline> {
  const fixes = [...from, ...end];
  const { known } = await storedTimes(store, name);
  // Omit pairs of tick and time before the first tick that can be replayed, so that earlier times
  // are clamped to this tick.
  fixes.push(...known.filter(({ tick }) => tick >= from[0].tick));
  for await (const { tick, at } of store.journal(name, from[0].tick)) fixes.push({ tick, at });
  return new Timeline(fixes);
}

const tickOf = (when: When, timeline: Timeline, last: number): number =>
  'tick' in when ? when.tick : Math.min(last, timeline.tickAt(when.time));

const notKept = (what: string): StoreError => new StoreError('not-kept', what);

/** Included in the checksum of each bundle. If it changed, old bundles would count as damaged. */
const KEY = 'vivarium bottle';
/** Maximum decompressed size of a bundle, in bytes, so that a small file cannot fill the memory. */
const MAX_BYTES = 1_000_000_000;

/** Serializes and compresses a range to a replay bundle. */
export function packBundle(content: JournalRange): Promise<Buffer> {
  return promisify(gzip)(encodeRecord(KEY, content));
}

/** Writes a range to a file as a replay bundle. */
export async function writeBundle(file: string, content: JournalRange): Promise<void> {
  await writeFile(file, await packBundle(content));
}

/**
 * Reads a replay bundle.
 *
 * @throws StoreError 'not-kept' if the file cannot be read; 'damaged' if the file is not a complete
 *   bundle; 'other-version' if the bundle has another format version
 */
export async function readBundle(file: string): Promise<JournalRange> {
  const packed = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new StoreError('not-kept', `The file ${file} cannot be read (${error.code}).`);
  });
  const damaged = (why: string): StoreError =>
    new StoreError('damaged', `The file ${file} is not a complete replay bundle: ${why}.`);
  const bytes = await promisify(gunzip)(packed, { maxOutputLength: MAX_BYTES }).catch(
    (error: Error) => {
      throw damaged(error.message);
    },
  );
  const result = v.safeParse(journalRangeSchema, decodeRecord(KEY, bytes), { abortEarly: true });
  if (!result.success) throw damaged(result.issues[0].message);
  return result.output;
}
