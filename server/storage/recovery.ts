/**
 * Opens a room: creates a new room, restores a stored room, or takes over a replica (a copy of
 * another server's room). Restoring loads the latest intact snapshot and replays the journal after
 * the snapshot. Start reading at `openRoom`.
 */
import { isDeepStrictEqual } from 'node:util';
import { DEFAULT_FLASH_LIMIT } from '../../shared/limits.ts';
import { EngineError, type EngineInfo } from '../engine/engine.ts';
import type { Room, TickResult } from '../world/room.ts';
import type { RoomPlace, World } from '../world/world.ts';
import { isEventful, isMarkDue } from './journal-writer.ts';
import type { JournalRecord, JournalTail, PlaneChecksum, RoomRecord } from './record-schemas.ts';
import { StoreError } from './records.ts';
import { listOf, type Store, type StoredMoment } from './store.ts';
import { checksumOf, TickSums } from './watched-room.ts';

type ExpectedRoom = Pick<RoomPlace, 'name' | 'width' | 'height' | 'species'> &
  Pick<RoomRecord, 'checkpoint'>;

/**
 * Checks that a stored room has the expected checkpoint and size.
 *
 * @throws StoreError 'other-checkpoint' or 'other-size'
 */
function checkRoom(stored: RoomRecord, expected: ExpectedRoom): void {
  const { name, checkpoint, width, height } = expected;
  const alternatives = 'or choose another room name (--rooms) or another data folder (--data)';
  if (stored.checkpoint.hash !== checkpoint.hash) {
    const isSameName = stored.checkpoint.name === checkpoint.name;
    const source = `${isSameName ? 'another version of ' : ''}the checkpoint "${stored.checkpoint.name}"`;
    const given = isSameName ? 'this version' : `"${checkpoint.name}"`;
    const text = `The room "${name}" grows from ${source} and cannot be opened with ${given}. Start the server with the checkpoint of the room (--checkpoint), ${alternatives}.`;
    throw new StoreError('other-checkpoint', text);
  }
  if (stored.width !== width || stored.height !== height) {
    const size = `${stored.width}x${stored.height}`;
    const text = `The room "${name}" has ${size} cells, not ${width}x${height}. Start the server with --size ${size}, ${alternatives}.`;
    throw new StoreError('other-size', text);
  }
}

/**
 * Opens a stored room in a world, and replays the room's journal.
 *
 * @param world a world that writes no journal, and whose engine has loaded the room's checkpoint
 * @returns the room; `tail`: the end of the room's journal; `ticks`: number of replayed ticks;
 *   `equal`, `unequal`: number of matching and of differing checksums; `remarks`: notices for the
 *   host
 * @throws StoreError 'damaged', 'other-version', 'other-checkpoint' or 'other-size'; EngineError
 */
export async function recover(store: Store, world: World, expected: ExpectedRoom) {
  const { name } = expected;
  const stored = await store.room(name);
  const tail = await store.tail(name);
  if (!stored || !tail) throw new StoreError('damaged', `The stored room "${name}" is incomplete.`);
  checkRoom(stored, expected);
  const remarks: string[] = [];
  const remark = (text: string) => void remarks.push(`Room "${name}": ${text}`);
  const moment = await latestMoment(store, name, tail, remark);
  const [then, now] = [moment.snapshot.engine, world.engine.info].map(engineText);
  const end = await lastWholeEntry(store, name, moment, tail);
  const { tick: to } = end.tail;
  if (end.gap) remark(`changes after tick ${to} could not be stored and are lost.`);
  const room = await world.restore(expected, moment);
  const replayed = replay({
    ...{ world, room, to },
    journal: store.journal(name, room.tick + 1, to),
    marks: store.marks(name, room.tick + 1, to),
    moment: (tick) => store.moment(name, tick),
  });
  const { ticks, equal, unequal } = await replayed.catch(async (error: unknown) => {
    // Close the room, because another attempt would fail while a room of this name is open.
    await world.close(room).catch(() => {});
    throw error;
  });
  if (ticks > 0 && then !== now) {
    remark(
      `the last ${ticks} ticks were first computed with ${then}, and now replayed with ${now}. ` +
        `No command is lost, but the cells may differ from the original cells.`,
    );
  } else if (unequal > 0) {
    remark(
      `in the replay of the last ${ticks} ticks, ${unequal} of ${equal + unequal} checksums differ from the journal. ` +
        `No command is lost, but some cells differ from the original cells.`,
    );
  }
  if (end.gap) await store.truncate(name, end.tail);
  return { room, tail: end.tail, ticks, equal, unequal, remarks };
}

