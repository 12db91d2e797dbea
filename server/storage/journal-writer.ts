/**
 * Stores running rooms: journal entries, snapshots, and checksums of the planes (colours and owners
 * of all cells). The journal entries of a tick are written before the tick's results are sent to
 * clients. Outside a cluster, a room continues after a failed write, and a later snapshot replaces
 * the missing entries. Start reading at `JournalWriter.record`.
 */
import type { RoomEvent } from '../world/commands.ts';
import type { Room } from '../world/room.ts';
import type { TickTimes } from '../world/tick-times.ts';
import type { RoomTick, TickEvents } from '../world/world.ts';
import type { JournalRecord, JournalTail, Jump, SnapshotRecord } from './record-schemas.ts';
import { StoreError, type StoreReason } from './records.ts';
import { type SnapshotMarks, Snapshots, type SnapshotsOptions } from './snapshots.ts';
import { checksumOf, WatchedRoom } from './watched-room.ts';

export const JOURNAL = {
  /**
   * Number of ticks between two stored checksums of the planes (colours and owners of all cells),
   * while the room changes.
   */
  markTicks: 15,
  /** Number of ticks between two stored checksums of the planes, while the room does not change. */
  idleMarkTicks: 900,
  /** Delay before a failed write is retried, in ms. */
  retry: 5_000,
} as const;

/** How far the wall clock may jump back before the host is notified, in ms. */
const SET_BACK = 60_000;

/**
 * Removes refused commands, which changed nothing. If the engine ran out of memory, keeps all
 * commands: a seed that is refused for lack of memory uses up an id and random numbers.
 */
function withoutRefused(events: readonly RoomEvent[], refused: readonly number[]) {
  const isOutOfMemory = events.some(({ what }) => what === 'no-memory');
  if (refused.length === 0 || isOutOfMemory) return { events, refused };
  let index = 0;
  const kept = events.filter(({ what }) => what !== 'command' || !refused.includes(index++));
  return { events: kept, refused: [] };
}

/** Whether a tick changed the room or answered a command. */
export function isEventful({ result, cells }: RoomTick): boolean {
  const { changed, life, answers } = result;
  return cells + changed.length + life.length + answers.length > 0;
}

/**
 * Whether a checksum of the planes (colours and owners of all cells) is due after this tick.
 *
 * @param isChanged whether a tick since the last checksum was eventful (see `isEventful`)
 */
export const isMarkDue = (tick: number, isChanged: boolean): boolean =>
  tick % (isChanged ? JOURNAL.markTicks : JOURNAL.idleMarkTicks) === 0;

export interface JournalWriterOptions extends SnapshotsOptions {
  /** Receives notices for the host. */
  readonly warn: (name: StorageNotice, message: string) => void;
  /** Receives the duration of each commit, in ms. */
  readonly onCommit?: (duration: number) => void;
}

/** Kinds of notices for the host. `kept-again` ends `not-kept`: all changes have been stored. */
export type StorageNotice = 'not-kept' | 'kept-again' | 'snapshot-failed' | 'clock-set-back';

const nothing = (): void => {};

/** If a write fails for one of these reasons, a server of a cluster must stop running the room. */
const ENDS_ROOM: ReadonlySet<StoreReason> = new Set(['not-owner', 'unreachable']);

const endsRoom = (error: unknown): boolean =>
  error instanceof StoreError && ENDS_ROOM.has(error.reason);

export class JournalWriter {
  private readonly watched = new Map<Room, WatchedRoom>();
  private lastCommit: Promise<unknown> = Promise.resolve();
  private failedAt: number | undefined;
  private failures = 0;
  /** Whether the last write failed for lack of disk space. */
  isDiskFull = false;
  /**
   * Time to which the wall clock was last set back, in ms; undefined if the clock was never set
   * back.
   */
  setBackAt: number | undefined;
  /** Last reading of the wall clock, in ms. */
  private read = 0;
  private closed = false;
  private readonly snapshots: Snapshots;

  constructor(private readonly options: JournalWriterOptions) {
    this.snapshots = new Snapshots(options, this.flushed);
  }

  /**
   * Returns the wall-clock time for a new record, in ms. Notifies the host if the clock was set
   * back.
   *
   * @param stored time of an earlier record, in ms, with which the clock is compared
   */
  now(stored = 0): number {
    const { date, warn } = this.options;
    const now = date();
    if (now < Math.max(this.read, stored) - SET_BACK) {
      this.setBackAt = now;
      const text =
        'The clock of this machine was set back, so earlier records may have wrong times.';
      warn('clock-set-back', text);
    }
    this.read = now;
    return now;
  }

