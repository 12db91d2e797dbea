/**
 * Handles reports of sensors in the hall: wakes organisms, and estimates how crowded the hall is.
 */
import type { HallPresence } from '../../../shared/host/api.ts';
import type { Room } from '../../world/room.ts';
import { Lasting } from './liveliness.ts';

/** How the reports of sensors in the hall are used. Times are in ms, lengths in cells. */
export const HALL = {
  /**
   * Side length of the square fields into which the room is divided, in cells. Only the latest
   * report for each field counts.
   */
  field: 32,
  /**
   * `lasts`: how long a report counts. `wakes`: after a report has woken organisms, minimum time
   * before another report for the same field can wake organisms. Times are in ms.
   */
  lasts: 5_000,
  wakes: 2_000,
  /** If the sensors send no report for this long, the hall no longer affects the liveliness. */
  silent: 600_000,
  /** Sum of the reported strengths at which the hall counts as full. */
  full: 4,
  /**
   * The room's liveliness is multiplied by `emptyShare` while the hall is empty, and by `fullShare`
   * while the hall is full.
   */
  ...{ emptyShare: 0.5, fullShare: 2 },
  /**
   * `on`: delay after which the hall counts as empty (or crowded), in ms. `off`: delay after which
   * the hall no longer counts as empty (or crowded), in ms.
   */
  empty: { on: 30_000, off: 0 },
  crowded: { on: 5_000, off: 15_000 },
} as const;

/** Determines how crowded a room's hall is, from the reports of the hall's sensors. */
export class Hall {
  /**
   * The latest report for each square field of the room, by the field's number. `at`: when the
   * report arrived. `woke`: when a report for the field last woke organisms. Times are in ms.
   */
  private readonly fields = new Map<number, { strength: number; at: number; woke: number }>();
  private readonly empty = new Lasting(false, HALL.empty);
  private readonly full = new Lasting(false, HALL.crowded);
  private heard = Number.NEGATIVE_INFINITY;

  /** @param wake wakes the organisms near a point. Coordinates and radius are in cells */
  constructor(
    private readonly room: Pick<Room, 'grid' | 'species'>,
    private readonly wake: (near: { x: number; y: number; radius: number }) => void,
  ) {}

  /**
   * Handles a sensor's report.
   *
   * @param now current time, in ms
   * @returns false if the report is ignored because its position is outside the room
   */
  sense({ x, y, strength }: HallPresence, now: number): boolean {
    const { grid, species } = this.room;
    if (x >= grid.width || y >= grid.height) return false;
    const field = Math.floor(x / HALL.field) + grid.width * Math.floor(y / HALL.field);
    const { woke = Number.NEGATIVE_INFINITY } = this.fields.get(field) ?? {};
    const radius = Math.round(strength * species.side);
    const wakes = radius > 0 && now - woke >= HALL.wakes;
    this.fields.set(field, { strength, at: now, woke: wakes ? now : woke });
    this.heard = now;
    if (wakes) this.wake({ x, y, radius });
    return true;
  }

  /**
   * Returns the factor for the liveliness: less than 1 while the hall is empty, more than 1 while
   * the hall is full. Call after each tick.
   *
   * @param now current time, in ms
   */
  crowding(now: number): number {
    let sum = 0;
    for (const [field, { strength, at }] of this.fields) {
      if (now - at > HALL.lasts) this.fields.delete(field);
      else sum += strength;
    }
    const isKnown = now - this.heard < HALL.silent;
    const [empty, full] = [
      this.empty.see(isKnown && sum === 0, now),
      this.full.see(isKnown && sum >= HALL.full, now),
    ];
    return empty ? HALL.emptyShare : full ? HALL.fullShare : 1;
  }
}
