/** What can be wrong with what the host wants beside the rooms: extensions, OSC. */

export type HookReason =
  /** There is no such file, or it cannot be read. */
  | 'not-found'
  /** It has no default export with a name and hooks. */
  | 'no-extension'
  /** It threw while it was loaded. */
  | 'threw'
  /** It was not done with loading in time. */
  | 'too-slow'
  /** There is no such address to send OSC to, or to listen at. */
  | 'no-address'
  /** Another program listens there. */
  | 'port-taken';

/** The message is one sentence for the host. */
export class HookError extends Error {
  override readonly name = 'HookError';

  constructor(
    readonly reason: HookReason,
    message: string,
  ) {
    super(message);
  }
}
