/** Shuts the server down in named phases, one after the other. */
import type { Log } from '../platform/log.ts';

/** One step of a shutdown. */
export interface ShutdownPhase {
  /** Logged when the phase has ended, as in "Closing: rooms are saved." */
  readonly name: string;
  readonly run: () => unknown;
}

/**
 * Runs the phases in order. The later ones run even if an earlier one fails.
 *
 * @throws the error of the first phase that failed, after the last phase
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
      log.error('phase-failed', `Closing: ${name} failed: ${message}`, { phase: name });
    }
  }
  if (failure) throw failure.error;
}
