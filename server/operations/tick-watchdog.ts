/**
 * Whether the rooms live: ticks begin and end. A tick that does not end means an engine that has stalled; then it is better to
 * end, and to be started again where the journal ends, than to show a still room.
 */
import type { Clock } from '../platform/clock.ts';

export interface TickWatchdogOptions {
  readonly clock: Clock;
  /** How long a tick may take, ms. */
  readonly timeout: number;
  /** Called once: a tick has not ended for so long. */
  readonly onStalled: () => void;
  /** Called at each look at which ticks go on. */
  readonly onHeartbeat?: () => void;
}

/** It looks so often, ms. */
const LOOK = 1_000;

export class TickWatchdog {
  private begun = 0;
  private ended = 0;
  private atLastLook = 0;
  /**
   * Looks in a row without an end of a tick. Looks are counted, not time: a process that was stopped for half a minute, or a
   * machine that slept, has not looked either.
   */
  private still = 0;
  private cancel: () => void;

  constructor(private readonly options: TickWatchdogOptions) {
    this.cancel = options.clock.after(LOOK, this.look);
  }

  /** Ticks go on. */
  get isTicking(): boolean {
    return this.still * LOOK < Math.min(5_000, this.options.timeout);
  }

  /** Runs a tick, and knows of it. */
  async during<T>(tick: () => Promise<T>): Promise<T> {
    this.begun++;
    try {
      return await tick();
    } finally {
      this.ended++;
    }
  }

  stop(): void {
    this.cancel();
  }

  private readonly look = (): void => {
    this.cancel = this.options.clock.after(LOOK, this.look);
    const busy = this.begun > this.ended;
    this.still = this.ended === this.atLastLook && busy ? this.still + 1 : 0;
    this.atLastLook = this.ended;
    if (this.still === Math.ceil(this.options.timeout / LOOK)) this.options.onStalled();
    if (this.isTicking) this.options.onHeartbeat?.();
  };
}
