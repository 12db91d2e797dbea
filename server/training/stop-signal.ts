/** Stops a run on Ctrl-C after its current update. */

/** ms within which a second signal counts as the first: npm may forward the same keystroke. */
const SAME_SIGNAL = 1_000;

/** Whether a signal has asked the run to stop. */
export interface StopSignal {
  isAsked(): boolean;
}

/** Listens to SIGINT and SIGTERM; the second one ends the process at once. */
export function listenForStop(say: (line: string) => void): StopSignal {
  let askedAt: number | undefined;
  const stop = (): void => {
    if (askedAt !== undefined && performance.now() - askedAt > SAME_SIGNAL) process.exit(130);
    if (askedAt !== undefined) return;
    askedAt = performance.now();
    say('\nstopping after this update; press again to quit at once');
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return { isAsked: () => askedAt !== undefined };
}
