/** Time allowances for a busy machine, and how long the process was not scheduled. */
import { availableParallelism, loadavg } from 'node:os';
import { setTimeout } from 'node:timers/promises';

/**
 * By how much it may be later than one that is at leisure: as many times as jobs wait for each of
 * its cores; at least 1.
 */
export const generousTimeout = (): number => Math.max(1, loadavg()[0] / availableParallelism());

/** How long `within` waits for what takes seconds, ms. */
const MINUTE = 60_000;

/**
 * Waits for some work, but not for ever: for a minute, or longer on a busy machine.
 *
 * @param what is awaited; a function is called only when it has not come
 * @throws Error naming it
 */
export async function within<T>(what: string | (() => string), work: Promise<T>): Promise<T> {
  const patience = new AbortController();
  const late = setTimeout(MINUTE * generousTimeout(), undefined, { signal: patience.signal });
  try {
    return await Promise.race([
      work,
      late.then(() => {
        throw new Error(`This has not come: ${typeof what === 'string' ? what : what()}`);
      }),
    ]);
  } finally {
    patience.abort();
  }
}

/** ms between looks at the clock. */
const EVERY = 20;

/** How long a machine stood still for this process, which is no fault of what is being timed. */
export interface Stalls {
  /** By how much its turns came late so far, in all; ms. */
  readonly lost: number;
  /** The longest delay of one turn, ms. */
  readonly longest: number;
  stop(): void;
}

/** Begins to count. */
export function countStalls(): Stalls {
  let lost = 0;
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    const late = Math.max(0, now - last - EVERY);
    lost += late;
    longest = Math.max(longest, late);
    last = now;
  }, EVERY);
  return {
    get lost() {
      return lost;
    },
    get longest() {
      return longest;
    },
    stop: () => clearInterval(timer),
  };
}