  /**
   * Whether all rooms are being stored. False from a failed write until every room has a new
   * snapshot.
   */
  get isPersisting(): boolean {
    return this.failedAt === undefined;
  }

  /**
   * Starts storing a room. First takes a snapshot of the room.
   *
   * @param tail end of the room's stored journal
   * @param isAtOnce if true, does not wait until the snapshot is stored. Set only if earlier
   *   snapshots and the journal can restore the room
   * @param times wall-clock times of the room's ticks
   */
  async watch(room: Room, tail: JournalTail, isAtOnce = false, times?: TickTimes): Promise<void> {
    // Damaged snapshots are not in this list. Once a new snapshot has been stored, all other
    // snapshots that are not in the list are removed.
    const snapshots = await this.options.store.readableSnapshots(room.name);
    const watched = new WatchedRoom(room, tail, times, snapshots);
    this.now(snapshots[0]?.at);
    this.watched.set(room, watched);
    const saved = this.saveSnapshot(watched);
    if (!isAtOnce) await saved;
  }

  /**
   * Writes the events of the rooms' latest ticks to the journal. The world sends the ticks' results
   * only after the returned promise has resolved.
   */
  readonly record = async (ticks: readonly TickEvents[]): Promise<void> => {
    const at = this.now();
    const written = ticks.flatMap(({ room, tick, events, refused }) => {
      const watched = this.watched.get(room);
      if (!watched) return [];
      // After a failed write, the room's journal has a gap, and only entries after the next
      // snapshot are useful. So write nothing for the room until the writing of this snapshot has
      // begun.
      if (this.failedAt !== undefined && !watched.saving.isLocked() && watched.needsSnapshot)
        return [];
      const { marks } = watched;
      const kept = withoutRefused(events, refused);
      // If earlier entries are missing, write checksums only together with an entry, because the
      // flag `gap` in this entry tells recovery about the missing entries.
      const hasMarks = marks.length > 0 && !watched.needsSnapshot;
      if (kept.events.length === 0 && !hasMarks) return [];
      watched.marks = [];
      const entry = kept.events.length > 0 ? watched.entryOf(at, { tick, ...kept }) : undefined;
      const lastTick = Math.max(watched.tail.tick, entry?.tick ?? 0, marks.at(-1)?.tick ?? 0);
      watched.tail = { tick: lastTick, seq: entry?.seq ?? watched.tail.seq };
      return [{ watched, write: { room: room.name, tail: watched.tail, entry, marks } }];
    });
    if (written.length === 0) return;
    const start = this.options.clock.now();
    const commit = this.options.store.commit(...written.map(({ write }) => write));
    this.lastCommit = commit.catch(() => undefined);
    try {
      const bytes = await commit;
      for (const { watched, write } of written) {
        watched.stored = write.tail;
        watched.bytes += Math.ceil(bytes / written.length);
      }
    } catch (error) {
      // Each room's records are written separately, and an error that ends a room concerns only
      // this room's records. Mark even these records as written: this is harmless, because the room
      // writes no more.
      if (endsRoom(error)) for (const { watched, write } of written) watched.stored = write.tail;
      this.fail(error);
    }
    this.options.onCommit?.(this.options.clock.now() - start);
  };

  /**
   * Computes the checksums and starts the snapshots that are due after a tick. Call before the next
   * tick.
   */
  ticked(ticks: readonly RoomTick[]): void {
    const now = this.options.clock.now();
    if (this.failedAt !== undefined && now - this.failedAt >= JOURNAL.retry) {
      this.failedAt = now;
      for (const watched of this.watched.values()) watched.isRetryDue = watched.needsSnapshot;
    }
    for (const ticked of ticks) {
      const { room, result, cells } = ticked;
      const watched = this.watched.get(room);
      if (!watched) continue;
      const { tick, changed } = result;
      watched.cells += cells;
      if (isEventful(ticked)) {
        watched.unmarked = true;
        watched.unsaved = true;
      }
      watched.sums.ticked(tick, changed);
      if (isMarkDue(tick, watched.unmarked)) {
        const [planes, each] = [checksumOf(room.grid.planes), watched.sums.take()];
        watched.marks.push({ tick, planes, each });
        watched.unmarked = false;
      }
      const { isRetryDue } = watched;
      watched.isRetryDue = false;
      const due =
        this.failedAt === undefined ? this.snapshots.due(watched) : isRetryDue && 'stored';
      if (due === 'stored') void this.saveSnapshot(watched);
      else if (due) this.saveRecent(watched);
    }
  }

