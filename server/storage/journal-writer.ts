/**
 * Stores running rooms: journal entries, periodic snapshots, and checksums of the planes (colours
 * and owners of all cells). The journal entries of a tick are written before the tick's results are
 * sent to clients. Outside a cluster, a failed write never stops a room: as soon as writing works
 * again, the room gets a new snapshot, so that the missing entries are no longer needed. Start
 * reading at `JournalWriter.record`.
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

/** If the wall clock jumps back by more than this, in ms, the host is notified. */
const SET_BACK = 60_000;

/**
 * Removes refused commands, because they changed nothing. If the engine ran out of memory in this
 * tick, keeps all commands: seeds that were refused for lack of memory had already been given ids
 * and random numbers, so a replay must execute them too, to get the same ids and numbers
 * afterwards.
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
 * Whether a checksum of the planes (colours and owners of all cells) must be computed after this
 * tick. The checksum is then stored at the next tick, before that tick's results are sent.
 *
 * @param isChanged whether any tick since the last checksum was eventful
 */
export const isMarkDue = (tick: number, isChanged: boolean): boolean =>
  tick % (isChanged ? JOURNAL.markTicks : JOURNAL.idleMarkTicks) === 0;

export interface JournalWriterOptions extends SnapshotsOptions {
  /** Receives notices for the host. */
  readonly warn: (name: StorageNotice, message: string) => void;
  /** Receives the duration of each commit, in ms. */
  readonly onCommit?: (duration: number) => void;
}

/**
 * Kinds of notices for the host. `kept-again` says that the problem reported by `not-kept` has been
 * solved.
 */
export type StorageNotice = 'not-kept' | 'kept-again' | 'snapshot-failed' | 'clock-set-back';

const nothing = (): void => {};

