/** How long a machine stood still for this process, which is no fault of what is being timed. */

const EVERY = 20;

export interface Stalls {
  /** By how much its turns came late so far, in all; ms. */
  readonly lost: number;
  stop(): void;
}

/** Begins to count. */
export function countStalls(): Stalls {
  let lost = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    lost += Math.max(0, now - last - EVERY);
    last = now;
  }, EVERY);
  return {
    get lost() {
      return lost;
    },
    stop: () => clearInterval(timer),
  };
}
