/** Which events of a tick the journal keeps. */
import type { RoomEvent } from '../world/commands.ts';
import type { TickEvents } from '../world/world.ts';

/**
 * Leaves out refused commands, as they change nothing. In a tick without engine memory, they have
 * used ids and random numbers.
 */
export function withoutRefused(
  events: readonly RoomEvent[],
  refused: readonly number[],
): Pick<TickEvents, 'events' | 'refused'> {
  const isOutOfMemory = events.some(({ what }) => what === 'no-memory');
  if (refused.length === 0 || isOutOfMemory) return { events, refused };
  let index = 0;
  const kept = events.filter(({ what }) => what !== 'command' || !refused.includes(index++));
  return { events: kept, refused: [] };
}
