/**
 * Controls the liveliness of a room: the share of organisms that may express a relative (look like
 * a similar creature for a moment) at the same time. The share is smaller while the room is slow or
 * the hall is empty, larger while the hall is full, and 0 while nobody is watching. Because each
 * change is journalled, brief changes of these conditions are ignored.
 */
import type { HallPresence } from '../../../shared/host/api.ts';
import type { Room } from '../../world/room.ts';

/**
 * How conditions change the share of organisms that may express a relative (look like a similar
 * creature for a moment) at the same time; times are in ms.
 */
export const LIVELINESS = {
  /** Factor applied to the host's share while the room is slow. */
  slowShare: 0.5,
  /**
   * `slowAfter`: how long the room must be slow before the share is reduced. `quickAfter`: how long
   * the room must no longer be slow before the share is restored.
   */
  slowAfter: 5_000,
  quickAfter: 30_000,
  /**
   * If nobody has watched the room for this long, organisms stop expressing relatives (looking like
   * similar creatures).
   */
  unwatchedAfter: 10_000,
} as const;

export class Liveliness {
  // After a restart, treat the room as watched for a while, so that its visitors have time to
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
   * Updates the share of organisms that may express a relative (look like a similar creature for a
   * moment). Call after each tick.
   *
   * @param setting share that the host wants, multiplied by `Hall.crowding`
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

/** How reports from sensors in the hall are used; times are in ms, lengths in cells. */
export const HALL = {
  /**
   * Side of the square fields into which the room is divided. Only the latest report for each field
   * counts.
   */
  field: 32,
  /**
   * `lasts`: how long a report counts. `wakes`: minimum time between two reports for the same field
   * that wake creatures.
   */
  lasts: 5_000,
  wakes: 2_000,
  /**
   * If sensors have reported nothing for this long, the hall no longer affects the liveliness
   * (share of organisms that may express a relative).
   */
  silent: 600_000,
  /** Sum of the reported strengths at which the hall counts as full. */
  full: 4,
  /**
   * Factors by which the liveliness is multiplied: `emptyShare` while the hall is empty, and
   * `fullShare` while it is full.
   */
  ...{ emptyShare: 0.5, fullShare: 2 },
  /**
   * How long the hall must be empty or crowded before the liveliness changes (`on`), and how long
   * it must no longer be so before the liveliness changes back (`off`).
   */
  empty: { on: 30_000, off: 0 },
  crowded: { on: 5_000, off: 15_000 },
} as const;

/** Determines from sensors' reports how crowded the hall is in which a room is shown. */
export class Hall {
  /**
   * For each square field of the room (see `HALL.field`), the latest report. The keys are the
   * numbers of the fields. `at` is when the report arrived, and `woke` is when a report for the
   * field last woke creatures, in ms.
   */
  private readonly fields = new Map<number, { strength: number; at: number; woke: number }>();
  private readonly empty = new Lasting(false, HALL.empty);
  private readonly full = new Lasting(false, HALL.crowded);
  private heard = Number.NEGATIVE_INFINITY;

  /** @param wake wakes the creatures near a point; position and radius are in cells */
  constructor(
    private readonly room: Pick<Room, 'grid' | 'species'>,
    private readonly wake: (near: { x: number; y: number; radius: number }) => void,
  ) {}

  /**
   * Handles a sensor's report.
   *
   * @param now current time, in ms
   * @returns false if the position is outside the room; the report is then ignored
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
   * Returns the factor by which the liveliness is multiplied, depending on how crowded the hall is.
   * Call after each tick.
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

/** A condition that changes only after the opposite has been observed for a while. */
class Lasting {
  private since: number | undefined;

  /**
   * @param after how long the condition must hold before the value becomes true (`on`), and how
   *   long it must not hold before the value becomes false (`off`), in ms
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
