/** What can stop a training run; the message is one sentence that says what to change. */
export type TrainingReason =
  | 'missing-config'
  | 'bad-config'
  | 'bad-data'
  | 'no-run'
  | 'bad-run'
  | 'not-finite'
  | 'no-backend'
  | 'lost-thread';

export class TrainingError extends Error {
  override readonly name = 'TrainingError';

  constructor(
    readonly reason: TrainingReason,
    message: string,
  ) {
    super(message);
  }
}
