import { ReasonError } from '../../platform/log.ts';

/** Reasons for which an evaluation stops. */
export type EvaluationReason =
  | 'no-data'
  | 'unfit-data'
  | 'no-encoder'
  | 'no-keep'
  | 'foreign-keep'
  | 'no-kernel'
  | 'other-weights';

/** The message is one sentence that says what to change. */
export class EvaluationError extends ReasonError<EvaluationReason> {
  override readonly name = 'EvaluationError';
}