  /**
   * Takes a snapshot of every room that has no snapshot of the current tick. Do not call during a
   * tick.
   */
  async saveAll(): Promise<void> {
    for (const watched of this.watched.values()) await this.saveIfStale(watched);
  }

  /**
   * Takes a final snapshot of a room, and stops storing the room. The room must be paused.
   *
   * @returns whether the stored state equals the room's current state
   */
  async unwatch(room: Room): Promise<boolean> {
    const watched = this.watched.get(room);
    if (!watched) return false;
    await this.saveIfStale(watched);
    await this.lastCommit;
    this.watched.delete(room);
    this.markComplete();
    return watched.isSaved;
  }

  /** Whether a room is stored in its current state. */
  isSaved(room: Room): boolean {
    return this.watched.get(room)?.isSaved ?? false;
  }

  /**
   * Takes a snapshot of a room. The room must be paused when this method is called, but may resume
   * before the returned promise resolves.
   *
   * @param marks `name`: the snapshot's name. `before`: the host's action that follows the snapshot
   * @throws StoreError
   */
  async takeSnapshot(room: Room, marks: Pick<SnapshotRecord, 'name' | 'before'>) {
    return this.save(this.watchedOf(room), marks);
  }

  /**
   * Stores that a room's state was replaced, for example by an earlier snapshot: writes a journal
   * entry, and a snapshot of the new state. The room must be paused.
   *
   * @throws StoreError if writing fails. The room's next snapshot then stores the new state.
   */
  async recordJump(room: Room, jump: Jump): Promise<SnapshotRecord> {
    const watched = this.watchedOf(room);
    await watched.saving.waitForUnlock();
    const { tick } = room;
    const entry = watched.entryOf(this.now(), { tick, events: [], refused: [] }, jump);
    watched.tail = { tick, seq: entry.seq };
    // Store all cells again: after the state was replaced, an organism with the same id and age may
    // have other cells.
    watched.saved = new Map();
    watched.unmarked = true;
    // Checksums must cover consecutive ticks, but the tick in which the state was replaced has no
    // checksum. So discard the checksums collected so far.
    watched.sums.take();
    try {
      return await this.save(watched, { jump: true }, entry);
    } catch (error) {
      // Neither the journal entry nor the snapshot of the new state was written, so the journal is
      // incomplete. If the error is a StoreError, `fail` has already handled it.
      if (!(error instanceof StoreError)) this.markIncomplete([watched], (error as Error).message);
      throw error;
    }
  }

  /** Waits until all journal writes so far have succeeded or failed. */
  readonly flushed = async (): Promise<void> => {
    for (let last: unknown; last !== this.lastCommit; ) {
      last = this.lastCommit;
      await last;
    }
  };

  /**
   * Runs `work`. Until `work` has ended, the snapshot of the given tick and the journal after this
   * tick are not deleted.
   */
  async whileReading<T>(room: Room, tick: number, work: () => Promise<T>): Promise<T> {
    const { readers } = this.watchedOf(room);
    readers.add(tick);
    try {
      return await work();
    } finally {
      readers.delete(tick);
    }
  }

  /**
   * Returns the end of a room's journal. If later entries could not be stored, the returned `seq`
   * is larger than the sequence number of the last stored entry.
   */
  tailOf(room: Room): JournalTail {
    return this.watchedOf(room).tail;
  }

  /**
   * Lists the snapshots of a watched room, latest first.
   *
   * @throws StoreError 'not-kept' if the room is not being stored
   */
  snapshotsOf(room: Room): readonly SnapshotRecord[] {
    return this.watchedOf(room).snapshots;
  }

  /** Renames a snapshot; removes the name if `name` is undefined. @throws StoreError */
  async renameSnapshot(room: Room, tick: number, name: string | undefined): Promise<void> {
    const watched = this.watchedOf(room);
    const rename = async () => {
      const old = watched.snapshots.find((one) => one.tick === tick);
      if (!old) return;
      const { name: _, ...plain } = old;
      const snapshot = name === undefined ? plain : { ...plain, name };
      await this.options.store.putSnapshotRecord(room.name, snapshot);
      watched.snapshots = watched.snapshots.map((one) => (one === old ? snapshot : one));
    };
    await this.exclusively(watched, rename);
  }

