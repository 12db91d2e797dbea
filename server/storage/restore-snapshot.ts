/** Restores a room's organisms and planes from a snapshot; participants, seeds and energy stay. */
import { HostRefusal } from '../../shared/host/reasons.ts';
import type { SnapshotRecord } from './record-schemas.ts';
import { StoreError } from './store-error.ts';
import type { UndoOptions } from './undo.ts';

/**
 * Restores a snapshot while the room runs.
 *
 * @param tick of the snapshot
 * @returns a snapshot of the room before
 * @throws HostRefusal no-such-snapshot; StoreError; EngineError
 */
export async function restoreSnapshot(
  { store, world, journalWriter, room, hold, resume }: UndoOptions,
  tick: number,
): Promise<SnapshotRecord> {
  if (!journalWriter.snapshotsOf(room).some((one) => one.tick === tick)) {
    throw new HostRefusal('no-such-snapshot');
  }
  const read = () => store.moment(room.name, tick);
  const { state, cells } = await journalWriter
    .whileReading(room, tick, read)
    .catch((error: unknown) => {
      if (error instanceof StoreError && error.reason === 'damaged') {
        throw new HostRefusal('no-such-snapshot', error.message);
      }
      throw error;
    });
  await hold();
  try {
    const backup = await journalWriter.takeSnapshot(room, { before: 'restore' });
    const { planes: _, organisms: _replaced, departed, lineage, ...present } = room.export();
    const { organisms, planes } = state;
    const living = new Set(organisms.map(({ id }) => id));
    // What lives again cannot be planted again, and has not died.
    const gone = departed?.filter(({ id }) => !living.has(id)) ?? [];
    const ended = lineage?.ended.filter(({ id }) => !living.has(id)) ?? [];
    const from = {
      ...present,
      ...(gone.length > 0 && { departed: gone }),
      ...(lineage && { lineage: { ...lineage, ended } }),
      ...{ tick: present.tick + 1, organisms, planes },
    };
    await world.replaceState(room, from, cells);
    await journalWriter.recordJump(room, { why: 'restore', tick });
    return backup;
  } finally {
    resume();
  }
}
