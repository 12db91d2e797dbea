/** What can be wrong with an extension. */

export type ExtensionReason =
  /** There is no such file, or it cannot be read. */
  | 'not-found'
  /** It has no default export with a name and hooks. */
  | 'no-extension'
  /** It threw while it was loaded. */
  | 'threw'
  /** It was not done with loading in time. */
  | 'too-slow';

/** The message is one sentence for the host. */
export class ExtensionError extends Error {
  override readonly name = 'ExtensionError';

  constructor(
    readonly reason: ExtensionReason,
    message: string,
  ) {
    super(message);
  }
}