  /** Waits for all writes in progress. Failures of later writes are ignored. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.watched.values()].map(({ saving }) => saving.waitForUnlock()));
    await this.lastCommit;
  }

  private async saveIfStale(watched: WatchedRoom): Promise<void> {
    await watched.saving.waitForUnlock();
    if (!watched.isSaved) await this.saveSnapshot(watched);
  }

  /**
   * Takes a snapshot. If another snapshot is being written or changed, only waits for that work.
   * Never rejects.
   */
  private saveSnapshot(watched: WatchedRoom): Promise<void> {
    if (watched.saving.isLocked()) return watched.saving.waitForUnlock();
    return this.save(watched, {}).then(nothing, nothing);
  }

  /**
   * Stores a recent snapshot. A power failure may destroy it, because it is not synced to disk.
   * Does nothing while another snapshot is being written or changed.
   */
  private saveRecent(watched: WatchedRoom): void {
    if (watched.saving.isLocked()) return;
    const draft = this.snapshots.capture(watched);
    // Ignore failures: if the cause persists, the next journal write or snapshot reports it.
    watched.saving.runExclusive(() => this.snapshots.writeRecent(watched, draft)).catch(nothing);
  }

  private save(watched: WatchedRoom, marks: SnapshotMarks, entry?: JournalRecord) {
    const draft = this.snapshots.capture(watched);
    watched.unsaved = false;
    watched.savedAt = watched.capturedAt;
    watched.bytes = 0;
    const { failures } = this;
    return this.exclusively(watched, async () => {
      try {
        const snapshot = await this.snapshots.write(watched, draft, marks, entry);
        // If a journal write failed in the meantime, this snapshot lacks the lost entries, so the
        // room needs another snapshot.
        if (this.failures === failures) watched.needsSnapshot = false;
        return snapshot;
      } catch (error) {
        watched.bytes += draft.bytes;
        throw error;
      }
    });
  }

  /**
   * Runs `work`, which changes a room's snapshots, after all earlier calls for this room have
   * ended.
   */
  private exclusively<T>(watched: WatchedRoom, work: () => Promise<T>): Promise<T> {
    return watched.saving.runExclusive(async () => {
      try {
        const result = await work();
        this.markComplete();
        return result;
      } catch (error) {
        watched.unsaved = true;
        // It is not known which cells were written before the failure, so the next snapshot must
        // store all cells.
        if (error instanceof StoreError) watched.saved = new Map();
        this.fail(error);
        throw error;
      }
    });
  }

  private watchedOf(room: Room): WatchedRoom {
    const watched = this.watched.get(room);
    if (!watched) throw new StoreError('not-kept', `The room "${room.name}" is not stored.`);
    return watched;
  }

  /**
   * Handles an error from writing. After a StoreError, the journals of all rooms are incomplete,
   * unless the error ends one room (see `endsRoom`). Any other error concerns only the snapshot
   * that was being taken.
   */
  private fail(error: unknown): void {
    if (this.closed) return;
    if (endsRoom(error)) return;
    if (!(error instanceof StoreError)) {
      const message = error instanceof Error ? error.message : String(error);
      this.options.warn('snapshot-failed', `A snapshot of a room could not be taken: ${message}`);
      return;
    }
    this.isDiskFull = error.reason === 'disk-full';
    this.markIncomplete(this.watched.values(), error.message);
  }

  /** Marks the journals of rooms as incomplete. Each of these rooms then gets a new snapshot. */
  private markIncomplete(rooms: Iterable<WatchedRoom>, why: string): void {
    const isFirst = this.failedAt === undefined;
    this.failedAt = this.options.clock.now();
    this.failures++;
    for (const watched of rooms) {
      watched.needsSnapshot = true;
      watched.gap = true;
      // Skip a sequence number, so that recovery notices the missing entries.
      watched.tail = { ...watched.tail, seq: watched.tail.seq + 1 };
    }
    if (isFirst) {
      const text = `${why} The rooms continue, but changes from now on are lost if the server restarts. Earlier changes are stored.`;
      this.options.warn('not-kept', text);
    }
  }

  private markComplete(): void {
    if (this.failedAt === undefined) return;
    if ([...this.watched.values()].some(({ needsSnapshot }) => needsSnapshot)) return;
    this.failedAt = undefined;
    this.isDiskFull = false;
    this.options.warn('kept-again', 'Storing works again. All changes in open rooms are stored.');
  }
}
