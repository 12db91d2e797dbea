/**
 * Writes down what happens in the rooms while it happens: the journal before anybody hears of it, checksums of the planes,
 * snapshots now and then. When the disk takes no more, the rooms go on all the same; as soon as it does again, a snapshot
 * makes good for what the journal lacks.
 */

import { DEFAULTS } from '../../shared/defaults.ts';
import { Mutex } from '../platform/mutex.ts';
import type { Room } from '../world/room.ts';
import type { RoomTick, TickEvents } from '../world/world.ts';
import { count, dayOf, emptyDay } from './day-counts.ts';
import { checksumOf, TickSums } from './plane-checksums.ts';
import type {
  DayRecord,
  JournalRecord,
  JournalTail,
  Jump,
  SnapshotRecord,
} from './record-schemas.ts';
import {
  type SnapshotDraft,
  Snapshots,
  type SnapshotsOptions,
  type WatchedRoom,
} from './snapshots.ts';
import type { TickRecord } from './store.ts';
import { StoreError } from './store-error.ts';

export interface JournalWriterOptions extends SnapshotsOptions {
  /** Between two snapshots of a busy room, ms. */
  readonly snapshotLeast?: number;
  /** Hears what a host should know, each with its name. */
  readonly warn: (name: StorageNotice, message: string) => void;
  /** Told how long a commit took, ms. */
  readonly onCommit?: (duration: number) => void;
}

/** `kept-again` ends `not-kept`. */
export type StorageNotice = 'not-kept' | 'kept-again' | 'snapshot-failed';

export class JournalWriter {
  private readonly watched = new Map<Room, WatchedRoom>();
  private last: Promise<unknown> = Promise.resolve();
  private failedAt: number | undefined;
  /** Those whose snapshots are tried once more, each after its own next tick: only then does it stand still. */
  private readonly retried = new Set<WatchedRoom>();
  private failures = 0;
  private closed = false;
  private readonly snapshots: Snapshots;

  constructor(private readonly options: JournalWriterOptions) {
    this.snapshots = new Snapshots(options);
  }

  /** Whether all that happens is kept. */
  get isPersisting(): boolean {
    return this.failedAt === undefined;
  }

  /**
   * From now on a room is kept, and first of all as it is.
   *
   * @param tail what the store has of it
   */
  async watch(room: Room, tail: JournalTail): Promise<void> {
    const { store, date, clock } = this.options;
    const snapshots: SnapshotRecord[] = [];
    for (const tick of await store.snapshotTicks(room.name)) {
      // One that cannot be read is forgotten with the next sweep.
      const snapshot = await store.snapshot(room.name, tick).catch(() => undefined);
      if (snapshot) snapshots.push(snapshot);
    }
    const at = Math.max(date(), snapshots[0]?.at ?? 0);
    const watched: WatchedRoom = {
      room,
      tail,
      stored: tail,
      at,
      day: await this.dayOf(room.name, at),
      marks: [],
      sums: new TickSums(room.grid.planes),
      unmarked: true,
      unsaved: true,
      cells: 0,
      bytes: 0,
      savedAt: clock.now(),
      snapshots,
      readers: new Set(),
      saved: new Map(),
      saving: new Mutex(),
      needsSnapshot: false,
      gap: false,
    };
    this.watched.set(room, watched);
    await this.saveSnapshot(watched);
  }

  /** What has come into a tick, before anybody hears of it: the world's journal. */
  readonly record = async (ticks: readonly TickEvents[]): Promise<void> => {
    const written = ticks.flatMap(({ room, tick, events, refused }) => {
      const watched = this.watched.get(room);
      if (!watched) return [];
      // One whose snapshot has been made good keeps its journal, while others still wait for theirs.
      if (this.failedAt !== undefined && !watched.saving.isLocked() && watched.needsSnapshot)
        return [];
      const { marks } = watched;
      if (events.length === 0 && marks.length === 0) return [];
      watched.marks = [];
      const entry = events.length > 0 ? this.entryOf(watched, tick, events, refused) : undefined;
      if (entry) count(watched.day, events, refused);
      const lastTick = Math.max(watched.tail.tick, entry?.tick ?? 0, marks.at(-1)?.tick ?? 0);
      watched.tail = { tick: lastTick, seq: entry?.seq ?? watched.tail.seq };
      const { tail, day } = watched;
      const page: TickRecord = { room: room.name, tail, entry, marks, day: entry && day };
      return [{ watched, page }];
    });
    if (written.length === 0) return;
    const begun = this.options.clock.now();
    const done = this.options.store.commit(written.map(({ page }) => page));
    this.last = done.catch(() => undefined);
    try {
      const bytes = await done;
      for (const { watched, page } of written) {
        watched.stored = page.tail;
        watched.bytes += Math.ceil(bytes / written.length);
      }
    } catch (error) {
      this.fail(error);
    }
    this.options.onCommit?.(this.options.clock.now() - begun);
  };

