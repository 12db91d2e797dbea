/**
 * Controls how many of a room's organisms may express a relative at the same time: fewer while the
 * room is slow or the hall is empty, more while the hall is full, and none while nobody is watching.
 * Because the room journals each change, brief changes of these conditions are ignored.
 */
import type { HallPresence } from '../../../shared/host/api.ts';
import type { Room } from '../../world/room.ts';

/** When the share of organisms that may express a relative changes; times are in ms. */
export const LIVELINESS = {
  /** Factor by which the host's share is multiplied while the room is slow. */
  slowShare: 0.5,
  /** How long a room must be slow, or quick again, before the share changes. */
  slowAfter: 5_000,
  quickAfter: 30_000,
  /** If nobody has watched for this long, organisms stop expressing their relatives. */
  unwatchedAfter: 10_000,
} as const;

export class Liveliness {
  // After a restart, count the room as watched for a while, so that its visitors have time to come
  // back.
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
   * Updates the share of organisms that may express a relative. Call after each tick.
   *
   * @param setting share that the host wants, adapted to how crowded the hall is
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

/** How reports of sensors count; times are in ms, lengths in cells. */
export const HALL = {
  /** Side of a field. Within a field, the latest report counts. */
  field: 32,
  /** How long a report counts, and how often somebody who stays wakes the creatures near them. */
  lasts: 5_000,
  wakes: 2_000,
  /** If sensors have reported nothing for this long, nothing is known about the hall. */
  silent: 600_000,
  /** Sum of strengths at which the hall is full. */
  full: 4,
  /** Factors of the liveliness while the hall is empty or full. */
  ...{ emptyShare: 0.5, fullShare: 2 },
  /** How long the hall must be empty or full, and how long not, before the liveliness changes. */
  empty: { on: 30_000, off: 0 },
  crowded: { on: 5_000, off: 15_000 },
} as const;

/** Counts the people whom sensors perceive in the hall where a room is shown. */
export class Hall {
  /** The latest report of each field, by the field's number. */
  private readonly fields = new Map<number, { strength: number; at: number; woke: number }>();
  private readonly empty = new Lasting(false, HALL.empty);
  private readonly full = new Lasting(false, HALL.crowded);
  private heard = Number.NEGATIVE_INFINITY;

  /** @param wake wakes the creatures near a point; in cells */
  constructor(
    private readonly room: Pick<Room, 'grid' | 'species'>,
    private readonly wake: (near: { x: number; y: number; radius: number }) => void,
  ) {}

  /**
   * Handles the report of a sensor.
   *
   * @param now ms
   * @returns false if the position is outside the room, so that nothing has changed
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

  /** Returns the factor of the liveliness. Call after each tick. @param now ms */
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

/** A condition whose changes count only after they have lasted for a while. */
class Lasting {
  private since: number | undefined;

  /**
   * @param after how long the condition must hold (`on`) or not hold (`off`) before the change
   *   counts, in ms
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
