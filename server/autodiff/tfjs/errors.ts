/** Errors of back ends. */
import type { ComputeName } from '../compute.ts';

/** Reasons for which a back end cannot be used. */
export type ComputeReason =
  /** A package, or its native part, is missing. */
  | 'not-installed'
  /** No GPU, or no driver for one. */
  | 'no-adapter'
  | 'does-not-start'
  /** The device failed while it ran: out of memory, or lost. */
  | 'device-failed';

/** The message says what to do next. */
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