const engineText = ({ name, device }: EngineInfo): string => `${name} on ${device}`;

/** Reads a room's latest intact snapshot. @throws StoreError 'damaged' if no snapshot is intact */
async function latestMoment(
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
 * Finds how far the journal after a snapshot can be replayed.
 *
 * @returns `tail`: where the replay must end; `gap`: whether later entries are lost, because a
 *   write failed or a snapshot that the replay needs is damaged
 * @throws StoreError 'damaged' if an entry is damaged, or is missing although no write failed
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
    // If the entry has a `jump`, the room's state was replaced, and only the snapshot of this tick
    // contains the new state. If this snapshot is damaged, end the replay before the entry.
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

type Sequence<T> = readonly T[] | AsyncIterable<T>;

/**
 * Creates a function that returns the item of a tick, if any. Call the function once for each tick,
 * in order.
 *
 * @param items ordered by tick
 */
export function byTick<T extends { readonly tick: number }>(items: Sequence<T>) {
  const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items.values();
  let next: IteratorResult<T> | undefined;
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
  /** The room in which to replay. The replay starts after the room's current tick. */
  readonly room: Room;
  /** Last tick to replay. */
  readonly to: number;
  readonly journal: Sequence<JournalRecord>;
  readonly marks: Sequence<PlaneChecksum>;
  /** If this replay continues an earlier replay: the checksums from the earlier replay. */
  readonly sums?: TickSums;
  /**
   * Whether to step only a few patches of this room at a time, so that other rooms do not wait
   * long.
   */
  readonly isApart?: boolean;
  /** Reads the snapshot of a tick in which the room's state was replaced. */
  readonly moment: (tick: number) => Promise<Pick<StoredMoment, 'state' | 'cells'>>;
  /**
   * Called after each replayed tick. `equal`: whether the room matches the tick's stored checksum;
   * undefined if no checksum is stored.
   */
  readonly onTick?: (
    tick: Pick<TickResult, 'tick' | 'life'>,
    equal: boolean | undefined,
  ) => void | Promise<void>;
}

/**
 * Computes one tick of a replay.
 *
 * @throws EngineError 'out-of-memory' if the engine lacks memory for a planted seed
 */
export async function tickAgain(world: World, room: Room, isApart = false): Promise<TickResult> {
  const [{ result, lacksMemory }] = await world.tick([room], undefined, isApart);
  if (!lacksMemory) return result;
  const what = `there is not enough memory for an organism planted in the room "${room.name}"`;
  throw new EngineError('out-of-memory', what);
}

/**
 * Replays ticks, and compares the room with the stored checksums.
 *
 * @returns `ticks`: number of replayed ticks; `equal`, `unequal`: number of matching and of
 *   differing checksums; `proven`: number of ticks that the matching checksums cover
 * @throws StoreError; EngineError
 */
export async function replay(options: ReplayOptions) {
  const { world, room, to, moment, onTick, sums = new TickSums(room.grid.planes) } = options;
  const entryOf = byTick(options.journal);
  const markOf = byTick(options.marks);
  const from = room.tick;
  let [equal, unequal, proven] = [0, 0, 0];
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
    const result = await tickAgain(world, room, options.isApart);
    sums.ticked(tick, result.changed);
    const mark = await markOf(tick);
    let same: boolean | undefined;
    if (mark) {
      const { planes, each } = mark;
      const all = sums.proves(each);
      same = planes === checksumOf(room.grid.planes) && all !== false;
      if (same) {
        equal++;
        proven += all ? tick - each.since + 1 : 1;
      } else unequal++;
      sums.take();
    }
    await onTick?.(result, same);
  }
  return { ticks: to - from, equal, unequal, proven };
}

/**
 * Maximum number of ticks that a replica may be behind the room's latest snapshot. If a replica is
 * further behind, opening the snapshot is faster.
 */
export const MAX_LAG = 300;

/** Thrown if a room cannot be replicated. The message is the reason. */
export class NotReplicated extends Error {
  override readonly name = 'NotReplicated';
}

/**
 * A replica of a room that another server runs. The replica replays the room's stored journal in a
 * separate world, so that this server can take the room over immediately.
 */
export class RoomReplica {
  private equal = 0;
  /** Whether the replica has handed over its room or was closed. */
  private isOver = false;
  private readonly sums: TickSums;

  private constructor(
    private readonly store: Store,
    private readonly world: World,
    private readonly room: Room,
    private readonly stored: RoomRecord,
    /** End of the part of the journal that has been replayed. */
    private tail: JournalTail,
  ) {
    this.sums = new TickSums(room.grid.planes);
  }

