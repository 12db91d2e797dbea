/** Errors of extensions and OSC at start-up. */
import { ReasonError } from '../platform/reason-error.ts';

/** Why an extension or OSC cannot be started. */
export type HookReason =
  /** The file does not exist. */
  | 'not-found'
  /** It has no default export with a name and hooks. */
  | 'no-extension'
  /** The address for OSC is unknown, or not one of this machine. */
  | 'no-address'
  /** Another program uses the port. */
  | 'port-taken';

/** An extension or OSC cannot be started. The message is one sentence for the host. */
export class HookError extends ReasonError<HookReason> {
  override readonly name = 'HookError';
}
