import { ReasonError } from '../platform/log.ts';

/** Reasons for which a training run stops. */
export type TrainingReason =
  | 'missing-config'
  | 'bad-config'
  | 'bad-data'
  | 'no-run'
  | 'bad-run'
  | 'not-finite'
  | 'no-backend'
  | 'lost-thread';

/** The message is one sentence that says what to change. */
export class TrainingError extends ReasonError<TrainingReason> {
  override readonly name = 'TrainingError';
}

/**
 * Runs a command. Errors with a `reason` are printed without their stack; others with it.
 *
 * @param name begins the line
 */
export async function reportErrors(name: string, run: Promise<void>): Promise<void> {
  await run.catch((error: unknown) => {
    const { message, stack } = error as Error;
    const isKnown = error instanceof Error && 'reason' in error;
    process.stderr.write(`${name}: ${isKnown ? message : (stack ?? error)}\n`);
    process.exitCode = 1;
  });
}
