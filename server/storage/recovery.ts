/**
 * Restores a room to its last stored tick: opens the latest intact snapshot and replays the journal
 * from there as fast as the engine can. Never skips a missing entry. Start at `recover`.
 */
import { EngineError } from '../engine/engine.ts';
import type { Room, TickResult } from '../world/room.ts';
import type { Species } from '../world/species.ts';
import type { World } from '../world/world.ts';
import type { JournalRecord, JournalTail, PlaneChecksum, RoomRecord } from './record-schemas.ts';
import { StoreError } from './records.ts';
import type { Store, StoredMoment } from './store.ts';
import { checksumOf, TickSums } from './watched-room.ts';

/** A restored room and the result of its replay. */
export interface Recovered {
  readonly room: Room;
  readonly tail: JournalTail;
  /** Number of replayed ticks. */
  readonly ticks: number;
  /** Number of checksums that matched. */
  readonly equal: number;
  /** Number of checksums that did not match. */
  readonly unequal: number;
  /** Notices for the host. */
  readonly remarks: readonly string[];
}

/** Parameters with which the server opens a room. */
export interface ExpectedRoom {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly checkpoint: RoomRecord['checkpoint'];
  readonly species: Species;
}

/**
 * Checks that a stored room matches the expected parameters.
 * @throws StoreError other-checkpoint, other-size
 */
export function checkRoom(stored: RoomRecord, expected: ExpectedRoom): void {
  const { name, checkpoint, width, height } = expected;
  const alternatives = 'or choose another room name with --rooms, or another --data';
  if (stored.checkpoint.hash !== checkpoint.hash) {
    const isSameName = stored.checkpoint.name === checkpoint.name;
    throw new StoreError(
      'other-checkpoint',
      `The room "${name}" grows from ${isSameName ? 'other files of ' : ''}the checkpoint "${stored.checkpoint.name}" ` +
        `and cannot be opened with ${isSameName ? 'these files' : `"${checkpoint.name}"`}. ` +
        `Start with its own checkpoint (--checkpoint), ${alternatives}.`,
    );
  }
  if (stored.width !== width || stored.height !== height) {
    throw new StoreError(
      'other-size',
      `The room "${name}" has ${stored.width}x${stored.height} cells, not ${width}x${height}. ` +
        `Start with --size ${stored.width}x${stored.height}, ${alternatives}.`,
    );
  }
}

/**
 * Opens a stored room in a world and replays its journal.
 *
 * @param world has an engine with the room's checkpoint, and no journal yet
 * @throws StoreError damaged, other-version, other-checkpoint, other-size; EngineError
 */
export async function recover(
  store: Store,
  world: World,
  expected: ExpectedRoom,
): Promise<Recovered> {
  const { name } = expected;
  const stored = await store.room(name);
  const tail = await store.tail(name);
  if (!stored || !tail) throw new StoreError('damaged', `The stored room "${name}" is incomplete.`);
  checkRoom(stored, expected);
  const remarks: string[] = [];
  const remark = (text: string) => void remarks.push(`Room "${name}": ${text}`);
  const moment = await latestMoment(store, name, tail, remark);
  const [then, now] = [moment.snapshot.engine, world.engine.info].map(
    ({ name: engine, device }) => `${engine} on ${device}`,
  );
  const end = await lastWholeEntry(store, name, moment, tail);
  const { tick: to } = end.tail;
  if (end.gap) remark(`changes after tick ${to} could not be stored at the time and are lost.`);
  const room = await reopenRoom(world, expected, moment);
  const replayed = replay({
    ...{ world, room, to },
    journal: store.journal(name, room.tick + 1, to),
    marks: store.marks(name, room.tick + 1, to),
    moment: (tick) => store.moment(name, tick),
  });
  const { ticks, equal, unequal } = await replayed.catch(async (error: unknown) => {
    // Close the room, because an open room of this name would prevent another attempt.
    await world.close(room).catch(() => {});
    throw error;
  });
  if (ticks > 0 && then !== now) {
    remark(
      `the last ${ticks} ticks were computed with ${then} and replayed with ${now}. ` +
        `No command is lost, but the cells may differ.`,
    );
  } else if (unequal > 0) {
    remark(
      `${unequal} of ${equal + unequal} checksums of the last ${ticks} ticks differ. ` +
        `No command is lost, but some cells have changed.`,
    );
  }
  if (end.gap) await store.truncate(name, end.tail);
  return { room, tail: end.tail, ticks, equal, unequal, remarks };
}

/** Opens a room with the state and cells of a snapshot. */
export function reopenRoom(
  world: World,
  { name, width, height, species }: Pick<ExpectedRoom, 'name' | 'width' | 'height' | 'species'>,
  { state, cells }: Pick<StoredMoment, 'state' | 'cells'>,
): Promise<Room> {
  const { maxOrganisms } = state;
  return world.restore({ name, width, height, maxOrganisms, seed: 0, species, from: state }, cells);
}

/** Reads the latest intact snapshot. @throws StoreError damaged if there is none */
export async function latestMoment(
  store: Store,
  name: string,
  tail: JournalTail,
  remark: (text: string) => void = () => {},
): Promise<StoredMoment> {
  const ticks = await store.snapshotTicks(name);
  const recent = await store.recent(name);
  const recentTick = recent?.snapshot.tick ?? 0;
  if (recent && recentTick > (ticks[0] ?? 0) && recentTick <= tail.tick) return recent;
  for (const tick of ticks) {
    if (tick > tail.tick) continue;
    const moment = await store.intactMoment(name, tick);
    if (moment) return moment;
    remark(`the snapshot of tick ${tick} is damaged and was skipped.`);
  }
  throw new StoreError('damaged', `The room "${name}" has no intact snapshot.`);
}

