/**
 * Ends the process. The first signal starts an orderly shutdown. A later signal makes the process
 * exit immediately.
 */
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';

/** Time after the first signal during which further signals are ignored, in ms. */
const SAME_SIGNAL = 1_000;

/** Maximum duration of a shutdown, in ms. Afterwards, the process exits in any case. */
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

  /**
   * Closes the server and exits. Does nothing if the server is already closing.
   *
   * @param code exit code of the process
   */
  begin(code: number): void {
    if (this.closing) return;
    this.closing = true;
    const { clock, log, close, exit, onFailure } = this.options;
    clock.after(LONGEST, () => {
      const text =
        'Shutdown takes too long, so the server exits now. All commands that the server has answered are stored.';
      log.error('closing-too-slow', text);
      exit(1);
    });
    close().then(() => exit(code), onFailure);
  }

  /**
   * Handles a signal to end the process. The first signal starts the shutdown, and a later signal
   * makes the process exit immediately. Signals within `SAME_SIGNAL` ms after the first are
   * ignored, because npm can send the same signal twice.
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
  /** Result of the phase, as the log reports it, for example 'rooms are saved'. */
  readonly name: string;
  readonly run: () => unknown;
}

/**
 * Runs the phases of a shutdown in order. If a phase fails, the later phases still run.
 *
 * @throws the error of the first phase that failed, after all phases have run
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
      log.error('phase-failed', `Closing: the shutdown step "${name}" failed: ${message}`, {
        phase: name,
      });
    }
  }
  if (failure) throw failure.error;
}
