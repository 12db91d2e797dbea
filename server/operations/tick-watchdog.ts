/**
 * Detects a tick that does not end, since the engine or the store has stalled. The process should
 * then exit, so that a restart continues from the journal, instead of showing a frozen room.
 */
import type { Clock } from '../platform/clock.ts';

export interface TickWatchdogOptions {
  readonly clock: Clock;
  /** Called once, when a tick takes longer. */
  readonly onStalled: () => void;
  /** Called at each check while ticks run. */
  readonly onHeartbeat?: () => void;
}

/** A tick that takes longer has stalled: the process should exit, to be restarted; ms. */
export const STALL = 30_000;
/** Time without the end of a tick after which ticks no longer count as running, ms. */
const SLOW = 5_000;
/** Time between two checks, ms. */
const CHECK_INTERVAL = 1_000;

/** Checks once a second whether ticks end. */
export class TickWatchdog {
  private begun = 0;
  private ended = 0;
  private endedAtLastCheck = 0;
  /**
   * Checks in a row during which no tick has ended. This counts checks, not time: while a process
   * is suspended or a machine sleeps, there are no checks either.
   */
  private stalledChecks = 0;
  private cancel: () => void;

  constructor(private readonly options: TickWatchdogOptions) {
    this.cancel = options.clock.after(CHECK_INTERVAL, this.check);
  }

  /** Whether ticks have ended recently, or none was due. */
  get isTicking(): boolean {
    return this.stalledChecks * CHECK_INTERVAL < SLOW;
  }

  /** Runs a tick under observation. */
  async during<T>(tick: () => Promise<T>): Promise<T> {
    this.begun++;
    try {
      return await tick();
    } finally {
      this.ended++;
    }
  }

  /** Ends the checks. */
  stop(): void {
    this.cancel();
  }

  private readonly check = (): void => {
    const { clock, onStalled } = this.options;
    this.cancel = clock.after(CHECK_INTERVAL, this.check);
    const isStalled = this.begun > this.ended && this.ended === this.endedAtLastCheck;
    this.stalledChecks = isStalled ? this.stalledChecks + 1 : 0;
    this.endedAtLastCheck = this.ended;
    if (this.stalledChecks === STALL / CHECK_INTERVAL) onStalled();
    if (this.isTicking) this.options.onHeartbeat?.();
  };
}
