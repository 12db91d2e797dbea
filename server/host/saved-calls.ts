/** Handlers for damaged data that were set aside. */

import { DEFAULTS } from '../../shared/defaults.ts';
import { HostRefusal } from '../../shared/host/reasons.ts';
import type { SnapshotState } from '../../shared/host/state.ts';
import type { JournalWriter } from '../storage/journal-writer.ts';
import type { SnapshotRecord } from '../storage/record-schemas.ts';
import type { Room } from '../world/room.ts';
import { settled } from '../world/tick-times.ts';
import type { Handlers } from './api.ts';
import type { HostContext } from './host-context.ts';

/** The handlers of the calls about what was set aside. */
export function asideCalls({ storage, rooms }: HostContext) {
  const aside = storage?.aside;
  return {
    putBack: async (_, { aside: id }) => {
      const entry = aside?.entries.find((one) => one.id === id && isRoom(one));
      if (!aside || !entry?.room) throw new HostRefusal('not-aside');
      await rooms.exchange(entry.room, async () => {
        const replaced = await aside.exchange(id);
        return async () => {
          const failed = await aside.exchange(replaced.id);
          for (const one of [replaced, failed]) await aside.dismiss(one.id);
        };
      });
      await aside.dismiss(id);
      return {};
    },
    dismissAside: async (_, { aside: id }) => {
      if (!(await aside?.dismiss(id))) throw new HostRefusal('not-aside');
      return {};
    },
  } satisfies Partial<Handlers>;
}

const isRoom = ({ what }: { readonly what: string }): boolean =>
  what === 'room' || what === 'replaced';

/** A snapshot as the host's page shows it. */
export function snapshotStateOf({ tick, at, name, before, cells }: SnapshotRecord): SnapshotState {
  return { tick, at, name: name ?? null, before: before ?? null, organisms: cells.length };
}

/** The handlers of the snapshot calls. */
export function snapshotCalls(context: HostContext) {
  const { rooms } = context;
  return {
    snapshots: async (_, { room }) => {
      rooms.planOf(room);
      const all = await snapshotsOf(context, room);
      const now = { tick: all[0]?.tick ?? 0, at: context.date() };
      const times = settled(all.toReversed(), now).reverse();
      return all.map((one, i) => snapshotStateOf({ ...one, at: times[i].at }));
    },
    takeSnapshot: async ({ name }, parts) => {
      const { storage } = context;
      if (!storage) throw new HostRefusal('not-kept');
      const { room } = rooms.requireOpen(parts.room);
      const named = storage.journalWriter.snapshotsOf(room).filter((one) => one.name !== undefined);
      if (named.length >= DEFAULTS.store.maxNamed) throw new HostRefusal('too-many-snapshots');
      return takeSnapshot(context, storage, room, { name });
    },
    unnameSnapshot: async (_, parts) => {
      const { storage } = context;
      if (!storage) throw new HostRefusal('not-kept');
      const { room } = rooms.requireOpen(parts.room);
      const tick = Number(parts.tick);
      const snapshot = storage.journalWriter.snapshotsOf(room).find((one) => one.tick === tick);
      if (!snapshot) throw new HostRefusal('no-such-snapshot');
      await storage.journalWriter.renameSnapshot(room, tick, undefined);
      return {};
    },
  } satisfies Partial<Handlers>;
}

/** Takes a snapshot between two ticks. */
export async function takeSnapshot(
  { ticker }: HostContext,
  { journalWriter }: NonNullable<HostContext['storage']>,
  room: Room,
  label: Parameters<JournalWriter['takeSnapshot']>[1],
): Promise<SnapshotState> {
  await ticker.hold(room);
  const taken = journalWriter.takeSnapshot(room, label);
  ticker.resume(room);
  return snapshotStateOf(await taken);
}

/** A room's snapshots, latest first, without unreadable ones. */
export async function snapshotsOf(
  { rooms, storage }: HostContext,
  name: string,
): Promise<SnapshotRecord[]> {
  if (!storage) return [];
  const roomServer = rooms.roomServers.get(name);
  if (roomServer && rooms.summary(name).busy === null)
    return [...storage.journalWriter.snapshotsOf(roomServer.room)];
  return storage.store.readableSnapshots(name);
}
