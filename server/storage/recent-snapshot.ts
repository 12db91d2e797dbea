/**
 * The recent snapshot of a busy room, so that a server that crashed need not replay the journal
 * since the last one on the disk. The disk is not waited for, and mostly not even written to.
 */
import * as v from 'valibot';
import { type RoomState, roomState } from '../world/room-state.ts';
import { recentKey } from './record-access.ts';
import { decodeRecord, encodeRecord } from './record-codec.ts';
import { type SnapshotRecord, snapshotRecord } from './record-schemas.ts';
import type { Store, StoredMoment } from './store.ts';

const recentRecord = v.strictObject({ snapshot: snapshotRecord, state: roomState });

export interface RecentSnapshot {
  /** Cells of its own tick are in `cells`, those of others are stored. */
  readonly snapshot: SnapshotRecord;
  readonly state: RoomState;
  /** In the order of the snapshot's cells. */
  readonly cells: readonly Float32Array[];
}

/** Keeps a room's recent snapshot, instead of an earlier one. @throws StoreError */
export async function putRecent(
  { records }: Store,
  room: string,
  { snapshot, state, cells }: RecentSnapshot,
): Promise<void> {
  const key = recentKey(room);
  const parts = cells.map((one) => new Uint8Array(one.buffer, one.byteOffset, one.byteLength));
  await records.putUnsynced(key, [encodeRecord(key, { snapshot, state }), ...parts]);
}

/** A room's recent snapshot; undefined: there is none that can be used. */
export async function readRecent(store: Store, room: string): Promise<StoredMoment | undefined> {
  const key = recentKey(room);
  try {
    const [head, ...parts] = (await store.records.getUnsynced(key)) ?? [];
    if (!head) return undefined;
    const { snapshot, state } = v.parse(recentRecord, decodeRecord(key, head));
    const cells: Float32Array[] = [];
    for (const { id, tick } of snapshot.cells) {
      const part = tick === snapshot.tick ? parts.shift() : undefined;
      cells.push(part ? new Float32Array(part.buffer) : await store.cells(room, id, tick));
    }
    // The room's owner may have replaced it while it was read in pieces.
    const [same] = (await store.records.getUnsynced(key)) ?? [];
    return same && Buffer.compare(head, same) === 0 ? { snapshot, state, cells } : undefined;
  } catch {
    // Earlier snapshots serve as well.
    return undefined;
  }
}
