/** Why a training back end cannot be used here; the message says what to do next. */
import type { ComputeName } from '../compute.ts';

export type ComputeReason =
  /** A package, or its native part, is not there. */
  | 'not-installed'
  /** No GPU, or no driver for one. */
  | 'no-adapter'
  | 'does-not-start'
  /** It ran, and the device gave up: out of memory, or lost. */
  | 'device-failed';

export class ComputeError extends Error {
  override readonly name = 'ComputeError';

  constructor(
    readonly compute: ComputeName,
    readonly reason: ComputeReason,
    what: string,
  ) {
    super(`${compute}: ${what}`);
  }
}
