/**
 * Takes snapshots: reads a room's state between two ticks, and writes it while the room continues.
 */
import { setImmediate } from 'node:timers/promises';
import type { Engine } from '../engine/engine.ts';
import type { Clock } from '../platform/clock.ts';
import { Mutex } from '../platform/mutex.ts';
import type { Room } from '../world/room.ts';
import type { RoomState } from '../world/room-state.ts';
import { TickSums } from './plane-checksums.ts';
import type {
  DayRecord,
  JournalRecord,
  JournalTail,
  PlaneChecksum,
  SnapshotRecord,
} from './record-schemas.ts';
import { isStandalone, retainedSnapshots } from './snapshot-retention.ts';
import type { Store } from './store.ts';

/** Bytes of cells per transaction; the most that a tick's commit has to wait for. */
const CELL_BYTES_AT_ONCE = 1_000_000;

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
  /** Cells stepped since the last snapshot. */
  cells = 0;
  /** Bytes of journal since the last snapshot. */
  bytes = 0;
  /** Time of the last snapshot, ms. */
  savedAt = Number.NEGATIVE_INFINITY;
  /** Ticks of snapshots that are being read, and must not be removed. */
  readonly readers = new Set<number>();
  /** By organism: its age when its cells were last stored, and the tick of that snapshot. */
  saved = new Map<number, { readonly age: number; readonly tick: number }>();
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

  /**
   * @param tail of the last journal entry, which may still be being written
   * @param at wall clock of the last entry, ms
   */
  constructor(
    readonly room: Room,
    public tail: JournalTail,
    public at: number,
    public day: DayRecord,
  ) {
    this.sums = new TickSums(room.grid.planes);
    this.stored = tail;
  }
}

/** The content of a snapshot before it is written. Its cells may still be in the engine. */
export interface SnapshotDraft {
  readonly state: RoomState;
  /** Organisms whose cells are not stored yet. */
  readonly stale: RoomState['organisms'];
  /** [S, S, C] each, in the order of `stale`. */
  readonly exported: Promise<Float32Array[]>;
  /** Wall clock, ms. */
  readonly at: number;
  /** Bytes of journal since the previous snapshot. */
  readonly bytes: number;
  readonly seq: number;
}

/** How and with what a draft is written. */
export interface SnapshotWrite {
  /** Resolves when the journal up to the draft is on disk. */
  readonly written: () => Promise<unknown>;
  readonly marks: Pick<SnapshotRecord, 'name' | 'before' | 'jump'>;
  /** A journal entry to be written in the same transaction. */
  readonly entry: JournalRecord | undefined;
}

export interface SnapshotsOptions {
  readonly store: Store;
  readonly engine: Engine;
  readonly clock: Clock;
  /** Wall clock, ms. */
  readonly date: () => number;
}

/** Takes and writes snapshots, and removes old ones. */
export class Snapshots {
  constructor(private readonly options: SnapshotsOptions) {}

  /** Captures a room and its cells synchronously, so that no tick can come between. */
  draftOf(watched: WatchedRoom): SnapshotDraft {
    const { engine, date, clock } = this.options;
    const { room, saved, tail } = watched;
    const state = room.export();
    const stale = state.organisms.filter(({ id, age }) => saved.get(id)?.age !== age);
    const exported = engine.exportStates(stale.map(({ id }) => room.patchOf(id)!));
    // `write` awaits it later; without this, a failure before that would be unhandled.
    exported.catch(() => {});
    const at = Math.max(watched.at, date());
    watched.unsaved = false;
    watched.cells = 0;
    watched.savedAt = clock.now();
    const { bytes } = watched;
    watched.bytes = 0;
    return { state, stale, exported, at, bytes, seq: tail.seq };
  }

  /**
   * Writes a draft, and removes snapshots that are not retained.
   *
   * @throws StoreError; EngineError
   */
  async write(
    watched: WatchedRoom,
    draft: SnapshotDraft,
    { written, marks, entry }: SnapshotWrite,
  ): Promise<SnapshotRecord> {
    const { store, engine } = this.options;
    const { room, saved } = watched;
    const { state, stale, at, seq } = draft;
    const { tick } = state;
    let { bytes } = draft;
    const states = await draft.exported;
    for (let i = 0; i < stale.length; ) {
      const part: { id: number; state: Float32Array }[] = [];
      for (let size = 0; i < stale.length && size < CELL_BYTES_AT_ONCE; i++) {
        part.push({ id: stale[i].id, state: states[i] });
        size += states[i].byteLength;
      }
      bytes += await store.putCells(room.name, tick, part);
      // Lets ticks run between such transactions.
      await setImmediate();
    }
    for (const { id, age } of stale) saved.set(id, { age, tick });
    const cells = state.organisms.map(({ id }) => ({ id, tick: saved.get(id)!.tick }));
    // The stored tail must not refer to entries that are not on disk yet.
    await written();
    const { stored: before } = watched;
    watched.stored = { tick: Math.max(before.tick, tick), seq: Math.max(before.seq, seq) };
    const snapshot: SnapshotRecord = {
      tick,
      seq,
      at,
      engine: { name: engine.info.name, device: engine.info.device },
      cells,
      bytes,
      journal: draft.bytes,
      ...marks,
    };
    await store.putSnapshot(room.name, { snapshot, state, tail: watched.stored, entry });
    const living = new Set(state.organisms.map(({ id }) => id));
    for (const id of saved.keys()) if (!living.has(id)) saved.delete(id);
    const all = [snapshot, ...watched.snapshots.filter((old) => old.tick !== tick)];
    const wanted = new Set(retainedSnapshots(all));
    watched.snapshots = await this.inherit(
      room.name,
      all,
      (one) => wanted.has(one) || watched.readers.has(one.tick),
    );
    await store.removeOldSnapshots(room.name, watched.snapshots);
    return snapshot;
  }

  /**
   * Selects the snapshots that stay. The journal before a removed snapshot stays while an older one
   * does; its bytes are then counted with the next snapshot.
   *
   * @param all latest first
   */
  private async inherit(
    name: string,
    all: readonly SnapshotRecord[],
    stays: (one: SnapshotRecord) => boolean,
  ): Promise<SnapshotRecord[]> {
    const retained: SnapshotRecord[] = [];
    let orphaned = 0;
    let isNeeded = false;
    for (const one of [...all].reverse()) {
      if (!stays(one)) {
        if (isNeeded) orphaned += one.journal;
        continue;
      }
      let heir = one;
      if (!isStandalone(one)) {
        if (orphaned > 0) {
          heir = { ...one, bytes: one.bytes + orphaned, journal: one.journal + orphaned };
          await this.options.store.putSnapshotRecord(name, heir);
        }
        orphaned = 0;
        isNeeded = true;
      }
      retained.unshift(heir);
    }
    return retained;
  }
}