  /**
   * Opens a replica from the room's latest snapshot.
   *
   * @param world a world whose engine has loaded the room's checkpoint
   * @throws NotReplicated if the room cannot be replicated; StoreError; EngineError
   */
  static async open(store: Store, world: World, expected: ExpectedRoom): Promise<RoomReplica> {
    const { name } = expected;
    const [stored, tail] = [await store.room(name), await store.tail(name)];
    const ticks = await store.snapshotTicks(name);
    if (!stored || !tail || ticks.length === 0)
      throw new NotReplicated('the room has no snapshot yet');
    checkRoom(stored, expected);
    const moment = await latestMoment(store, name, tail);
    const { engine, tick, seq } = moment.snapshot;
    const theirs = engineText(engine);
    if (theirs !== engineText(world.engine.info))
      throw new NotReplicated(`the server that runs the room computes cells with ${theirs}`);
    const beside = world.beside();
    const room = await beside.restore(expected, moment);
    return new RoomReplica(store, beside, room, stored, { tick, seq });
  }

  /**
   * Replays the journal entries that were stored since the last call.
   *
   * @param most maximum number of ticks to replay
   * @returns whether the replica has reached the end of the stored journal
   * @throws NotReplicated, StoreError or EngineError. After any error except StoreError
   *   'unreachable', the replica must not be used.
   */
  async catchUp(most = Number.POSITIVE_INFINITY): Promise<boolean> {
    const { store, world, room, sums } = this;
    const { name } = room;
    const tail = await store.tail(name);
    if (!tail || tail.tick < room.tick)
      throw new NotReplicated(`the server that runs the room has begun a new journal`);
    const to = Math.min(tail.tick, room.tick + most);
    const from = room.tick + 1;
    // Read all records before the replay starts. If reading fails, `catchUp` can then be called
    // again.
    const entries = await listOf(store.journal(name, from, to));
    const marks = await listOf(store.marks(name, from, to));
    const moments = new Map<number, StoredMoment>();
    for (const { tick, jump } of entries)
      if (jump) moments.set(tick, await store.moment(name, tick));
    this.tail = this.endOf(entries);
    const { equal, unequal } = await replay({
      ...{ world, room, to, sums, isApart: true, journal: entries, marks },
      moment: async (tick) => moments.get(tick)!,
    }).catch((error: unknown) => {
      const isFull = error instanceof EngineError && error.reason === 'out-of-memory';
      throw isFull ? new NotReplicated(`the memory of this server's engine is full`) : error;
    });
    this.equal += equal;
    const text = 'this server and the server that runs the room have computed different cells';
    if (unequal > 0) throw new NotReplicated(text);
    const isAll = to === tail.tick;
    if (isAll && this.tail.seq !== tail.seq)
      throw new NotReplicated(`entries of the room's journal are missing`);
    this.tail = { ...this.tail, tick: to };
    return isAll;
  }

  /**
   * Replays the rest of the journal, and moves the room into another world. Call it only when no
   * other process can write to the room's journal.
   *
   * @throws NotReplicated if the replica cannot be used; StoreError; EngineError
   */
  async handOver(world: World) {
    const stored = await this.store.room(this.room.name);
    if (this.isOver) throw new NotReplicated('the replica is closed');
    const text = 'the room was deleted, and a new room was created under the same name';
    if (stored?.made !== this.stored.made) throw new NotReplicated(text);
    await this.requireNear();
    const { room, equal: before } = this;
    const from = room.tick;
    await this.catchUp();
    world.adopt(room, this.world);
    this.isOver = true;
    const { tail, equal } = this;
    const ticks = room.tick - from;
    return { room, tail, ticks, equal: equal - before, unequal: 0, remarks: [] };
  }

  /**
   * Frees the replica's engine memory. Does nothing if the replica was already closed or handed
   * over.
   */
  async close(): Promise<void> {
    if (this.isOver) return;
    this.isOver = true;
    await this.world.close(this.room);
  }

  /**
   * Checks that the replica is not too far behind.
   *
   * @throws NotReplicated if the replica is more than `MAX_LAG` ticks behind the latest snapshot
   */
  private async requireNear(): Promise<void> {
    const { store, room } = this;
    const near = room.tick + MAX_LAG;
    const tail = await store.tail(room.name);
    if (!tail || tail.tick <= near) return;
    const [stored = 0] = await store.snapshotTicks(room.name);
    const recent = (await store.recent(room.name))?.snapshot.tick ?? 0;
    if (Math.max(stored, recent) > near)
      throw new NotReplicated('the copy on this server has fallen too far behind');
  }

