/** Time, passed in, so that tests need no sleeping. Milliseconds of a clock that never goes back. */
export interface Clock {
  now(): number;
  /** Calls back once; the returned function calls it off. */
  after(delay: number, call: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (delay, call) => {
    const timer = setTimeout(call, delay);
    return () => clearTimeout(timer);
  },
};

/** @param duration ms */
export function pause(clock: Clock, duration: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(duration, resolve);
  });
}
