/** What is told of a Valkey that cannot be used, at the start or later. */

/** Why a process cannot use the Valkey that `--cluster` names. */
export type ClusterReason =
  /** Nothing answers at the address. */
  | 'unreachable'
  /** It wants another password, or a user with more rights. */
  | 'not-allowed'
  | 'too-old'
  /** It does not write everything to the disk at once. */
  | 'not-durable'
  /** It deletes keys when it is full. */
  | 'evicts'
  | 'full'
  /** It is one of several among which keys are divided. */
  | 'divided'
  /** It copies another one. */
  | 'replica';

/** Valkey has answered that it does not do something. It is no use to ask again at once. */
export class Refused extends Error {
  override readonly name: string = 'Refused';
}

/** Valkey cannot be used. The message is one sentence for the host. */
export class ClusterError extends Error {
  override readonly name = 'ClusterError';

  constructor(
    readonly reason: ClusterReason,
    message: string,
  ) {
    super(message);
  }
}
