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
export class TrainingError extends Error {
  override readonly name = 'TrainingError';

  constructor(
    readonly reason: TrainingReason,
    message: string,
  ) {
    super(message);
  }
}

/**
 * Runs the main function of a command, or prints its help. Errors with a `reason` are printed
 * without their stack; others with it.
 *
 * @param read parses the command line after the program
 */
export async function runCommand<O extends object>(
  name: string,
  help: string,
  read: (args: readonly string[]) => O | 'help',
  main: (options: O) => Promise<void>,
): Promise<void> {
  try {
    const options = read(process.argv.slice(2));
    if (options === 'help') process.stdout.write(`${help}\n`);
    else await main(options);
  } catch (error) {
    const { message, stack } = error as Error;
    const isKnown = error instanceof Error && 'reason' in error;
    process.stderr.write(`${name}: ${isKnown ? message : (stack ?? error)}\n`);
    process.exitCode = 1;
  }
}
