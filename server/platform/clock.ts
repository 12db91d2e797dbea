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
