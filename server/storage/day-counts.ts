/** Counts a room's commands by day. */
import type { RoomCommand } from '../world/commands.ts';
import type { TickEvents } from '../world/world.ts';
import type { DayRecord } from './record-schemas.ts';

/** Commands of the host and the gardener, and the one that only keeps an organism. */
const UNCOUNTED = ['remove', 'clear', 'depart', 'thin', 'renew'] as const;

type What = RoomCommand['what'];
type Counted = Exclude<What, (typeof UNCOUNTED)[number]>;

const isCounted = (what: What): what is Counted => !UNCOUNTED.some((other) => other === what);

/** The UTC day of a time in ms: 2026-11-25. */
export const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

/** A day without commands. */
export function emptyDay(day: string): DayRecord {
  return { day, plant: 0, damage: 0, cross: 0, hold: 0, refused: 0, left: 0 };
}

/** Adds the events of a tick. @param refused indices of refused commands */
export function count(
  day: DayRecord,
  events: TickEvents['events'],
  refused: readonly number[],
): void {
  day.refused += refused.length;
  for (const event of events) {
    if (event.what === 'command') {
      const { what } = event.command;
      if (isCounted(what)) day[what]++;
    } else if (event.what === 'leave') day.left++;
  }
}
