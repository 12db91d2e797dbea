/** Calls about snapshots: listing, taking, naming. */
import { DEFAULTS } from '../../shared/defaults.ts';
import { HostRefusal } from '../../shared/host/reasons.ts';
import type { SnapshotState } from '../../shared/host/state.ts';
import type { SnapshotRecord } from '../store/schemas.ts';
import type { Handlers } from './api.ts';
import type { Desk } from './desk.ts';

type Names = 'snapshots' | 'takeSnapshot' | 'unnameSnapshot';

export function snapshotStateOf({ tick, at, name, before, cells }: SnapshotRecord): SnapshotState {
  return { tick, at, name: name ?? null, before: before ?? null, organisms: cells.length };
}

export function snapshotCalls(desk: Desk): Pick<Handlers, Names> {
  const { rooms, ticker } = desk;
  return {
    snapshots: async (_, { room }) => {
      rooms.plan(room);
      return (await snapshotsOf(desk, room)).map(snapshotStateOf);
    },
    takeSnapshot: async ({ name }, parts) => {
      const { kept } = desk;
      if (!kept) throw new HostRefusal('not-kept');
      const { room } = rooms.live(parts.room);
      const named = kept.chronicle.snapshotsOf(room).filter((one) => one.name !== undefined);
      if (named.length >= DEFAULTS.store.maxNamed) throw new HostRefusal('too-many-snapshots');
      await ticker.hold(room);
      const taken = kept.chronicle.take(room, { name });
      ticker.resume(room);
      return snapshotStateOf(await taken);
    },
    unnameSnapshot: async (_, parts) => {
      const { kept } = desk;
      if (!kept) throw new HostRefusal('not-kept');
      const { room } = rooms.live(parts.room);
      const tick = Number(parts.tick);
      const snapshot = kept.chronicle.snapshotsOf(room).find((one) => one.tick === tick);
      if (!snapshot) throw new HostRefusal('no-such-snapshot');
      await kept.chronicle.remark(room, tick, undefined);
      return {};
    },
  };
}

/** The latest first; those that cannot be read are left out. */
export async function snapshotsOf({ rooms, kept }: Desk, name: string): Promise<SnapshotRecord[]> {
  if (!kept) return [];
  const lobby = rooms.lobbies.get(name);
  if (lobby && rooms.summary(name).busy === null)
    return [...kept.chronicle.snapshotsOf(lobby.room)];
  const snapshots: SnapshotRecord[] = [];
  for (const tick of await kept.store.snapshotTicks(name)) {
    const snapshot = await kept.store.snapshot(name, tick).catch(() => undefined);
    if (snapshot) snapshots.push(snapshot);
  }
  return snapshots;
}
