/** Restarts that the server decides on by itself, because of a fault: at most so many an hour, remembered across them. */
import * as v from 'valibot';
import type { Clock } from '../platform/clock.ts';
import type { Store } from '../storage/store.ts';

const HOUR = 3_600_000;
const RECORD = 'restarts';

/** Wall clock, ms. */
const restartRecords = v.array(v.number());

export interface RestartLimitOptions {
  /** Where restarts are remembered; undefined: nowhere. */
  readonly store: Pick<Store, 'serverRecord' | 'putServerRecord'> | undefined;
  readonly clock: Clock;
  /** Wall clock, ms; it may go back. */
  readonly date: () => number;
  /** Restarts in an hour. */
  readonly most: number;
}

export class RestartLimit {
  private readonly started: number;

  constructor(private readonly options: RestartLimitOptions) {
    this.started = options.clock.now();
  }

  /**
   * Asks for a restart. It is remembered before it is granted; where it cannot be, a process restarts only after its share of
   * an hour, which keeps the limit without any memory.
   *
   * @returns whether the server may restart now
   */
  async take(): Promise<boolean> {
    const { store, date, most, clock } = this.options;
    const waited = clock.now() - this.started >= HOUR / most;
    if (!store) return waited;
    try {
      const now = date();
      const kept = (await store.serverRecord(RECORD, restartRecords)) ?? [];
      const recent = kept.filter((at) => Math.abs(now - at) < HOUR);
      if (recent.length >= most) return false;
      await store.putServerRecord(RECORD, [...recent, now]);
      return true;
    } catch {
      return waited;
    }
  }
}
