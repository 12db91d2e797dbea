/**
 * Takes snapshots of rooms: captures a room's state between two ticks, and writes the captured
 * state while the room continues. Start reading at `Snapshots.write`.
 */

import { setImmediate } from 'node:timers/promises';
import { MOST_UNDO } from '../../shared/limits.ts';
import type { Engine } from '../engine/engine.ts';
import type { Clock } from '../platform/clock.ts';
import { defined } from '../platform/collections.ts';
import { freeBuffers } from '../platform/worker-rpc.ts';
import type { RoomState } from '../world/room-state.ts';
import {
  isStandalone,
  type JournalRecord,
  type JournalTail,
  type SnapshotRecord,
} from './record-schemas.ts';
import type { Store } from './store.ts';
import type { SavedCells, WatchedRoom } from './watched-room.ts';

export const SNAPSHOTS = {
  /**
   * A recent snapshot (not synced to disk) is due when this many of the room's cells were stepped
   * since the last snapshot.
   */
  snapshotCells: 3_500_000,
  /**
   * Interval between two stored snapshots of a changing room, as a multiple of the server's setting
   * `snapshot` (the minimum interval of recent snapshots).
   */
  snapshotStored: 6,
  /** Interval between two stored snapshots of a room that does not change, in ms. */
  snapshotIdle: 3_600_000,
  keepLatest: 3,
  /**
   * One snapshot is kept for each of this many recent minutes, hours and days. An undo replays from
   * a snapshot kept for a minute, so `keepMinutes` must cover the longest possible undo.
   */
  keepMinutes: MOST_UNDO / 60 + 2,
  keepHours: 6,
  keepDays: 7,
  /** Maximum number of kept snapshots that were taken before the host's undo, restore or reseed. */
  keepBefore: 6,
  maxNamed: 24,
  /**
   * Maximum size of a room's snapshots and journal, in bytes. Above this size, the oldest snapshots
   * are deleted.
   */
  maxBytes: 1_073_741_824,
} as const;

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * Chooses the snapshots to keep: the latest few, one for each recent minute, hour and day, the last
 * few taken before an action of the host, and all that have a name. If an undo or a restore
 * replaced the room's state (`jump`), keeps the snapshot of the new state while replays from older
 * snapshots need it.
 *
 * @param snapshots latest first
 * @returns the snapshots to keep, latest first
 */
export function retainedSnapshots(
  snapshots: readonly SnapshotRecord[],
  limits: Readonly<
    Record<'keepLatest' | 'keepMinutes' | 'keepHours' | 'keepDays' | 'keepBefore', number>
  > & { readonly maxBytes: number } = SNAPSHOTS,
): SnapshotRecord[] {
  const { keepLatest, keepMinutes, keepHours, keepDays, keepBefore, maxBytes } = limits;
  const all = snapshots.filter((one) => !isStandalone(one));
  const wanted = new Set([
    ...all.slice(0, keepLatest),
    // Keep the first snapshot of each minute, from which all commands of the minute can be undone.
    ...runsOf(all, MINUTE, keepMinutes).map((run) => run.at(-1)!),
    ...runsOf(all, HOUR, keepHours).map(([last]) => last),
    ...runsOf(all, DAY, keepDays).map(([last]) => last),
  ]);
  let bytes = 0;
  const periodic = all
    .filter((one) => wanted.has(one))
    .filter((one, i) => {
      bytes += one.bytes;
      return i < keepLatest || bytes <= maxBytes;
    });
  const first = periodic.at(-1)?.tick ?? Infinity;
  const beforeActions = snapshots.filter(({ name, before }) => before && name === undefined);
  const kept = new Set([...periodic, ...beforeActions.slice(0, keepBefore)]);
  return snapshots.filter((one) => {
    return kept.has(one) || one.name !== undefined || (one.jump && one.tick > first);
  });
}

/**
 * Groups successive snapshots of the same minute, hour or day. Returns the latest groups, however
 * old they are: ages are unreliable, because the wall clock may have been wrong.
 *
 * @param span length of a minute, hour or day, in ms
 * @param most maximum number of groups
 * @returns the groups, latest first; each group lists its latest snapshot first
 */
function runsOf(snapshots: readonly SnapshotRecord[], span: number, most: number) {
  const runs: SnapshotRecord[][] = [];
  for (const one of snapshots) {
    const run = runs.at(-1);
    if (run && Math.floor(run[0].at / span) === Math.floor(one.at / span)) run.push(one);
    else runs.push([one]);
  }
  return runs.slice(0, most);
}

/**
 * Approximate size of the cells to write in one transaction, in bytes before compression. Small,
 * because journal entries may have to wait for the transaction.
 */