/**
 * Reads the journal after a snapshot, before it is replayed, and checks that it is complete.
 *
 * @returns the end of the journal, or the end of the part before a gap where writing failed
 * @throws StoreError damaged if an entry is damaged or missing
 */
async function lastWholeEntry(
  store: Store,
  name: string,
  { snapshot }: StoredMoment,
  tail: JournalTail,
): Promise<{ readonly tail: JournalTail; readonly gap: boolean }> {
  let last: JournalTail = { tick: snapshot.tick, seq: snapshot.seq };
  for await (const entry of store.journal(name, snapshot.tick + 1, tail.tick)) {
    if (entry.seq !== last.seq + 1) {
      if (entry.gap) return { tail: last, gap: true };
      throw missing(name, last.tick, entry.tick);
    }
    // A replaced state is stored only in the snapshot of its tick. If that snapshot is damaged, the
    // room can be restored only up to the entry before.
    const isLost = entry.jump && !(await store.intactMoment(name, entry.tick));
    if (isLost) return { tail: last, gap: true };
    last = { tick: entry.tick, seq: entry.seq };
  }
  if (last.seq !== tail.seq) throw missing(name, last.tick, tail.tick);
  return { tail, gap: false };
}

const missing = (name: string, from: number, to: number): StoreError =>
  new StoreError(
    'damaged',
    `The journal of room "${name}" lacks entries between ticks ${from} and ${to}.`,
  );

type Sequence<T> = Iterable<T> | AsyncIterable<T>;

async function* each<T>(items: Sequence<T>): AsyncGenerator<T, void> {
  yield* items;
}

/**
 * Returns a function that returns the item of a tick, if there is one. Call that function with
 * consecutive ticks.
 */
export function byTick<T extends { readonly tick: number }>(items: Sequence<T>) {
  const iterator = each(items);
  let next: IteratorResult<T, void> | undefined;
  return async (tick: number): Promise<T | undefined> => {
    next ??= await iterator.next();
    if (next.done || next.value.tick !== tick) return undefined;
    const { value } = next;
    next = undefined;
    return value;
  };
}

interface ReplayOptions {
  readonly world: World;
  /** The room, which must be at the tick before the first tick to replay. */
  readonly room: Room;
  /** Last tick to replay. */
  readonly to: number;
  readonly journal: Sequence<JournalRecord>;
  readonly marks: Sequence<PlaneChecksum>;
  /** Checksums of the ticks replayed so far, if the replay continues an earlier one. */
  readonly sums?: TickSums;
  /**
   * Whether the engine steps a few patches at a time, so that other rooms' steps fit in between.
   */
  readonly isApart?: boolean;
  /** Reads the snapshot of a tick in which the room's state was replaced. */
  readonly moment: (tick: number) => Promise<Pick<StoredMoment, 'state' | 'cells'>>;
  /** Called for each tick. `equal` says whether its checksum matches; undefined if it has none. */
  readonly onTick?: (
    tick: Pick<TickResult, 'tick' | 'life'>,
    equal: boolean | undefined,
  ) => void | Promise<void>;
}

/**
 * Runs a replayed tick.
 *
 * @throws EngineError out-of-memory if a seed planted in this tick does not fit
 */
export async function tickAgain(world: World, room: Room, isApart = false): Promise<TickResult> {
  const [{ result, lacksMemory }] = await world.tick([room], undefined, isApart);
  if (!lacksMemory) return result;
  const what = `there is not enough memory for an organism planted in the room "${room.name}"`;
  throw new EngineError('out-of-memory', what);
}

/** Replays ticks and compares their checksums. @throws StoreError; EngineError */
export async function replay(options: ReplayOptions): Promise<{
  readonly ticks: number;
  readonly equal: number;
  readonly unequal: number;
  /** Number of ticks covered by matching checksums. */
  readonly proven: number;
}> {
  const { world, room, to, moment, isApart, onTick } = options;
  const { sums = new TickSums(room.grid.planes) } = options;
  const entryOf = byTick(options.journal);
  const markOf = byTick(options.marks);
  const from = room.tick;
  let proven = 0;
  let equal = 0;
  let unequal = 0;
  while (room.tick < to) {
    const tick = room.tick + 1;
    const entry = await entryOf(tick);
    if (entry?.jump) {
      const { state, cells } = await moment(tick);
      await world.replaceState(room, state, cells);
      await onTick?.({ tick, life: [] }, undefined);
      continue;
    }
    if (entry) room.redo(entry.events);
    const result = await tickAgain(world, room, isApart);
    sums.ticked(tick, result.changed);
    const mark = await markOf(tick);
    let same: boolean | undefined;
    if (mark) {
      const { planes, each } = mark;
      const all = sums.proves(each);
      same = planes === checksumOf(room.grid.planes) && all !== false;
      if (same) equal++;
      else unequal++;
      if (same) proven += all ? tick - each.since + 1 : 1;
      sums.take();
    }
    await onTick?.(result, same);
  }
  return { ticks: to - from, equal, unequal, proven };
}
