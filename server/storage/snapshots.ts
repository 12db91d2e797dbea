/** A room as it is at one moment, taken while it stands still and kept while it goes on. */

import type { Engine } from '../engine/engine.ts';
import type { Clock } from '../platform/clock.ts';
import type { Mutex } from '../platform/mutex.ts';
import type { Room } from '../world/room.ts';
import type { RoomState } from '../world/room-state.ts';
import type { TickSums } from './plane-checksums.ts';
import type {
  DayRecord,
  JournalRecord,
  JournalTail,
  PlaneChecksum,
  SnapshotRecord,
} from './record-schemas.ts';
import { isSetAside, retainedSnapshots } from './snapshot-retention.ts';
import type { Store } from './store.ts';

/** Cells written in one transaction: a tick that wants to commit waits no longer than for one of them. */
const CELLS_AT_ONCE = 1_000_000;
/** Between such parts the ticks have their turn. */
const breath = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A room, and what is known of how it is kept. */
export interface WatchedRoom {
  readonly room: Room;
  /** Of the last entry, written or on its way; and what the store has. */
  tail: JournalTail;
  stored: JournalTail;
  /** Wall clock of the last entry. */
  at: number;
  day: DayRecord;
  marks: PlaneChecksum[];
  /** Of the ticks since the last mark. */
  readonly sums: TickSums;
  /** Something has changed since the last mark; since the last snapshot. */
  unmarked: boolean;
  unsaved: boolean;
  /** Since the last snapshot: cells stepped, bytes of journal, and when that was. */
  cells: number;
  bytes: number;
  savedAt: number;
  /** The latest first. */
  snapshots: SnapshotRecord[];
  /** Ticks of snapshots that somebody reads: they stay until she has. */
  readonly readers: Set<number>;
  /** Which cells are kept already: the organism's age then, and the snapshot's tick. */
  saved: Map<number, { readonly age: number; readonly tick: number }>;
  /** Held while something is done to its snapshots. */
  readonly saving: Mutex;
  /** The journal lacks something; only a snapshot makes good for it. */
  needsSnapshot: boolean;
  /** The next entry comes after some that could not be written. */
  gap: boolean;
}

/** What a snapshot will have: the room, and those of its cells that are not kept yet, on their way from the engine. */
export interface SnapshotDraft {
  readonly state: RoomState;
  readonly stale: RoomState['organisms'];
  /** [S, S, C] each, in the order of `stale`. */
  readonly exported: Promise<Float32Array[]>;
  /** Wall clock. */
  readonly at: number;
  /** Of journal since the snapshot before. */
  readonly bytes: number;
  readonly seq: number;
}

export interface SnapshotsOptions {
  readonly store: Store;
  readonly engine: Engine;
  readonly clock: Clock;
  /** Wall clock, ms. */
  readonly date: () => number;
}

export class Snapshots {
  constructor(private readonly options: SnapshotsOptions) {}

  /** The room and its cells at one moment: all of it happens before anything else can. */
  draftOf(watched: WatchedRoom): SnapshotDraft {
    const { engine, date, clock } = this.options;
    const { room, saved, tail } = watched;
    const state = room.export();
    const stale = state.organisms.filter(({ id, age }) => saved.get(id)?.age !== age);
    const exported = engine.exportStates(stale.map(({ id }) => room.patchOf(id)!));
    // Whoever awaits it later must not be too late to hear of its failure.
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
   * @param written resolves when the journal of that moment is on the disk
   * @param marks what is special about it
   * @param entry of the journal, that goes with it
   * @throws StoreError; EngineError
   */
  async write(
    watched: WatchedRoom,
    moment: SnapshotDraft,
    written: () => Promise<unknown>,
    marks: Pick<SnapshotRecord, 'name' | 'before' | 'jump'>,
    entry?: JournalRecord,
  ): Promise<SnapshotRecord> {
    const { store, engine } = this.options;
    const { room, saved } = watched;
    const { state, stale, at, seq } = moment;
    const { tick } = state;
    let { bytes } = moment;
    const states = await moment.exported;
    for (let i = 0; i < stale.length; ) {
      const part: { id: number; state: Float32Array }[] = [];
      for (let size = 0; i < stale.length && size < CELLS_AT_ONCE; i++) {
        part.push({ id: stale[i].id, state: states[i] });
        size += states[i].byteLength;
      }
      bytes += await store.putCells(room.name, tick, part);
      await breath();
    }
    for (const { id, age } of stale) saved.set(id, { age, tick });
    const cells = state.organisms.map(({ id }) => ({ id, tick: saved.get(id)!.tick }));
    // The tail that goes with it must not promise what is still on its way.
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
      journal: moment.bytes,
      ...marks,
    };
    await store.putSnapshot(room.name, snapshot, state, watched.stored, entry);
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
   * Those that stay. The journal before one that goes stays as long as any from before it does: the next one answers for its bytes.
   *
   * @param all the latest first
   */
  private async inherit(
    name: string,
    all: readonly SnapshotRecord[],
    stays: (one: SnapshotRecord) => boolean,
  ): Promise<SnapshotRecord[]> {
    const kept: SnapshotRecord[] = [];
    let orphaned = 0;
    let isNeeded = false;
    for (const one of [...all].reverse()) {
      if (!stays(one)) {
        if (isNeeded) orphaned += one.journal;
        continue;
      }
      let heir = one;
      if (!isSetAside(one)) {
        if (orphaned > 0) {
          heir = { ...one, bytes: one.bytes + orphaned, journal: one.journal + orphaned };
          await this.options.store.putSnapshotRecord(name, heir);
        }
        orphaned = 0;
        isNeeded = true;
      }
      kept.unshift(heir);
    }
    return kept;
  }
}
