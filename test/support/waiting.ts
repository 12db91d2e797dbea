/** Waits for changes, with time allowances for a busy machine. */
import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';

/** After this time, a wait that has not ended prints where it hangs, in ms. */
const PATIENCE = 300_000;

const guards = new Set<NodeJS.Timeout>();

// Some waits are left when their suite ends. Benches have no such hook.
(globalThis as { afterAll?: (act: () => void) => void }).afterAll?.(() => {
  for (const guard of guards) clearTimeout(guard);
});

/** Allows a test to ignore a promise that fails. A test that awaits the promise still gets the error. */
export function optional<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** Waits for conditions, and checks them after each change. */
export class Changes {
  private readonly looks = new Set<() => void>();
  /** Why no more changes will come. */
  private ended: string | undefined;

  /** @throws Error `end` was called, so the condition cannot become true */
  until(isSo: () => boolean): Promise<void> {
    if (isSo()) return Promise.resolve();
    // Created here, so that its stack names the caller.
    const inVain = new Error(`waiting in vain until ${isSo}`);
    const guard = setTimeout(() => console.error(inVain), PATIENCE);
    guard.unref();
    guards.add(guard);
    const wait = new Promise<void>((resolve, reject) => {
      const look = (): void => {
        const isOver = isSo();
        if (!isOver && this.ended === undefined) return;
        clearTimeout(guard);
        guards.delete(guard);
        this.looks.delete(look);
        if (isOver) resolve();
        else {
          inVain.message = `${this.ended}, ${inVain.message}`;
          reject(inVain);
        }
      };
      this.looks.add(look);
      if (this.ended !== undefined) look();
    });
    return optional(wait);
  }

  changed(): void {
    for (const look of [...this.looks]) look();
  }

  /** Rejects all waits, including later ones, whose condition does not hold. */
  end(why: string): void {
    this.ended = why;
    this.changed();
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
