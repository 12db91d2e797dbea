/** Waits for changes, with time allowances for a busy machine. */
import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';

/** A guard, not a measure: a wait that nothing ends would otherwise say nothing of where it hangs. */
const PATIENCE = 300_000;

const guards = new Set<NodeJS.Timeout>();

// Some waits are left when their suite ends. Benches have no such hook.
(globalThis as { afterAll?: (act: () => void) => void }).afterAll?.(() => {
  for (const guard of guards) clearTimeout(guard);
});

/** Waits until something is so, which is looked at again after each change. */
export class Changes {
  private readonly looks = new Set<() => void>();

  /** Says so if it has not become so for minutes. */
  until(isSo: () => boolean): Promise<void> {
    if (isSo()) return Promise.resolve();
    // Made here, where its stack tells who waits.
    const inVain = new Error(`waiting in vain until ${isSo}`);
    const guard = setTimeout(() => console.error(inVain), PATIENCE);
    guard.unref();
    guards.add(guard);
    return new Promise((resolve) => {
      const look = (): void => {
        if (!isSo()) return;
        clearTimeout(guard);
        guards.delete(guard);
        this.looks.delete(look);
        resolve();
      };
      this.looks.add(look);
    });
  }

  changed(): void {
    for (const look of [...this.looks]) look();
  }
}

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
  const late = pause(MINUTE * generousTimeout(), undefined, { signal: patience.signal });
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
