/**
 * Controls the liveliness of a room: the maximum share of organisms that may express a relative at
 * the same time. To express a relative is to look like a similar creature for a moment. The share
 * is smaller while the room is slow or the hall is empty, larger while the hall is full, and 0
 * while nobody is watching. Each change of the share is written to the journal, so brief changes of
 * these conditions are ignored.
 */
import type { HallPresence } from '../../../shared/host/api.ts';
import type { Room } from '../../world/room.ts';

/**
 * How conditions change the liveliness (the share of organisms that may look like a similar
 * creature for a moment, at the same time). Times are in ms.
 */
export const LIVELINESS = {
  /** Factor applied to the host's share while the room is slow. */
  slowShare: 0.5,
  /**
   * `slowAfter`: the share is reduced when the room has been slow for this long. `quickAfter`: the
   * share is restored when the room has not been slow for this long.
   */
  slowAfter: 5_000,
  quickAfter: 30_000,
  /** When nobody has watched the room for this long, the liveliness becomes 0. */
  unwatchedAfter: 10_000,
} as const;

export class Liveliness {
  // After a restart, count the room as watched at first, so that its visitors have time to
  // reconnect.
  private readonly watched = new Lasting(this.room.rules.liveliness > 0, {
    on: 0,
    off: LIVELINESS.unwatchedAfter,
  });
  private readonly slow = new Lasting(false, {
    on: LIVELINESS.slowAfter,
    off: LIVELINESS.quickAfter,
  });

  constructor(private readonly room: Room) {}

  /**
   * Updates the liveliness of the room: the share of organisms that may look like a similar
   * creature for a moment, at the same time. Call after each tick.
   *
   * @param setting the host's share, multiplied by the result of `Hall.crowding`
   * @param now current time, in ms
   */
  update(setting: number, isWatched: boolean, isSlow: boolean, now: number): void {
    if (!this.room.species.relatives) return;
    const watched = this.watched.see(isWatched, now);
    const slow = this.slow.see(isSlow, now);
    const share = watched ? Math.min(1, setting * (slow ? LIVELINESS.slowShare : 1)) : 0;
    if (share !== this.room.rules.liveliness) this.room.change({ what: 'liveliness', share });
  }
}

/** How the reports of sensors in the hall are used. Times are in ms, lengths in cells. */
export const HALL = {
  /**
   * The room is divided into square fields with this side. For each field, only the latest report
   * counts.
   */
  field: 32,
  /**
   * `lasts`: how long a report counts. `wakes`: a report wakes the creatures near its position,
   * unless another report for the same field has done so within this time.
   */
  lasts: 5_000,
  wakes: 2_000,
  /**
   * After the sensors have sent no report for this long, the hall no longer affects the liveliness
   * (the share of organisms that may look like a similar creature for a moment).
   */
  silent: 600_000,
  /** Sum of the reported strengths at which the hall counts as full. */
  full: 4,
  /**
   * Factors for the liveliness: it is multiplied by `emptyShare` while the hall is empty, and by
   * `fullShare` while the hall is full.
   */
  ...{ emptyShare: 0.5, fullShare: 2 },
  /**
   * The hall counts as empty, or as crowded, when it has been so for the time `on`. It no longer
   * counts as such when it has not been so for the time `off`.
   */
  empty: { on: 30_000, off: 0 },
  crowded: { on: 5_000, off: 15_000 },
} as const;

/** Determines how crowded the hall is in which a room is shown, from the reports of sensors. */
export class Hall {
  /**
   * The latest report for each square field of the room (see `HALL.field`), by the field's number.
   * `strength` is the strength reported. `at` is when the report arrived, and `woke` is when a
   * report for the field last woke creatures, in ms.
   */
  private readonly fields = new Map<number, { strength: number; at: number; woke: number }>();
  private readonly empty = new Lasting(false, HALL.empty);
  private readonly full = new Lasting(false, HALL.crowded);
  private heard = Number.NEGATIVE_INFINITY;

  /** @param wake wakes the creatures near a point. The point and the radius are in cells */
  constructor(
    private readonly room: Pick<Room, 'grid' | 'species'>,
    private readonly wake: (near: { x: number; y: number; radius: number }) => void,
  ) {}

  /**
   * Handles the report of a sensor.
   *
   * @param now current time, in ms
   * @returns false if the reported position is outside the room. In this case, the report is
   *   ignored
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
   * Returns the factor for the liveliness: it is larger if the hall is crowded, and smaller if the
   * hall is empty. Call after each tick.
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

/**
 * A boolean value that follows a condition with a delay: the value changes only when the condition
 * has differed from it for a while.
 */
class Lasting {
  private since: number | undefined;

  /**
   * @param after `on`: how long the condition must be true before the value becomes true. `off`:
   *   how long the condition must be false before the value becomes false. In ms
   */
  constructor(
    private value: boolean,
    private readonly after: { readonly on: number; readonly off: number },
  ) {}

  see(is: boolean, now: number): boolean {
    if (is === this.value) this.since = undefined;
    else if (now - (this.since ??= now) >= (is ? this.after.on : this.after.off)) {
      this.value = is;
      this.since = undefined;
    }
    return this.value;
  }
}
