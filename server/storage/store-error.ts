/** What can be wrong with kept rooms. */

export type StoreReason =
  /** The folder cannot be made or written to. */
  | 'not-writable'
  /** Another server has the folder. */
  | 'in-use'
  /** It was written by a version of the server whose data this one does not know. */
  | 'other-version'
  /** What was read is not what was written. */
  | 'damaged'
  /** The room was grown from other weights, or has another size, than it is to be opened with. */
  | 'other-checkpoint'
  | 'other-size'
  /** There is no such room, or not of that time. */
  | 'not-kept'
  /** A write failed, for want of space or otherwise: nothing of it is kept, all that was kept before is. */
  | 'disk-full'
  | 'write-failed'
  | 'closed';

/** The message is one sentence or two for the host. */
export class StoreError extends Error {
  override readonly name = 'StoreError';

  constructor(
    readonly reason: StoreReason,
    message: string,
  ) {
    super(message);
  }
}
