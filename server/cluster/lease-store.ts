/** Where leases are kept: one for each room, which at most one holder has at a time. */

/** Counts the owners that a room has had. It never decreases and never expires. */
export type Epoch = number;

/** How often a room's lease has been acquired or renewed. It never decreases and never expires. */
export type Renewals = number;

/** A lease that has just been acquired. */
export interface Acquired {
  readonly epoch: Epoch;
  /** Whether the owner before has given the room up with all of it stored, or there was none. */
  readonly isReleased: boolean;
  /** Before this acquisition; −1 if the owner before has not counted them. */
  readonly renewals: Renewals;
}

/** A lease that somebody else has. */
export interface Held {
  readonly epoch?: undefined;
  readonly renewals: Renewals;
}

/** How an owner gives a room up. */
export interface Release {
  /** Whether all that it and earlier owners have shown of the room is stored. */
  readonly isStored: boolean;
  /** Nobody else acquires the room for the next `DEFAULTS.cluster.offer`. */
  readonly heir?: string | undefined;
}

/**
 * Keeps leases. Calls that get no answer fail; whether they had an effect is not known then.
 *
 * @throws Refused; Error: the store cannot be reached
 */
export interface LeaseStore {
  /**
   * Acquires a room's lease with a new epoch, for `DEFAULTS.cluster.lease`.
   *
   * @param holder a name that no other process has
   * @param abandoned if there have been no more renewals than these, it is acquired even from
   *   somebody who has it: the caller knows that they do not count on it any more
   */
  acquire(room: string, holder: string, abandoned?: Renewals): Promise<Acquired | Held>;
  /** Has a lease last as long as a new one. @returns false if the holder does not have it any more */
  renew(room: string, holder: string, epoch: Epoch): Promise<boolean>;
  /** Ends a lease, if the holder has it. Its owner has stopped before. */
  release(room: string, holder: string, epoch: Epoch, how: Release): Promise<void>;
}
