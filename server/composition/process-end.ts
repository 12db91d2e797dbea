/** Ends the process: in order after the first signal, immediately after a second signal. */
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';

/** How close together two signals must be to count as one, in ms. */
const SAME_SIGNAL = 1_000;

/** How long closing may take before the process exits anyway, in ms. */
const LONGEST = 20_000;

export class ProcessEnd {
  private closing = false;
  private signalledAt: number | undefined;

  constructor(
    private readonly options: {
      readonly clock: Clock;
      readonly log: Log;
      readonly close: () => Promise<void>;
      readonly exit: (code: number) => void;
      readonly onFailure: (error: unknown) => void;
    },
  ) {}

  /** Closes the server, unless it is already closing, and exits. @param code the exit code */
  begin(code: number): void {
    if (this.closing) return;
    this.closing = true;
    const { clock, log, close, exit, onFailure } = this.options;
    clock.after(LONGEST, () => {
      log.error(
        'closing-too-slow',
        'Shutdown takes too long, so the server exits now. Every command answered so far is stored.',
      );
      exit(1);
    });
    close().then(() => exit(code), onFailure);
  }

  /**
   * Handles a signal. A second signal means that the host does not want to wait. However, npm
   * forwards signals that this process has already received from the terminal, so two signals in
   * quick succession count as one.
   */
  readonly signal = (): void => {
    const { clock, exit } = this.options;
    const now = clock.now();
    if (this.signalledAt !== undefined && now - this.signalledAt > SAME_SIGNAL) exit(1);
    this.signalledAt ??= now;
    this.begin(0);
  };
}

export interface ShutdownPhase {
  /** Logged when the phase has ended, as in "Closing: rooms are saved." */
  readonly name: string;
  readonly run: () => unknown;
}

/**
 * Runs the phases in order. Later phases run even if an earlier one fails.
 *
 * @throws the error of the first phase that failed, once all phases have run
 */
export async function runShutdownPhases(phases: readonly ShutdownPhase[], log: Log): Promise<void> {
  let failure: { readonly error: unknown } | undefined;
  for (const { name, run } of phases) {
    try {
      await run();
      log.info('phase', `Closing: ${name}.`, { phase: name });
    } catch (error) {
      failure ??= { error };
      const message = error instanceof Error ? error.message : String(error);
      log.error('phase-failed', `Closing: the step "${name}" failed: ${message}`, { phase: name });
    }
  }
  if (failure) throw failure.error;
}
