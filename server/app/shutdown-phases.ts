/** Ends the server in good order: one phase after the other, each with its name. */
import type { Log } from '../platform/log.ts';

export interface ShutdownPhase {
  readonly name: string;
  readonly run: () => unknown;
}

/**
 * One phase that fails does not keep the later ones from happening.
 *
 * @throws the first phase's error, at the end
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
