/** A monotonic clock with timers, passed in so that tests need not sleep. */
export interface Clock {
  /** Milliseconds since an arbitrary start. */
  now(): number;
  /** Calls `call` once after `delay` ms; the returned function cancels it. */
  after(delay: number, call: () => void): () => void;
}

/** The process's own clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after: (delay, call) => {
    const timer = setTimeout(call, delay);
    return () => clearTimeout(timer);
  },
};

/**
 * Calls `call` once after `delay` ms, when messages that have arrived by then are handled: after a
 * stall, Node runs the timers that are due before it reads messages.
 *
 * @returns cancels it
 */
export function afterMessages(clock: Clock, delay: number, call: () => void): () => void {
  let immediate: NodeJS.Immediate | undefined;
  const cancel = clock.after(delay, () => {
    immediate = setImmediate(call);
  });
  return () => {
    cancel();
    clearImmediate(immediate);
  };
}

/** Resolves after a while. @param duration ms */
export function pause(clock: Clock, duration: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(duration, resolve);
  });
}

/**
 * Runs work after each interval; the next one begins when the work is done.
 *
 * @param interval ms
 * @param first time until the first run, ms
 * @returns ends the repetition
 */
export function repeat(
  clock: Clock,
  interval: number,
  work: () => unknown,
  first = interval,
): () => void {
  let hasEnded = false;
  let cancel = (): void => {};
  const plan = (delay: number): void => {
    cancel = clock.after(delay, async () => {
      await work();
      if (!hasEnded) plan(interval);
    });
  };
  plan(first);
  return () => {
    hasEnded = true;
    cancel();
  };
}

export interface RetryOptions {
  readonly clock: Clock;
  /** Pause before each retry, ms. There is one attempt more than there are pauses. */
  readonly pauses: readonly number[];
  /** Whether an error may go away; others are thrown immediately. Default: all. */
  readonly isTransient?: (error: unknown) => boolean;
  /** Called for each failure that is followed by a retry. */
  readonly onFailure?: (error: unknown) => void;
}

/**
 * Runs work until it succeeds or there are no pauses left.
 *
 * @param work must change nothing when it fails
 * @throws the error of the last attempt
 */
export async function retry<T>(
  work: () => Promise<T>,
  { clock, pauses, isTransient = () => true, onFailure }: RetryOptions,
): Promise<T> {
  for (const duration of pauses) {
    try {
      return await work();
    } catch (error) {
      if (!isTransient(error)) throw error;
      onFailure?.(error);
    }
    await pause(clock, duration);
  }
  return work();
}

/** A time by the server's clock and calendar: `2026-11-25T14:05:09`. @param at wall clock, ms */
export function localTime(at: number): string {
  const offset = new Date(at).getTimezoneOffset();
  return new Date(at - offset * 60_000).toISOString().slice(0, 19);
}