  /** After a tick is done, and before the next. */
  ticked(ticks: readonly RoomTick[]): void {
    const now = this.options.clock.now();
    const { snapshotLeast = DEFAULTS.store.snapshotLeast } = this.options;
    const { markTicks, idleMarkTicks, snapshotCells, snapshotCalm, snapshotIdle, retry } =
      DEFAULTS.store;
    if (this.failedAt !== undefined && now - this.failedAt >= retry) {
      this.failedAt = now;
      for (const watched of this.watched.values())
        if (watched.needsSnapshot) this.retried.add(watched);
    }
    for (const { room, result, cells } of ticks) {
      const watched = this.watched.get(room);
      if (!watched) continue;
      const { tick, changed, life, answers } = result;
      watched.cells += cells;
      if (cells + changed.length + life.length + answers.length > 0) {
        watched.unmarked = true;
        watched.unsaved = true;
      }
      watched.sums.ticked(tick, changed);
      if (tick % (watched.unmarked ? markTicks : idleMarkTicks) === 0) {
        const [planes, each] = [checksumOf(room.grid.planes), watched.sums.take()];
        watched.marks.push({ tick, planes, each });
        watched.unmarked = false;
      }
      const ago = now - watched.savedAt;
      const due = snapshotLeast * (watched.cells >= snapshotCells ? 1 : snapshotCalm);
      // One at rest ticks on: what comes back after a power cut must not have days of that to go through.
      const wait = watched.unsaved ? due : snapshotIdle;
      const again = this.retried.delete(watched);
      if (this.failedAt === undefined ? ago >= wait : again) void this.saveSnapshot(watched);
    }
  }

  /** Keeps every room as it is now. No tick may be under way. */
  async saveAll(): Promise<void> {
    for (const watched of this.watched.values()) {
      await watched.saving.waitForUnlock();
      const isSaved = watched.snapshots[0]?.tick === watched.room.tick;
      if (!isSaved || watched.needsSnapshot) await this.saveSnapshot(watched);
    }
  }

  /** A room is kept as it is now, and from now on no more. It must stand still. */
  async unwatch(room: Room): Promise<void> {
    const watched = this.watched.get(room);
    if (!watched) return;
    await watched.saving.waitForUnlock();
    if (watched.snapshots[0]?.tick !== room.tick || watched.needsSnapshot)
      await this.saveSnapshot(watched);
    await this.last;
    this.watched.delete(room);
    this.retried.delete(watched);
    this.markComplete();
  }

  /**
   * Keeps a room as it is now. It must stand still until this is called, no longer.
   *
   * @param marks what is special about this snapshot
   * @throws StoreError
   */
  async takeSnapshot(
    room: Room,
    marks: Pick<SnapshotRecord, 'name' | 'before'>,
  ): Promise<SnapshotRecord> {
    const watched = this.watchedOf(room);
    // What is being taken may be of a moment ago.
    const before = watched.saving.waitForUnlock();
    const moment = this.snapshots.draftOf(watched);
    await before;
    return this.exclusively(watched, () => this.keep(watched, moment, marks));
  }

  /**
   * The room has become another at once: from here on it is kept as it is now. It must stand still.
   *
   * @throws StoreError; the room goes on as it is now nevertheless, and is kept as after any failure
   */
  async recordJump(room: Room, jump: Jump): Promise<SnapshotRecord> {
    const watched = this.watchedOf(room);
    await watched.saving.waitForUnlock();
    const entry = this.entryOf(watched, room.tick, [], [], jump);
    watched.tail = { tick: room.tick, seq: entry.seq };
    // Cells of one age are not the cells of before.
    watched.saved = new Map();
    watched.unmarked = true;
    // In this tick nothing was stepped.
    watched.sums.take();
    const moment = this.snapshots.draftOf(watched);
    try {
      return await this.exclusively(watched, () =>
        this.keep(watched, moment, { jump: true }, entry),
      );
    } catch (error) {
      // The entry went with the snapshot: without it, nothing that follows can be done again.
      if (!(error instanceof StoreError)) this.markIncomplete([watched], (error as Error).message);
      throw error;
    }
  }

  /** Resolves when all that was recorded so far is on the disk. */
  async flushed(): Promise<void> {
    await this.last;
  }

  /** Sees to it that a snapshot, and all that happened since, stays while it is worked with. */
  async whileReading<T>(room: Room, tick: number, work: () => Promise<T>): Promise<T> {
    const { readers: read } = this.watchedOf(room);
    read.add(tick);
    try {
      return await work();
    } finally {
      read.delete(tick);
    }
  }

