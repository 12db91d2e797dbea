/** What can stop an evaluation; the message is one sentence that says what to change. */
export type EvaluationReason = 'no-data' | 'unfit-data' | 'no-encoder' | 'no-keep' | 'foreign-keep';

export class EvaluationError extends Error {
  override readonly name = 'EvaluationError';

  constructor(
    readonly reason: EvaluationReason,
    message: string,
  ) {
    super(message);
  }
}
