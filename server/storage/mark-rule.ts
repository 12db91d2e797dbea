/** When the checksum of a room's planes is due, which also bounds what may be shown but not stored. */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { RoomTick } from '../world/world.ts';

const { markTicks, idleMarkTicks } = DEFAULTS.store;

/** Whether a tick has changed the room, or answered somebody. */
export function isEventful({ result, cells }: RoomTick): boolean {
  const { changed, life, answers } = result;
  return cells + changed.length + life.length + answers.length > 0;
}

/**
 * Whether the checksum is due after a tick. It is stored before the next tick is shown.
 *
 * @param isChanged whether a tick since the last checksum was eventful
 */
export const isMarkDue = (tick: number, isChanged: boolean): boolean =>
  tick % (isChanged ? markTicks : idleMarkTicks) === 0;