/**
 * Reasons for a failed write after which a server of a cluster must stop running the room. The
 * room's next leader continues the room from its stored records.
 */
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
   * What the wall clock showed after it was last set back, in ms; undefined if it has not been set
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
   * Returns the current wall-clock time, in ms, for a new record. Notifies the host if the clock
   * was set back.
   *
   * @param stored the time in a record that was stored earlier, in ms. If the clock now shows an
   *   even earlier time, it was set back.
   */
  now(stored = 0): number {
    const { date, warn } = this.options;
    const now = date();
    if (now < Math.max(this.read, stored) - SET_BACK) {
      this.setBackAt = now;
      warn(
        'clock-set-back',
        'The clock of this machine was set back, so earlier records may have wrong times.',
      );
    }
    this.read = now;
    return now;
  }

  /**
   * Whether all rooms are being stored. After a failed write, false until every room has a new
   * snapshot.
   */
  get isPersisting(): boolean {
    return this.failedAt === undefined;
  }

  /**
   * Starts storing a room. First takes a snapshot of it.
   *
   * @param tail end of the room's stored journal
   * @param isAtOnce whether to return before the snapshot is stored. This is safe if the room can
   *   still be restored from earlier snapshots and the journal.
   * @param times wall-clock times of the room's ticks; stored with the room's snapshots
   */
  async watch(room: Room, tail: JournalTail, isAtOnce = false, times?: TickTimes): Promise<void> {
    // Damaged snapshots are not in this list. The next clean-up removes all stored snapshots that
    // are not in the list, and so also the damaged ones.
    const snapshots = await this.options.store.readableSnapshots(room.name);
    const watched = new WatchedRoom(room, tail, times, snapshots);
    this.now(snapshots[0]?.at);
    this.watched.set(room, watched);
    const saved = this.saveSnapshot(watched);
    if (!isAtOnce) await saved;
  }

  /**
   * Writes the events of the rooms' latest ticks to the journal. The world calls this function at
   * each tick, and sends the tick's results only after the returned promise has resolved.
   */
  readonly record = async (ticks: readonly TickEvents[]): Promise<void> => {
    const at = this.now();
    const written = ticks.flatMap(({ room, tick, events, refused }) => {
      const watched = this.watched.get(room);
      if (!watched) return [];
      // After a failed write, a room writes no journal entries until its next snapshot has been
      // started. So skip rooms that still need a snapshot, unless the snapshot is being written
      // now.
      if (this.failedAt !== undefined && !watched.saving.isLocked() && watched.needsSnapshot)
        return [];
      const { marks } = watched;
      const kept = withoutRefused(events, refused);
      // If earlier entries are missing, do not write checksums alone. Only an entry can carry the
      // flag `gap`, which tells recovery that entries before it are missing.
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
      // With such an error, the room has stopped on this server and writes nothing more. The
      // records of all other rooms were written. So nothing has to be written again, and all
      // records can be treated as written.
      if (endsRoom(error)) for (const { watched, write } of written) watched.stored = write.tail;
      this.fail(error);
    }
    this.options.onCommit?.(this.options.clock.now() - start);
  };

  /**
   * Computes the checksums and starts the snapshots that are due after a tick. Call it before the
   * next tick begins.
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
   * Takes a snapshot of every room whose latest snapshot is not of the current tick. Do not call it
   * during a tick.
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
   * @param marks the snapshot's name or, for a snapshot that is taken before an action of the host,
   *   that action
   * @throws StoreError
   */
  async takeSnapshot(room: Room, marks: Pick<SnapshotRecord, 'name' | 'before'>) {
    return this.save(this.watchedOf(room), marks);
  }

  /**
   * Stores that a room's state was replaced, for example by an earlier snapshot: writes a journal
   * entry about the replacement, and a snapshot of the new state. The room must be paused.
   *
   * @throws StoreError if writing fails. The room then keeps its new state, which is stored with
   *   the room's next snapshot.
   */
  async recordJump(room: Room, jump: Jump): Promise<SnapshotRecord> {
    const watched = this.watchedOf(room);
    await watched.saving.waitForUnlock();
    const { tick } = room;
    const entry = watched.entryOf(this.now(), { tick, events: [], refused: [] }, jump);
    watched.tail = { tick, seq: entry.seq };
    // A snapshot stores only cells that have changed since they were last stored, judged by the ids
    // and ages of organisms. After the replacement, an organism with the same id and age may have
    // other cells, so store all cells again.
    watched.saved = new Map();
    watched.unmarked = true;
    // Discard the checksums collected so far. They must cover consecutive ticks, but the
    // replacement takes up a tick that steps no cells and has no checksum.
    watched.sums.take();
    try {
      return await this.save(watched, { jump: true }, entry);
    } catch (error) {
      // The journal entry belongs to the same transaction as the snapshot, so neither was written.
      // Later entries cannot be replayed without this entry, so mark the journal as incomplete. For
      // a StoreError, `fail` has already done so.
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
   * Runs `work`, which reads the snapshot of a tick and the journal after that tick. Until `work`
   * has ended, neither is removed.
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
   * Returns the end of a room's journal. If entries are missing, its `seq` is larger than that of
   * the last stored entry.
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

  /** Gives a snapshot a name or, if `name` is undefined, removes its name. @throws StoreError */
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

  /** Takes a snapshot, unless the latest snapshot is of the current tick. */
  private async saveIfStale(watched: WatchedRoom): Promise<void> {
    await watched.saving.waitForUnlock();
    if (!watched.isSaved) await this.saveSnapshot(watched);
  }

  /**
   * Takes a snapshot. If another snapshot is being written or changed now, only waits for that to
   * end: another snapshot will become due later anyway. Never rejects.
   */
  private saveSnapshot(watched: WatchedRoom): Promise<void> {
    if (watched.saving.isLocked()) return watched.saving.waitForUnlock();
    return this.save(watched, {}).then(nothing, nothing);
  }

  /**
   * Stores a recent snapshot, which is not synced to disk. Does nothing if another snapshot is
   * being written or changed now.
   */
  private saveRecent(watched: WatchedRoom): void {
    if (watched.saving.isLocked()) return;
    const draft = this.snapshots.capture(watched);
    // Ignore failures: if the cause persists, the next journal write or snapshot fails too, and its
    // failure is reported.
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
        // If a journal write failed while the snapshot was being written, its entries are missing
        // from the journal, and they came too late for the snapshot. The room then still needs
        // another snapshot.
        if (this.failures === failures) watched.needsSnapshot = false;
        return snapshot;
      } catch (error) {
        watched.bytes += draft.bytes;
        throw error;
      }
    });
  }

  /**
   * Runs a function that writes or changes a room's snapshots, after all such functions of the same
   * room that were passed earlier.
   */
  private exclusively<T>(watched: WatchedRoom, work: () => Promise<T>): Promise<T> {
    return watched.saving.runExclusive(async () => {
      try {
        const result = await work();
        this.markComplete();
        return result;
      } catch (error) {
        watched.unsaved = true;
        // Some of the cells may have been written before the failure and others not, so store all
        // cells again.
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
   * Handles an error from writing. A StoreError means that no room can be stored now; any other
   * error concerns only the snapshot that was being taken.
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

  /** Marks the journals of rooms as incomplete. Each of these rooms then needs a new snapshot. */
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
      this.options.warn(
        'not-kept',
        `${why} The rooms continue, but changes from now on are lost if the server restarts. Earlier changes are stored.`,
      );
    }
  }

  private markComplete(): void {
    if (this.failedAt === undefined) return;
    if ([...this.watched.values()].some(({ needsSnapshot }) => needsSnapshot)) return;
    this.failedAt = undefined;
    this.isDiskFull = false;
    this.options.warn('kept-again', 'The rooms are stored again.');
  }
}
