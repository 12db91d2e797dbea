/** What the storage of a running room knows between two writes. */
import { getOrAdd } from '../platform/get-or-add.ts';
import { Mutex } from '../platform/mutex.ts';
import type { Room } from '../world/room.ts';
import type { TickTimes } from '../world/tick-times.ts';
import type { TickEvents } from '../world/world.ts';
import { dayOf, emptyDay } from './day-counts.ts';
import { TickSums } from './plane-checksums.ts';
import type {
  DayRecord,
  JournalRecord,
  JournalTail,
  Jump,
  PlaneChecksum,
  SnapshotRecord,
} from './record-schemas.ts';
import type { Store } from './store.ts';

/** Where an organism's cells are stored. */
export interface SavedCells {
  /** Its age then. */
  readonly age: number;
  /** Of the snapshot. */
  readonly tick: number;
  /** Of the snapshot with the cells from which they are stored as a difference. */
  readonly base?: number | undefined;
  /** Records since then. */
  readonly differences: number;
}

/** A room and the state of its storage. */
export class WatchedRoom {
  /** Checksums to be written with the next entry. */
  marks: PlaneChecksum[] = [];
  /** Of the ticks since the last mark. */
  readonly sums: TickSums;
  /** Whether the room has changed since the last mark. */
  unmarked = true;
  /** Whether the room has changed since the last snapshot. */
  unsaved = true;
  /** Cells stepped since the last snapshot, the recent one included. */
  cells = 0;
  /** Bytes of journal since the last snapshot. */
  bytes = 0;
  /** Time of the last snapshot, ms. */
  savedAt = Number.NEGATIVE_INFINITY;
  /** Time of the last snapshot, the recent one included, ms. */
  capturedAt = Number.NEGATIVE_INFINITY;
  /** Ticks of snapshots that are being read, and must not be removed. */
  readonly readers = new Set<number>();
  /** By organism: where its cells were last stored. */
  saved = new Map<number, SavedCells>();
  /** Held while its snapshots are changed. */
  readonly saving = new Mutex();
  /** Whether the journal lacks entries, which only a snapshot can replace. */
  needsSnapshot = false;
  /** Whether entries before the next one could not be written. */
  gap = false;
  /** Of the last journal entry on disk. */
  stored: JournalTail;
  /** Latest first. */
  snapshots: SnapshotRecord[] = [];
  /** Counts of each day since the room was opened. */
  private readonly days = new Map<string, DayRecord>();

  /**
   * @param tail of the last journal entry, which may still be being written
   * @param at the server's wall clock, ms
   * @param times stored with snapshots; undefined: they are not known
   */
  constructor(
    readonly room: Room,
    public tail: JournalTail,
    public at: number,
    public day: DayRecord,
    readonly times: TickTimes | undefined,
  ) {
    this.sums = new TickSums(room.grid.planes);
    this.stored = tail;
  }

  /** The counts of today; set `at` before. */
  today(): DayRecord {
    const day = dayOf(this.at);
    // A clock that was set back returns to an earlier day.
    this.days.set(this.day.day, this.day);
    this.day = getOrAdd(this.days, day, () => emptyDay(day));
    return this.day;
  }

  /** The next entry of the journal; the caller moves the tail to it. Set `at` before. */
  entryOf({ tick, events, refused }: Omit<TickEvents, 'room'>, jump?: Jump): JournalRecord {
    this.today();
    const entry = {
      tick,
      seq: this.tail.seq + 1,
      at: this.at,
      events: [...events],
      ...(refused.length > 0 && { refused: [...refused] }),
      ...(this.gap && { gap: true as const }),
      ...(jump && { jump }),
    };
    this.gap = false;
    return entry;
  }

  /** Whether the latest snapshot is of the room as it is now. */
  get isSaved(): boolean {
    return !this.needsSnapshot && this.snapshots[0]?.tick === this.room.tick;
  }
}

/**
 * What is stored of a room that begins to run.
 *
 * @param tail the end of its stored journal
 * @param now.date the server's wall clock, ms
 * @throws StoreError
 */
export async function openWatched(
  store: Store,
  room: Room,
  tail: JournalTail,
  now: { readonly date: number; readonly times: TickTimes | undefined },
): Promise<WatchedRoom> {
  const { name } = room;
  const snapshots: SnapshotRecord[] = [];
  for (const tick of await store.snapshotTicks(name)) {
    // Unreadable snapshots are removed with the next cleanup.
    const snapshot = await store.snapshot(name, tick).catch(() => undefined);
    if (snapshot) snapshots.push(snapshot);
  }
  const today = dayOf(now.date);
  const day = (await store.day(name, today)) ?? emptyDay(today);
  const watched = new WatchedRoom(room, tail, now.date, day, now.times);
  watched.snapshots = snapshots;
  return watched;
}
