/** The size and the checkpoint of stored rooms, compared with what is asked for. */
import { HostRefusal } from '../../shared/host/reasons.ts';
import { isUnused } from '../storage/open-room.ts';
import type { PlanRecord, RoomRecord } from '../storage/record-schemas.ts';
import type { LiveRoomOptions } from './live-room.ts';

/** Whether settings were given, not left to their defaults. */
export interface ExplicitSettings {
  readonly size: boolean;
  readonly checkpoint: boolean;
}

type Stored = Pick<LiveRoomOptions, 'storage' | 'checkpoints'>;

/** The plan of a room as it is stored, unless the host has asked for something else. */
export async function storedPlan(
  plan: PlanRecord,
  { storage, checkpoints }: Stored,
  explicit?: ExplicitSettings,
): Promise<PlanRecord> {
  // A damaged record is noticed when the room opens.
  const stored = await storage?.store.room(plan.name).catch(() => undefined);
  if (!stored) return plan;
  const { width, height, checkpoint } = stored;
  const own = [...checkpoints.values()].find(({ hash }) => hash === checkpoint.hash);
  // Another release of the same checkpoint is not what the host has asked for.
  const isOther = explicit?.checkpoint && plan.checkpoint !== checkpoint.name;
  return {
    ...plan,
    ...(!explicit?.size && { width, height }),
    ...(own && !isOther && { checkpoint: own.species.checkpoint }),
  };
}

/** The parameters of a stored room; undefined if there is none, or only one that has never begun. */
export async function begunRoom(
  name: string,
  { storage }: Pick<Stored, 'storage'>,
): Promise<RoomRecord | undefined> {
  const stored = await storage?.store.room(name);
  return stored && !(await isUnused(storage!.store, name)) ? stored : undefined;
}

/**
 * Checks a room that the host asks for against the store and the checkpoints.
 *
 * @throws HostRefusal room-exists, no-such-checkpoint, other-checkpoint
 */
export async function requireCompatible(
  { name, width, height, checkpoint }: Omit<PlanRecord, 'made' | 'open'>,
  { storage, checkpoints }: Stored,
): Promise<void> {
  const loaded = checkpoints.get(checkpoint);
  if (!loaded) throw new HostRefusal('no-such-checkpoint');
  const stored = await begunRoom(name, { storage });
  // A stored room of the same name continues if it fits.
  if (stored && stored.checkpoint.hash !== loaded.hash) throw new HostRefusal('other-checkpoint');
  if (stored && (stored.width !== width || stored.height !== height)) {
    throw new HostRefusal('room-exists', `stored with ${stored.width}x${stored.height} cells`);
  }
}
