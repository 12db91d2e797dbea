/**
 * Controls the liveliness of a room: the maximum share of organisms that may look like a relative
 * (a similar creature) at the same time. The liveliness is lower while ticks are slow or the hall
 * is empty, higher while the hall is full, and 0 while nobody is watching. Brief changes are
 * ignored, because each change of the liveliness is written to the journal.
 */
import type { Room } from '../../world/room.ts';

/**
 * How the liveliness is reduced while the room's ticks are slow or nobody is watching. Times are in
 * ms.
 */
export const LIVELINESS = {
  /** While the room does not reach its tick rate, the host's setting is multiplied by this. */
  slowShare: 0.5,
  /**
   * `slowAfter`: how long ticks must be slow before the liveliness is reduced. `quickAfter`: how
   * long ticks must be fast enough before the liveliness is restored.
   */
  slowAfter: 5_000,
  quickAfter: 30_000,
  /** When nobody has watched the room for this long, the liveliness becomes 0. */
  unwatchedAfter: 10_000,
} as const;

export class Liveliness {
  // A room whose liveliness was above 0 before a restart counts as watched at first, so that its
  // visitors have time to reconnect.
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
   * Updates the room's liveliness. Call after each tick.
   *
   * @param setting the host's setting, multiplied by the result of `Hall.crowding`
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

/**
 * A boolean value that follows a condition with a delay: the value changes once the condition has
 * differed from the value for a while.
 */
export class Lasting {
  private since: number | undefined;

  /**
   * @param after `on`: how long the condition must be true before the value becomes true, in ms.
   *   `off`: how long the condition must be false before the value becomes false, in ms
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
