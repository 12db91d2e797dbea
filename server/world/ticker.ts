/**
 * Schedules the ticks of rooms. Each tick is due at a multiple of the period, even if the previous
 * tick was late. Missed ticks are dropped. Rooms tick together, but a room that cannot keep its
 * rate ticks separately, so that it does not delay the other rooms.
 */
import type { Clock } from '../platform/clock.ts';
import type { Room } from './room.ts';

export interface Pace {
  /** Nominal ticks per second. */
  readonly tickRate: number;
  /** Actual ticks per second over the last two seconds. */
  readonly actual: number;
  /** Whether the room is falling behind its nominal rate. */
  readonly slow: boolean;
}

/** A room is slow if its actual rate is below this share of its nominal rate. */
const SLOW_BELOW = 0.9;
/** A room's actual tick rate is measured over this time, in ms. */
const PACE_WINDOW = 2_000;

/** Weight of the latest tick in the moving average of tick durations. */
const LAST_TICK = 0.1;

/**
 * A room that ticks separately joins the other rooms again once a tick takes less than this share
 * of the room's period.
 */
const TOGETHER_BELOW = 0.5;

class Schedule {
  due: number;
  /** Whether the room ticks separately from the other rooms, because it cannot keep its rate. */
  isApart = false;
  /** The room's current tick; undefined between ticks. */
  busy: Promise<void> | undefined;
  /** Number of calls of `hold` without a matching `resume`. */
  holds = 0;
  /** Times at which recent ticks started, in ms. */
  private startTimes: number[] = [];

  constructor(
    private rate: number,
    private readonly since: number,
    now: number,
  ) {
    this.due = now > since ? this.align(now) : since;
  }

  setRate(rate: number, now: number): void {
    this.rate = rate;
    this.due = this.align(now);
  }

  /** Drops the ticks that the room missed while it was held. */
  realign(now: number): void {
    this.startTimes = [];
    this.due = this.align(now);
  }

  begin(now: number): void {
    this.startTimes = [...this.startTimes.filter((at) => at > now - PACE_WINDOW), now];
    this.due += 1000 / this.rate;
    if (this.due <= now) this.due = this.align(now);
  }

  /**
   * Ends the current tick, and decides whether the room ticks separately from now on.
   *
   * @param took duration of the tick, in ms
   */
  end(took: number): void {
    this.busy = undefined;
    this.isApart = took * this.rate > 1000 * (this.isApart ? TOGETHER_BELOW : 1);
  }

  pace(now: number): Pace {
    const first = this.startTimes[0] ?? now;
    // Do not count the time since the last tick began: the next tick may not be due yet, and
    // counting this time would lower the rate. After one period the next tick is late, so count the
    // time beyond one period.
    const until = Math.max(this.startTimes.at(-1) ?? now, now - 1000 / this.rate);
    const actual =
      this.startTimes.length < 2
        ? this.rate
        : ((this.startTimes.length - 1) * 1000) / Math.max(1, until - first);
    const capped = Math.min(this.rate, actual);
    return { tickRate: this.rate, actual: capped, slow: capped < SLOW_BELOW * this.rate };
  }

  /**
   * Returns the first multiple of the period after `now`. Rooms with equal rates thus tick
   * together.
   */
  private align(now: number): number {
    const period = 1000 / this.rate;
    return this.since + (Math.floor((now - this.since) / period) + 1) * period;
  }
}

export interface TickTiming {
  /** Delay between the tick's due time and its start, in ms. */
  readonly late: number;
  /**
   * Duration in ms, from the start of the tick until its events are stored. Includes the broadcast
   * of frames, unless the broadcast is deferred.
   */
  readonly took: number;
}

export interface TickerOptions {
  readonly clock: Clock;
  /**
   * Runs one tick of some rooms. These rooms do not tick again until the promise resolves.
   *
   * @param isApart true if `rooms` is a single room that is too slow for its rate. `tick` must then
   *   let other rooms use the engine between its own engine calls
   */
  readonly tick: (rooms: Room[], isApart: boolean) => Promise<void>;
  readonly onTick?: ((timing: TickTiming) => void) | undefined;
  /**
   * Called after each tick if another tick is planned, to announce the pause between the two.
   *
   * @param until end of the pause, in ms: when the next tick is due; the current time (no pause) if
   *   another room is still ticking
   */
  readonly onPause?: ((until: number) => void) | undefined;
  /** Called after a tick has failed and the ticker has stopped. */
  readonly onError: (error: unknown) => void;
}

/**
 * Runs the ticks of rooms. Rooms that are due at the same time tick together, and the next group
 * starts only after their tick. Rooms that are too slow tick separately.
 */
export class Ticker {
  private readonly schedules = new Map<Room, Schedule>();
  private readonly start: number;
  private cancel: (() => void) | undefined;
  /** Current tick of the rooms that tick together; undefined between ticks. */
  private together: Promise<void> | undefined;
  private stopped = false;
  /** Moving average of tick durations, in ms; undefined before the end of the first tick. */
  meanTick: number | undefined;

  constructor(private readonly options: TickerOptions) {
    this.start = options.clock.now();
  }

  /**
   * Starts ticking a room.
   *
   * @param rate ticks per second, 1…60
   * @throws RangeError if the rate is out of range
   */
  add(room: Room, rate: number): void {
    const schedule = new Schedule(validRate(rate), this.start, this.options.clock.now());
    this.schedules.set(room, schedule);
    this.plan();
  }

