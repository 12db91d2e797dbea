/** Limits how often the server restarts itself because of a fault. The count survives restarts. */
import * as v from 'valibot';
import type { Clock } from '../platform/clock.ts';
import type { Store } from '../storage/store.ts';

const HOUR = 3_600_000;
const RECORD = 'restarts';

/** Times of restarts, ms since the epoch. */
const restartRecords = v.array(v.number());

export interface RestartLimitOptions {
  /** Where restart times are stored; undefined: nowhere. */
  readonly store: Pick<Store, 'serverRecord' | 'putServerRecord'> | undefined;
  readonly clock: Clock;
  /** Wall clock, ms since the epoch; it may be set back. */
  readonly date: () => number;
  /** Restarts allowed per hour. */
  readonly most: number;
}

/** Grants restarts, a limited number per hour. */
export class RestartLimit {
  private readonly started: number;

  constructor(private readonly options: RestartLimitOptions) {
    this.started = options.clock.now();
  }

  /**
   * Requests a restart and records it before granting it. If recording fails, a process may
   * restart once it has run for its share of an hour, which keeps the limit without any record.
   *
   * @returns whether the server may restart now
   */
  async take(): Promise<boolean> {
    const { store, date, most, clock } = this.options;
    const waited = clock.now() - this.started >= HOUR / most;
    if (!store) return waited;
    try {
      const now = date();
      const times = (await store.serverRecord(RECORD, restartRecords)) ?? [];
      const recent = times.filter((time) => Math.abs(now - time) < HOUR);
      if (recent.length >= most) return false;
      await store.putServerRecord(RECORD, [...recent, now]);
      return true;
    } catch {
      return waited;
    }
  }
}