const CELL_BYTES_AT_ONCE = 2_000_000;

/**
 * Maximum number of records that are stored as differences from the same base record. If the base
 * is damaged, all these records are lost.
 */
const MAX_DIFFERENCES = 15;

/** A room's state, captured at one moment. The engine may still be exporting the cells. */
type Draft = ReturnType<Snapshots['capture']>;

/**
 * Properties that only some snapshots have. A second snapshot of the same tick inherits these
 * properties from the first.
 */
export type SnapshotMarks = Pick<SnapshotRecord, 'name' | 'before' | 'jump'>;

export interface SnapshotsOptions {
  readonly store: Store;
  readonly engine: Engine;
  readonly clock: Clock;
  /** Returns the wall-clock time, in ms. */
  readonly date: () => number;
  /** Minimum time between two snapshots of a busy room, stored or recent, in ms. */
  readonly snapshotLeast: number;
  /** A room is busy if this many of its cells were stepped since the last snapshot. */
  readonly snapshotCells?: number;
  /**
   * Maximum size of a room's snapshots and journal, in bytes. Above this size, the oldest snapshots
   * are deleted.
   */
  readonly maxBytes?: number | undefined;
}

export class Snapshots {
  /** @param journalWritten waits until all recorded journal entries are on disk */
  constructor(
    private readonly options: SnapshotsOptions,
    private readonly journalWritten: () => Promise<unknown>,
  ) {}

  /** Returns the kind of snapshot that a room needs now; undefined if it needs none. */
  due(watched: WatchedRoom): 'stored' | 'recent' | undefined {
    const { clock, snapshotLeast: least } = this.options;
    const { snapshotCells = SNAPSHOTS.snapshotCells } = this.options;
    const now = clock.now();
    const interval = watched.unsaved ? least * SNAPSHOTS.snapshotStored : SNAPSHOTS.snapshotIdle;
    if (now - watched.savedAt >= interval) return 'stored';
    const isBusy = watched.cells >= snapshotCells;
    return isBusy && now - watched.capturedAt >= least ? 'recent' : undefined;
  }

  /**
   * Captures the state and cells of a room. Synchronous, so that no tick can run meanwhile.
   *
   * @returns `state`: the room's state; `stale`: the organisms whose cells have changed since they
   *   were last stored; `exported`: resolves to the cells of these organisms, each [stage, stage,
   *   C]; `bytes`: size of the journal since the previous snapshot
   */
  capture(watched: WatchedRoom) {
    const { engine, date, clock } = this.options;
    const { room, saved, tail, times, bytes } = watched;
    const state = room.export();
    const stale = state.organisms.filter(({ id, age }) => saved.get(id)?.age !== age);
    const exported = engine.exportStates(stale.map(({ id }) => room.patchOf(id)!));
    // Prevent an unhandled rejection if the export fails before the caller awaits `exported`.
    exported.catch(() => {});
    watched.cells = 0;
    watched.capturedAt = clock.now();
    return { state, stale, exported, at: date(), seq: tail.seq, times: times?.known, bytes };
  }

  /**
   * Stores a captured state as the room's recent snapshot, which is not synced to disk. The caller
   * must not write another snapshot of the room at the same time.
   *
   * @throws StoreError; EngineError
   */
  async writeRecent(watched: WatchedRoom, draft: Draft): Promise<void> {
    const { store } = this.options;
    const { room, saved } = watched;
    const { state, stale, at, seq } = draft;
    const { tick } = state;
    const fresh = new Set(stale.map(({ id }) => id));
    const cells = state.organisms.map(({ id }) =>
      fresh.has(id) ? { id, tick } : refOf(id, saved.get(id)!),
    );
    const states = await draft.exported;
    await this.journalWritten();
    await store.commit({ room: room.name, tail: storedTail(watched, { tick, seq }) });
    const snapshot = { tick, seq, at, engine: this.engine, cells, bytes: 0, journal: 0 };
    await store.putRecent(room.name, { snapshot, state, cells: states });
  }

