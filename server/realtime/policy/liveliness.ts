/**
 * Controls how many of a room's organisms may express a relative at the same time: fewer while the
 * room is slow, and none while nobody is watching. Because the room journals each change, brief
 * changes of these conditions are ignored.
 */
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
  private readonly watched: Lasting;
  private readonly slow = new Lasting(false, {
    on: LIVELINESS.slowAfter,
    off: LIVELINESS.quickAfter,
  });

  constructor(private readonly room: Room) {
    // After a restart, count the room as watched for a while, so that its visitors have time to
    // come back.
    this.watched = new Lasting(room.liveliness > 0, { on: 0, off: LIVELINESS.unwatchedAfter });
  }

  /** Call after each tick. */
  update({
    setting,
    isWatched,
    isSlow,
    now,
  }: {
    /** The host's setting: share of the organisms that may express at the same time, 0…1. */
    readonly setting: number;
    readonly isWatched: boolean;
    readonly isSlow: boolean;
    /** Current time, in ms. */
    readonly now: number;
  }): void {
    if (!this.room.species.relatives) return;
    const watched = this.watched.see(isWatched, now);
    const slow = this.slow.see(isSlow, now);
    const share = watched ? setting * (slow ? LIVELINESS.slowShare : 1) : 0;
    if (share !== this.room.liveliness) this.room.setLiveliness(share);
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
