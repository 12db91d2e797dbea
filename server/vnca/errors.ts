/** Why a checkpoint cannot be loaded. */
export type CheckpointReason =
  | 'missing-file'
  | 'corrupt-file'
  | 'bad-card'
  | 'unknown-version'
  | 'missing-tensor'
  | 'bad-tensor'
  | 'bad-gallery';

/** A checkpoint cannot be loaded; the message is one sentence that names the file and the field. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';

  constructor(
    readonly reason: CheckpointReason,
    readonly file: string,
    what: string,
  ) {
    super(`${file}: ${what}`);
  }
}
