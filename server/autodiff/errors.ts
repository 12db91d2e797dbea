/** Errors of the GPU back end. */

/** Reasons for which a GPU cannot be used. */
export type ComputeReason =
  /** A package is missing. */
  | 'not-installed'
  /** No GPU, or no driver for one. */
  | 'no-adapter'
  /** The device failed while it ran: out of memory, or lost. */
  | 'device-failed';

/** The message says what to do next. */
export class ComputeError extends Error {
  override readonly name = 'ComputeError';

  constructor(
    readonly reason: ComputeReason,
    what: string,
  ) {
    super(`webgpu: ${what}`);
  }
}
