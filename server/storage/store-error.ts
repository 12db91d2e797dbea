/** Errors of the store. */

/** Why a store operation failed. */
export type StoreReason =
  /** The folder cannot be created or is not writable. */
  | 'not-writable'
  /** Another server uses the folder. */
  | 'in-use'
  /** The data have a format that this version does not know. */
  | 'other-version'
  /** The data are not as they were written. */
  | 'damaged'
  /** The room was made with another checkpoint than the one given. */
  | 'other-checkpoint'
  /** The room has another size than the one given. */
  | 'other-size'
  /** The room, or that time of it, is not stored. */
  | 'not-kept'
  /** A write failed for lack of space. Nothing of it is stored; earlier data are. */
  | 'disk-full'
  /** A write failed otherwise; as `disk-full`. */
  | 'write-failed'
  /** Another process owns the room, or may own it. Nothing of it is stored; this one stops it. */
  | 'not-owner'
  /** The store of the cluster does not answer. */
  | 'unreachable'
  | 'closed';

/** A store operation failed. The message is one or two sentences for the host. */
export class StoreError extends Error {
  override readonly name = 'StoreError';

  constructor(
    readonly reason: StoreReason,
    message: string,
  ) {
    super(message);
  }
}
