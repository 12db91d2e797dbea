/** Remembers what clients must be sent again in full after the next tick. */
import type { RoomPolicy } from '../policy/room-policy.ts';

/**
 * What is sent again: everything about the room to everybody, all names to everybody, or the
 * welcome to walls alone.
 */
export type Refresh = 'room' | 'names' | 'walls';

/**
 * Collects refresh requests until a tick has been handled, so that clients are refreshed between
 * two ticks and at most once per tick.
 */
export class RefreshRequests {
  private requested: Refresh | undefined;
  /** Requested before the tick that has just been handled. */
  private pending: Refresh | undefined;
  /** Which names clients know to be hidden. */
  private hiddenNamesKey: string;

  constructor(private readonly policy: Pick<RoomPolicy, 'hiddenNamesKey'>) {
    this.hiddenNamesKey = policy.hiddenNamesKey;
  }

  /** Requests a refresh of the names if the policy now hides other names, else of the room. */
  request(): void {
    const { hiddenNamesKey } = this.policy;
    if (hiddenNamesKey === this.hiddenNamesKey) this.requested = 'room';
    else if (this.requested !== 'room') this.requested = 'names';
    this.hiddenNamesKey = hiddenNamesKey;
  }

  /** Requests a refresh of the walls, unless a wider one is requested already. */
  requestWalls(): void {
    this.requested ??= 'walls';
  }

  /** Marks what was requested as pending; call it once per tick. */
  endTick(): void {
    this.pending = this.requested;
    this.requested = undefined;
  }

  /** Whether `take` will return a refresh. */
  get hasPending(): boolean {
    return this.pending !== undefined;
  }

  /** Removes and returns the pending refresh. */
  take(): Refresh | undefined {
    const { pending } = this;
    this.pending = undefined;
    return pending;
  }
}
