/** Reasons for which an evaluation stops. */
export type EvaluationReason = 'no-data' | 'unfit-data' | 'no-encoder' | 'no-keep' | 'foreign-keep';

/** The message is one sentence that says what to change. */
export class EvaluationError extends Error {
  override readonly name = 'EvaluationError';

  constructor(
    readonly reason: EvaluationReason,
    message: string,
  ) {
    super(message);
  }
}