  private endOf(entries: readonly JournalRecord[]): JournalTail {
    for (const [i, { seq }] of entries.entries()) {
      if (seq !== this.tail.seq + 1 + i)
        throw new NotReplicated(`entries of the room's journal are missing`);
    }
    const { tick, seq } = entries.at(-1) ?? this.tail;
    return { tick, seq };
  }
}

interface OpenRoomOptions extends Pick<RoomRecord, 'checkpoint'> {
  readonly store: Store;
  readonly world: World;
  /**
   * This server's replica of the room, if any. If the replica cannot be taken over, `openRoom`
   * closes the replica.
   */
  readonly replica?: RoomReplica | undefined;
  /**
   * Whether all ticks that visitors have seen are stored; true by default. False if another process
   * may have shown visitors more ticks than are stored.
   */
  readonly isStored?: boolean;
  /** Returns the wall-clock time, in ms. */
  readonly date: () => number;
  /** Receives notices for the host. */
  readonly say: (remark: string) => void;
}

/**
 * Opens a room. The caller must call `JournalWriter.watch` before the room's first tick.
 *
 * @returns the room; `tail`: the end of the room's journal; `isReplica`: whether the room was taken
 *   over from the replica
 * @throws StoreError; EngineError
 */
export async function openRoom(
  place: RoomPlace,
  { store, world, checkpoint, replica, isStored = true, date, say }: OpenRoomOptions,
): Promise<{ room: Room; tail: JournalTail; isReplica: boolean }> {
  const { name, width, height, seed, maxOrganisms } = place;
  const stored = await store.room(name);
  if (!stored && (await store.hasPartsOf(name))) {
    throw new StoreError('damaged', `The stored room "${name}" lacks its main record.`);
  }
  if (!stored || (await isUnused(store, name))) {
    await store.createRoom({ name, width, height, seed, checkpoint, made: date() });
    return { room: world.open(place), tail: { tick: 0, seq: 0 }, isReplica: false };
  }
  const taken = await replica?.handOver(world).catch(async () => {
    await replica.close();
    return undefined;
  });
  const { room, tail, ticks, remarks } =
    taken ?? (await recover(store, world, { ...place, checkpoint }));
  for (const remark of remarks) say(remark);
  const count = room.organisms.length;
  say(
    `Room "${name}" is ${taken ? 'taken over in its current state' : 'restored'}: ` +
      `${count} ${count === 1 ? 'organism' : 'organisms'}, tick ${room.tick}` +
      `${ticks > 0 ? `, the last ${ticks} ticks replayed` : ''}.`,
  );
  if (!isStored) {
    try {
      await passUnstored(world, room);
      // Store the current tick. Visitors may have seen this tick, so the room's next leader must
      // not continue from an earlier tick.
      await store.commit({ room: name, tail: { ...tail, tick: room.tick } });
    } catch (error) {
      await world.close(room).catch(() => {});
      throw error;
    }
  }
  if (room.maxOrganisms !== maxOrganisms) room.change({ what: 'limit', maxOrganisms });
  const { flashLimit = DEFAULT_FLASH_LIMIT } = place;
  if (room.flashLimit !== flashLimit) room.change({ what: 'flashes', limit: flashLimit });
  room.updateRules();
  if (place.life && !isDeepStrictEqual(place.life, room.rules.life))
    room.change({ what: 'life', settings: place.life });
  if (place.energy) room.setEnergy(place.energy);
  if (place.tickRate) room.setTickRate(place.tickRate);
  return { room, tail: { ...tail, tick: room.tick }, isReplica: taken !== undefined };
}

/** Steps a room past all ticks that another process may have shown to visitors. */
async function passUnstored(world: World, room: Room): Promise<void> {
  let isDue = false;
  // The other process stopped before it stored another checksum, so step the room until a checksum
  // is due. Checksums are rarest while a room does not change. To be sure to step at least as far
  // as the other process, assume that the room has not changed since its last checksum.
  for (let isChanged = false; !isDue; ) {
    const [ticked] = await world.tick([room], undefined, true);
    isChanged ||= isEventful(ticked);
    isDue = isMarkDue(room.tick, isChanged);
  }
  // A checksum is stored one tick after it is due, so visitors may have seen one more tick.
  await world.tick([room], undefined, true);
}

/** Whether a room was created, but has no journal entries and no snapshots. */
export async function isUnused(store: Store, name: string): Promise<boolean> {
  const { tick, seq } = (await store.tail(name)) ?? {};
  return tick === 0 && seq === 0 && (await store.snapshotTicks(name)).length === 0;
}
