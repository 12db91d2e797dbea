/** Finds out the size and the checkpoint that a stored room continues with. */
import type { PlanRecord } from '../storage/record-schemas.ts';
import type { LiveRoomOptions } from './live-room.ts';

/** Whether settings were given, not left to their defaults. */
export interface ExplicitSettings {
  readonly size: boolean;
  readonly checkpoint: boolean;
}

/** The plan of a room as it is stored, unless the host has asked for something else. */
export async function storedPlan(
  plan: PlanRecord,
  { storage, checkpoints }: Pick<LiveRoomOptions, 'storage' | 'checkpoints'>,
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
