/**
 * What the journal writer remembers about a running room between two writes. Start reading at
 * `WatchedRoom`.
 */
import { crc32 } from 'node:zlib';
import { chunkColumns, chunkCount, chunkRect, type Planes } from '../../shared/codec/chunks.ts';
import { Mutex } from '../platform/queues.ts';
import type { Room } from '../world/room.ts';
import { TickTimes } from '../world/tick-times.ts';
import type { TickEvents } from '../world/world.ts';
import type { JournalTail, Jump, PlaneChecksum, SnapshotRecord } from './record-schemas.ts';
import type { Store } from './store.ts';

/** Computes the CRC-32 of a room's planes (the colours and owners of all grid cells). */
export function checksumOf({ rgba, owner }: Planes): number {
  const owners = new Uint8Array(owner.buffer, owner.byteOffset, owner.byteLength);
  return crc32(owners, crc32(rgba));
}

/** `since`: first of several consecutive ticks. `sum`: CRC-32 of the checksums of these ticks. */
type EachTick = PlaneChecksum['each'];

const foldOf = (sums: readonly number[]): number =>
  crc32(new Uint8Array(Uint32Array.from(sums).buffer));

/**
 * Computes a checksum of the planes (colours and owners of all cells) after each tick. To save
 * time, keeps one checksum per row of chunks, and updates it only if a chunk in the row has
 * changed.
 */
export class TickSums {
  private readonly bands: number[] = [];
  private first = 0;
  /** One checksum per tick, beginning with tick `first`. */
  private sums: number[] = [];

  constructor(private readonly planes: Planes) {}

  /**
   * Computes the checksum of a tick and appends it.
   *
   * @param changed indices of the chunks to check. Must include all chunks that have changed.
   */
  ticked(tick: number, changed: readonly number[]): void {
    if (tick !== this.first + this.sums.length) this.restart(tick);
    const columns = chunkColumns(this.planes);
    const rows = chunkCount(this.planes) / columns;
    const stale = new Set(changed.map((chunk) => Math.floor(chunk / columns)));
    for (let row = 0; row < rows; row++) {
      if (stale.has(row) || this.bands[row] === undefined) this.bands[row] = this.sumOf(row);
    }
    const last = this.sums.at(-1);
    this.sums.push(last === undefined || stale.size > 0 ? foldOf(this.bands) : last);
  }

  /**
   * Compares the checksums in `sums` with a stored checksum that combines all ticks since `since`.
   *
   * @returns whether they match; undefined if `sums` lacks the tick `since`
   */
  proves({ since, sum }: EachTick): boolean | undefined {
    if (since < this.first || since >= this.first + this.sums.length) return undefined;
    return foldOf(this.sums.slice(since - this.first)) === sum;
  }

  /** Returns the combined checksum of all ticks added since the last call. */
  take(): EachTick {
    const each = { since: this.first, sum: foldOf(this.sums) };
    this.restart(this.first + this.sums.length);
    return each;
  }

  private restart(first: number): void {
    this.first = first;
    this.sums = [];
  }

  private sumOf(row: number): number {
    const { width, rgba, owner } = this.planes;
    const { y, height } = chunkRect(this.planes, row * chunkColumns(this.planes));
    const [from, to] = [y * width, (y + height) * width];
    const owners = owner.subarray(from, to);
    const bytes = new Uint8Array(owners.buffer, owners.byteOffset, owners.byteLength);
    return crc32(bytes, crc32(rgba.subarray(4 * from, 4 * to)));
  }
}

/** Describes where an organism's cells are stored. */
export interface SavedCells {
  readonly age: number;
  readonly tick: number;
  /** If the cells are stored as a difference from earlier cells (the base), tick of the base. */
  readonly base?: number | undefined;
  /**
   * Number of records stored so far as differences from the same base, including the record of
   * these cells. 0 if these cells are stored in full.
   */
  readonly differences: number;
}

export class WatchedRoom {
  /**
   * Checksums of the planes (colours and owners of all cells) to store with the next journal write.
   */
  marks: PlaneChecksum[] = [];
  /** Checksums of the latest ticks, which will be combined in the next checksum in `marks`. */
  readonly sums: TickSums;
  /** Whether the room has changed since a checksum was last added to `marks`. */
  unmarked = true;
  /** Whether the room has changed since the last stored snapshot. */
  unsaved = true;
  /** Number of cells stepped since the last stored or recent snapshot. */
  cells = 0;
  /** Bytes of journal written since the last stored snapshot. */
  bytes = 0;
  /** When the last stored snapshot was captured, in ms of the monotonic clock. */
  savedAt = Number.NEGATIVE_INFINITY;
  /** When the last stored or recent snapshot was captured, in ms of the monotonic clock. */
  capturedAt = Number.NEGATIVE_INFINITY;
  /** Ticks of snapshots that are being read, and that must not be removed meanwhile. */
  readonly readers = new Set<number>();
  /** Where each organism's cells were last stored, by organism id. */
  saved = new Map<number, SavedCells>();
  /** Locked while code changes the room's snapshots. */
  readonly saving = new Mutex();
  /**
   * Whether journal entries could not be stored. Without them, the room's present state can be
   * restored only from a new snapshot.
   */
  needsSnapshot = false;
  /**
   * Whether to retry a failed snapshot after the room's next tick. It is not retried immediately,
   * because the room may be in the middle of a tick, when its state is inconsistent.
   */
  isRetryDue = false;
  /** Whether the next journal entry must record that earlier entries could not be written. */
  gap = false;
  /** End of the journal on disk. */
  stored: JournalTail;

  constructor(
    readonly room: Room,
    /** End of the journal, including entries that are still being written. */
    public tail: JournalTail,
    /** Wall-clock times of ticks, stored with snapshots; undefined if unknown. */
    readonly times: TickTimes | undefined,
    /** All readable snapshots, latest first. */
    public snapshots: readonly SnapshotRecord[],
  ) {
    this.sums = new TickSums(room.grid.planes);
    this.stored = tail;
  }

  /**
   * Builds the next journal entry. The caller must then set `tail` to this entry.
   *
   * @param at wall-clock time of the tick, in ms
   */
  entryOf(at: number, { tick, events, refused }: Omit<TickEvents, 'room'>, jump?: Jump) {
    const entry = {
      ...{ tick, seq: this.tail.seq + 1, at, events: [...events] },
      ...(refused.length > 0 && { refused: [...refused] }),
      ...(this.gap && { gap: true as const }),
      ...(jump && { jump }),
    };
    this.gap = false;
    return entry;
  }

  /**
   * Whether the room is completely stored: no journal entry is missing, and the latest snapshot is
   * of the current tick.
   */
  get isSaved(): boolean {
    return !this.needsSnapshot && this.snapshots[0]?.tick === this.room.tick;
  }
}

/**
 * Collects the known wall-clock times of a room's ticks, from the room's snapshots and from the
 * journal after the latest snapshot.
 *
 * @throws StoreError 'damaged' if a journal entry is damaged
 */
export async function storedTimes(store: Store, name: string): Promise<TickTimes> {
  const snapshots = await store.readableSnapshots(name);
  const latest = snapshots.findIndex(({ times }) => times !== undefined);
  const times = new TickTimes(snapshots[latest]?.times);
  const later = latest < 0 ? snapshots : snapshots.slice(0, latest + 1);
  for (const { tick, at } of later.toReversed()) times.add({ tick, at });
  const since = snapshots[0]?.tick ?? 0;
  for await (const { tick, at } of store.journal(name, since + 1)) times.add({ tick, at });
  return times;
}