  /**
   * Writes a captured state as a stored snapshot. Then removes the snapshots that are no longer
   * needed.
   *
   * @param entry a journal entry to write in the same transaction as the snapshot
   * @throws StoreError; EngineError
   */
  async write(watched: WatchedRoom, draft: Draft, marks: SnapshotMarks, entry?: JournalRecord) {
    const { store } = this.options;
    const { room, saved } = watched;
    const { state, stale, at, seq, times } = draft;
    const { tick } = state;
    let { bytes } = draft;
    const states = await draft.exported;
    for (let i = 0; i < stale.length; ) {
      const begin = i;
      for (let size = 0; i < stale.length && size < CELL_BYTES_AT_ONCE; i++) {
        size += states[i].byteLength;
      }
      const part = states.slice(begin, i);
      bytes += await this.putCells(watched, tick, stale.slice(begin, i), part);
      freeBuffers(part);
      // Let ticks run between transactions.
      await setImmediate();
    }
    const cells = state.organisms.map(({ id }) => refOf(id, saved.get(id)!));
    bytes += await store.putState(room.name, state);
    // Wait until the journal entries are on disk. Otherwise, the journal's stored end (`tail`)
    // could refer to an entry that is not on disk.
    await this.journalWritten();
    const tail = storedTail(watched, { tick, seq });
    const { engine } = this;
    // If a snapshot of this tick already exists, keep its name and the other properties of
    // `SnapshotMarks`.
    const old = watched.snapshots.find((one) => one.tick === tick);
    const snapshot = {
      ...{ tick, seq, at, engine, cells, bytes },
      ...{ journal: draft.bytes, ...marksOf(old), ...marks, ...(times && { times }) },
    };
    await store.commit({ room: room.name, snapshot, tail, entry });
    await store.removeRecent(room.name);
    const living = new Set(state.organisms.map(({ id }) => id));
    for (const id of saved.keys()) if (!living.has(id)) saved.delete(id);
    const all = [snapshot, ...watched.snapshots.filter((other) => other !== old)];
    const { maxBytes = SNAPSHOTS.maxBytes } = this.options;
    const wanted = new Set(retainedSnapshots(all, { ...SNAPSHOTS, maxBytes }));
    watched.snapshots = await this.inherit(
      room.name,
      all,
      (one) => wanted.has(one) || watched.readers.has(one.tick),
    );
    await store.removeOldSnapshots(room.name, watched.snapshots);
    return snapshot;
  }

  /** Stores the cells of some organisms. @returns number of bytes written */
  private async putCells(
    { room: { name }, saved }: WatchedRoom,
    tick: number,
    organisms: RoomState['organisms'],
    states: readonly Float32Array[],
  ): Promise<number> {
    const { store } = this.options;
    const cells = await Promise.all(
      organisms.map(async ({ id }, i) => {
        const at = baseFor(saved.get(id), tick);
        // If the base cannot be read, store the cells in full.
        const read =
          at === undefined ? undefined : store.cells(name, id, at).catch(() => undefined);
        const state = await read;
        return { id, state: states[i], base: state && { tick: at!, state } };
      }),
    );
    const { bytes, bases } = await store.putCells(name, tick, cells);
    freeBuffers(cells.map(({ base }) => base?.state));
    for (const [i, { id, age }] of organisms.entries()) {
      const base = bases[i];
      const differences = base === undefined ? 0 : saved.get(id)!.differences + 1;
      saved.set(id, { age, tick, base, differences });
    }
    return bytes;
  }

  private get engine(): SnapshotRecord['engine'] {
    const { name, device } = this.options.engine.info;
    return { name, device };
  }

  /**
   * Selects the snapshots to keep. The journal before a removed snapshot stays on disk if a replay
   * from an older snapshot needs it. To let this journal count towards `maxBytes`, adds its size to
   * `bytes` and `journal` of the next newer kept snapshot from which a replay can start.
   *
   * @param all all snapshots, latest first
   * @param stays returns whether to keep a snapshot
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

const marksOf = ({ name, before, jump }: SnapshotMarks = {}): SnapshotMarks =>
  defined({ name, before, jump });

/**
 * Updates `watched.stored`, the end of the room's journal on disk. The end never moves back. The
 * caller must write the result to the store immediately.
 */
function storedTail(watched: WatchedRoom, { tick, seq }: JournalTail): JournalTail {
  const { stored } = watched;
  watched.stored = { tick: Math.max(stored.tick, tick), seq: Math.max(stored.seq, seq) };
  return watched.stored;
}

/**
 * Chooses earlier cells (the base) from which an organism's cells at `tick` can be stored as a
 * difference.
 *
 * @returns the tick of the base; undefined if the cells must be stored in full
 */
function baseFor(old: SavedCells | undefined, tick: number): number | undefined {
  if (!old || old.differences >= MAX_DIFFERENCES) return undefined;
  const base = old.base ?? old.tick;
  // If the base belongs to an earlier snapshot of the same tick, the new cells overwrite the base,
  // so they must not depend on it.
  return base < tick ? base : undefined;
}

const refOf = (id: number, { tick, base }: SavedCells): SnapshotRecord['cells'][number] =>
  defined({ id, tick, base });