  /** Stops ticking a room. Resolves when the room's current tick is done. */
  async remove(room: Room): Promise<void> {
    const busy = this.schedules.get(room)?.busy;
    this.schedules.delete(room);
    await busy;
  }

  /**
   * Pauses a room until `resume` has been called as often as `hold`. Resolves when the room's
   * current tick is done.
   */
  async hold(room: Room): Promise<void> {
    const schedule = this.schedules.get(room);
    if (schedule) schedule.holds++;
    await schedule?.busy;
  }

  /** Undoes one call of `hold`. Once all calls are undone, the room ticks again. */
  resume(room: Room): void {
    const schedule = this.schedules.get(room);
    if (!schedule || schedule.holds === 0 || --schedule.holds > 0) return;
    schedule.realign(this.options.clock.now());
    this.plan();
  }

  /**
   * Changes a room's rate.
   *
   * @param rate ticks per second, 1…60
   * @throws RangeError if the rate is out of range
   */
  setRate(room: Room, rate: number): void {
    this.schedules.get(room)?.setRate(validRate(rate), this.options.clock.now());
    this.plan();
  }

  /** Returns a room's pace; undefined if this ticker does not run the room. */
  pace(room: Room): Pace | undefined {
    return this.schedules.get(room)?.pace(this.options.clock.now());
  }

  /** Whether the next tick is already due. */
  get isBehind(): boolean {
    return !this.stopped && this.next <= this.options.clock.now();
  }

  /** Stops all rooms. Resolves when all current ticks are done. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.cancel?.();
    await Promise.all([this.together, ...[...this.schedules.values()].map(({ busy }) => busy)]);
  }

  private get awake(): [Room, Schedule][] {
    return [...this.schedules].filter(([, { holds }]) => holds === 0);
  }

  /** Rooms that may begin a tick now. */
  private get idle(): [Room, Schedule][] {
    return this.awake.filter(([, { busy, isApart }]) => !busy && (isApart || !this.together));
  }

  /** When the next tick of any room is due, in ms. */
  private get next(): number {
    return Math.min(...this.awake.map(([, schedule]) => schedule.due));
  }

  /** Sets a timer for the next tick. @returns whether a timer was set */
  private plan(): boolean {
    this.cancel?.();
    const { idle } = this;
    if (this.stopped || idle.length === 0) return false;
    const due = Math.min(...idle.map(([, schedule]) => schedule.due));
    const wait = Math.max(0, due - this.options.clock.now());
    this.cancel = this.options.clock.after(wait, () => this.run());
    return true;
  }

  private run(): void {
    const now = this.options.clock.now();
    const due = this.idle.filter(([, schedule]) => schedule.due <= now + 0.5);
    const isApart = ([, schedule]: [Room, Schedule]): boolean => schedule.isApart;
    for (const one of due.filter(isApart)) this.begin([one], now);
    const others = due.filter((one) => !isApart(one));
    if (others.length > 0) this.together = this.begin(others, now);
    // Plan again even if no room was due, because a timer may fire up to a millisecond early.
    this.plan();
  }

  /**
   * Begins a tick of some rooms. The promise resolves at the end of the tick, and never rejects.
   */
  private begin(rooms: readonly [Room, Schedule][], now: number): Promise<void> {
    const { clock, tick, onTick, onError, onPause } = this.options;
    const late = Math.max(0, ...rooms.map(([, schedule]) => now - schedule.due));
    for (const [, schedule] of rooms) schedule.begin(now);
    const isApart = rooms[0][1].isApart && this.schedules.size > 1;
    const busy = tick(
      rooms.map(([room]) => room),
      isApart,
    )
      .then(() => {
        const took = clock.now() - now;
        const mean = this.meanTick ?? took;
        this.meanTick = mean + LAST_TICK * (took - mean);
        onTick?.({ late, took });
      })
      .catch((error: unknown) => {
        this.stopped = true;
        onError(error);
      })
      .finally(() => {
        for (const [, schedule] of rooms) schedule.end(clock.now() - now);
        if (this.together === busy) this.together = undefined;
        if (!this.plan()) return;
        // Call `onPause` even if another room is still ticking, because work may be waiting for
        // this call. In that case, pass the current time: there is no pause.
        const isQuiet = this.awake.every(([, schedule]) => !schedule.busy);
        onPause?.(isQuiet ? this.next : clock.now());
      });
    for (const [, schedule] of rooms) schedule.busy = busy;
    return busy;
  }
}

function validRate(rate: number): number {
  if (!(rate >= 1 && rate <= 60)) throw new RangeError(`tick rate ${rate} is not in 1…60`);
  return rate;
}

/**
 * Maximum delay of deferred work, in ms. The work usually runs when the next tick begins, but there
 * is no next tick if the room was closed or held.
 */
const MAX_DELAY = 5;

/**
 * Holds at most one deferred function. The function runs when `run` or the next `defer` is called,
 * or after `MAX_DELAY`.
 */
export class DeferredWork {
  private work: (() => void) | undefined;
  private cancel: (() => void) | undefined;

  /**
   * @param onError called with each error of the deferred work; `run` and `defer` do not throw
   *   these errors
   */
  constructor(
    private readonly clock: Pick<Clock, 'after'>,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** Defers work. If other work is already deferred, runs that work first. */
  defer(work: () => void): void {
    this.run();
    this.work = work;
    this.cancel = this.clock.after(MAX_DELAY, () => this.run());
  }

  run(): void {
    const { work } = this;
    this.cancel?.();
    this.work = this.cancel = undefined;
    try {
      work?.();
    } catch (error) {
      this.onError(error);
    }
  }
}
