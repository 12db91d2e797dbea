/** Errors on their way between threads: those with a reason come out as what they were. */
import type { ComputeName } from '../autodiff/compute.ts';
import { ComputeError, type ComputeReason } from '../autodiff/tfjs/errors.ts';
import { TrainingError, type TrainingReason } from '../errors.ts';

export type Failure =
  | { readonly kind: 'training'; readonly reason: TrainingReason; readonly message: string }
  | {
      readonly kind: 'compute';
      readonly compute: ComputeName;
      readonly reason: ComputeReason;
      readonly message: string;
    }
  | { readonly kind: 'range' | 'other'; readonly message: string; readonly stack?: string };

export function failureOf(error: unknown): Failure {
  if (error instanceof TrainingError) {
    return { kind: 'training', reason: error.reason, message: error.message };
  }
  if (error instanceof ComputeError) {
    const { compute, reason } = error;
    // Its name is put in front again.
    return { kind: 'compute', compute, reason, message: error.message.slice(compute.length + 2) };
  }
  if (!(error instanceof Error)) return { kind: 'other', message: String(error) };
  return {
    kind: error instanceof RangeError ? 'range' : 'other',
    message: error.message,
    ...(error.stack !== undefined && { stack: error.stack }),
  };
}

export function errorOf(failure: Failure): Error {
  if (failure.kind === 'training') return new TrainingError(failure.reason, failure.message);
  if (failure.kind === 'compute') {
    return new ComputeError(failure.compute, failure.reason, failure.message);
  }
  const error =
    failure.kind === 'range' ? new RangeError(failure.message) : new Error(failure.message);
  // Where it went wrong is in the other thread.
  if (failure.stack !== undefined) error.stack = failure.stack;
  return error;
}
