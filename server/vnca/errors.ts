/** What can be wrong with a checkpoint folder; the message is one sentence that names the file and the field. */
export type CheckpointReason =
  | 'missing-file'
  | 'corrupt-file'
  | 'bad-card'
  | 'unknown-version'
  | 'missing-tensor'
  | 'bad-tensor'
  | 'bad-gallery';

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