  /** Snapshots of a room that is kept, the latest first. */
  snapshotsOf(room: Room): readonly SnapshotRecord[] {
    return this.watchedOf(room).snapshots;
  }

  /** Changes what is special about a snapshot. @throws StoreError */
  async renameSnapshot(room: Room, tick: number, name: string | undefined): Promise<void> {
    const watched = this.watchedOf(room);
    await this.exclusively(watched, async () => {
      const old = watched.snapshots.find((one) => one.tick === tick);
      if (!old) return;
      const { name: _, ...plain } = old;
      const snapshot = name === undefined ? plain : { ...plain, name };
      await this.options.store.putSnapshotRecord(room.name, snapshot);
      watched.snapshots = watched.snapshots.map((one) => (one === old ? snapshot : one));
    });
  }

  /** Ends when all that was begun is kept. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.watched.values()].map(({ saving }) => saving.waitForUnlock()));
    await this.last;
  }

  private entryOf(
    watched: WatchedRoom,
    tick: number,
    events: TickEvents['events'],
    refused: readonly number[],
    jump?: Jump,
  ): JournalRecord {
    const at = Math.max(watched.at, this.options.date());
    watched.at = at;
    const day = dayOf(at);
    if (day !== watched.day.day) watched.day = emptyDay(day);
    const entry = {
      tick,
      seq: watched.tail.seq + 1,
      at,
      events: events as JournalRecord['events'],
      ...(refused.length > 0 && { refused: [...refused] }),
      ...(watched.gap && { gap: true as const }),
      ...(jump && { jump }),
    };
    watched.gap = false;
    return entry;
  }

  /** Takes a snapshot, unless one is being taken. Never rejects. */
  private saveSnapshot(watched: WatchedRoom): Promise<void> {
    if (watched.saving.isLocked()) return watched.saving.waitForUnlock();
    const moment = this.snapshots.draftOf(watched);
    return this.exclusively(watched, () => this.keep(watched, moment, {})).then(
      () => {},
      () => {},
    );
  }

  /** One thing after the other is done to a room's snapshots. @throws as the work */
  private exclusively<T>(watched: WatchedRoom, work: () => Promise<T>): Promise<T> {
    const { failures } = this;
    return watched.saving.runExclusive(async () => {
      try {
        const result = await work();
        // What has failed since is not in it.
        if (this.failures === failures) watched.needsSnapshot = false;
        this.markComplete();
        return result;
      } catch (error) {
        watched.unsaved = true;
        // How much of it was written is not known.
        if (error instanceof StoreError) watched.saved = new Map();
        this.fail(error);
        throw error;
      }
    });
  }

  private keep(
    watched: WatchedRoom,
    moment: SnapshotDraft,
    marks: Pick<SnapshotRecord, 'name' | 'before' | 'jump'>,
    entry?: JournalRecord,
  ): Promise<SnapshotRecord> {
    return this.snapshots
      .write(watched, moment, () => this.last, marks, entry)
      .catch((error: unknown) => {
        watched.bytes += moment.bytes;
        throw error;
      });
  }

  private watchedOf(room: Room): WatchedRoom {
    const watched = this.watched.get(room);
    if (!watched) throw new StoreError('not-kept', `The room "${room.name}" is not kept.`);
    return watched;
  }

  /** What a failure means for what is kept: one of writing is everybody's. */
  private fail(error: unknown): void {
    if (this.closed) return;
    if (!(error instanceof StoreError)) {
      const message = error instanceof Error ? error.message : String(error);
      this.options.warn('snapshot-failed', `A snapshot could not be taken: ${message}`);
      return;
    }
    this.markIncomplete(this.watched.values(), error.message);
  }

  /** The journals of some rooms lack something: from now on nothing of them is kept, until a snapshot of each is. */
  private markIncomplete(some: Iterable<WatchedRoom>, why: string): void {
    const first = this.failedAt === undefined;
    this.failedAt = this.options.clock.now();
    this.failures++;
    for (const watched of some) {
      watched.needsSnapshot = true;
      watched.gap = true;
      // Entries that were never written leave their number free, so that nobody takes the journal for whole.
      watched.tail = { ...watched.tail, seq: watched.tail.seq + 1 };
    }
    if (first) {
      this.options.warn(
        'not-kept',
        `${why} The rooms go on, but what happens from now on is lost with a restart; all from before is kept.`,
      );
    }
  }

  private markComplete(): void {
    if (this.failedAt === undefined) return;
    if ([...this.watched.values()].some(({ needsSnapshot: owed }) => owed)) return;
    this.failedAt = undefined;
    this.options.warn('kept-again', 'What happens in the rooms is kept again.');
  }

  private async dayOf(room: string, at: number): Promise<DayRecord> {
    const day = dayOf(at);
    return (await this.options.store.day(room, day)) ?? emptyDay(day);
  }
}
