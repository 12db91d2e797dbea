import type { Sky } from '../../shared/vocabulary.ts';

/** A monotonic clock with timers, passed as a parameter so that tests can control time. */
export interface Clock {
  /** Milliseconds since an arbitrary start. */
  now(): number;
  /** Calls `call` once, `delay` ms from now. Returns a function that cancels the call. */
  after(delay: number, call: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (delay, call) => {
    const timer = setTimeout(call, delay);
    return () => clearTimeout(timer);
  },
};

/**
 * Calls `call` after `delay` ms, and after all messages that have arrived by then have been
 * handled. A plain timer could run before those messages.
 *
 * @returns a function that cancels the call
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

export function pause(clock: Clock, duration: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(duration, resolve);
  });
}

/**
 * Runs a function repeatedly. Each pause starts when the previous run has ended.
 *
 * @param interval pause between two runs, in ms
 * @param first pause before the first run, in ms
 * @returns a function that ends the repetition
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
    cancel = clock.after(delay, () => {
      const running = work();
      const next = (): void => {
        if (!hasEnded) plan(interval);
      };
      if (running instanceof Promise) void running.then(next);
      else next();
    });
  };
  plan(first);
  return () => {
    hasEnded = true;
    cancel();
  };
}

/** Runs work on request, but at most once per interval. */
export class Throttle {
  private ranAt = Number.NEGATIVE_INFINITY;
  private cancelRun: (() => void) | undefined;

  /** @param interval minimum time between two runs, in ms */
  constructor(
    private readonly clock: Clock,
    private readonly interval: number,
    private readonly work: () => void,
  ) {}

  request(): void {
    const left = this.ranAt + this.interval - this.clock.now();
    // Use a timer even if no time is left, so that several requests at the same moment cause a
    // single run.
    this.cancelRun ??= this.clock.after(Math.max(0, left), () => {
      this.cancelRun = undefined;
      this.ranAt = this.clock.now();
      this.work();
    });
  }

  cancel(): void {
    this.cancelRun?.();
    this.cancelRun = undefined;
  }
}

export interface RetryOptions {
  readonly clock: Clock;
  /** The pause before each retry, in ms. The number of pauses is the number of retries. */
  readonly pauses: readonly number[];
  /**
   * Returns whether an error may be temporary. Only temporary errors are retried. By default, all
   * errors count as temporary.
   */
  readonly isTransient?: (error: unknown) => boolean;
  /** Called after each failure that is followed by a retry. */
  readonly onFailure?: (error: unknown) => void;
}

/**
 * Runs a function until it succeeds or no retries are left.
 *
 * @param work must not leave any changes behind if it fails, because it may run again
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

/** Matches time zones of the southern hemisphere. */
const SOUTHERN =
  /^Aus|^Ant|Argent|Auck|Buenos|Harare|Johannes|Maputo|Montevid|Asunc|Santiago|Sao_P|Windhoek/;

/**
 * Returns the season and the time of day in the server's time zone.
 *
 * @param at wall-clock time, in ms
 * @returns the season, in months since the middle of winter (0…12), and the time of day, in hours
 */
export function skyAt(at: number, zone = Intl.DateTimeFormat().resolvedOptions().timeZone): Sky {
  const date = new Date(at);
  const months = date.getMonth() + (date.getDate() - 15) / 31 + (SOUTHERN.test(zone) ? 18 : 12);
  const hours = date.getHours() + date.getMinutes() / 60;
  return [+(months % 12).toFixed(2), +hours.toFixed(2)];
}

/**
 * Formats a time in the server's time zone, for example `2026-11-25T14:05:09`.
 *
 * @param at wall-clock time, in ms
 */
export function localTime(at: number): string {
  const offset = new Date(at).getTimezoneOffset();
  return new Date(at - offset * 60_000).toISOString().slice(0, 19);
}
