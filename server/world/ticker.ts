/**
 * Schedules the ticks of rooms at their rates without drift: each tick is due at a multiple of the
 * period, however late the previous one was. Missed ticks are dropped, and the room counts as slow.
 * Rooms tick together as long as they keep their rates. A room that cannot keep its rate ticks
 * apart, so that it does not hold up the others.
 */
import type { Clock } from '../platform/clock.ts';
import type { Room } from './room.ts';

/** Nominal and actual tick rate of a room. */
export interface Pace {
  /** Nominal ticks per second. */
  readonly tickRate: number;
  /** Ticks per second over the last two seconds. */
  readonly actual: number;
  /** Whether the room falls behind its nominal rate. */
  readonly slow: boolean;
}

/** Share of the nominal rate below which a room counts as slow. */
const SLOW_BELOW = 0.9;
/** Time over which `actual` is measured, ms. */
const PACE_WINDOW = 2_000;

/** Weight of the last tick in the mean duration. */
const LAST_TICK = 0.1;

/** Share of its period below which a room's tick must stay before the room rejoins the others. */
const TOGETHER_BELOW = 0.5;

class Schedule {
  /** Due time of the next tick, ms. */
  due: number;
  /** Whether the room ticks apart from the others. */
  isApart = false;
  /** The tick in progress. */
  busy: Promise<void> | undefined;
  /** Start times of recent ticks, in ms. */
  private startTimes: number[] = [];

  constructor(
    private rate: number,
    private readonly since: number,
    now: number,
  ) {
    this.due = now > since ? this.align(now) : since;
  }

  /** Changes the rate from the next tick on. */
  setRate(rate: number, now: number): void {
    this.rate = rate;
    this.due = this.align(now);
  }

  /** Drops the ticks that were missed while the room was held. */
  realign(now: number): void {
    this.startTimes = [];
    this.due = this.align(now);
  }

  begin(now: number): void {
    this.startTimes = [...this.startTimes.filter((at) => at > now - PACE_WINDOW), now];
    this.due += 1000 / this.rate;
    if (this.due <= now) this.due = this.align(now);
  }

  /** @param took duration of the tick that has ended, ms */
  end(took: number): void {
    this.busy = undefined;
    this.isApart = took * this.rate > 1000 * (this.isApart ? TOGETHER_BELOW : 1);
  }

  pace(now: number): Pace {
    const first = this.startTimes[0] ?? now;
    // Only time beyond one period since the last tick shows that the room is slow.
    const until = Math.max(this.startTimes.at(-1) ?? now, now - 1000 / this.rate);
    const actual =
      this.startTimes.length < 2
        ? this.rate
        : ((this.startTimes.length - 1) * 1000) / Math.max(1, until - first);
    const capped = Math.min(this.rate, actual);
    return { tickRate: this.rate, actual: capped, slow: capped < SLOW_BELOW * this.rate };
  }

  /** Returns the first multiple of the period after `now`: rooms of equal rate tick together. */
  private align(now: number): number {
    const period = 1000 / this.rate;
    return this.since + (Math.floor((now - this.since) / period) + 1) * period;
  }
}

/** How late a tick began, and how long it took. */
export interface TickTiming {
  /** Delay between due time and start, ms. */
  readonly late: number;
  /** Time until the tick was stored and, unless deferred, broadcast, ms. */
  readonly took: number;
}

export interface TickerOptions {
  readonly clock: Clock;
  /**
   * Runs one tick of some rooms; their next tick waits until the promise resolves.
   *
   * @param isApart whether this is a single room that cannot keep its rate and should leave the
   *   engine to other rooms now and then
   */
  readonly tick: (rooms: Room[], isApart: boolean) => Promise<void>;
  readonly onTick?: ((timing: TickTiming) => void) | undefined;
  /**
   * Called after each tick with the due time of the next, or with the present time while other
   * rooms tick. Not called if no tick is planned.
   */
  readonly onPause?: ((until: number) => void) | undefined;
  /** Called when a tick fails, after the ticker has stopped. */
  readonly onError: (error: unknown) => void;
}

/** Runs due rooms together, one tick at a time. A room too slow for that ticks by itself. */
export class Ticker {
  private readonly schedules = new Map<Room, Schedule>();
  /** Number of holds per room. */
  private readonly holds = new Map<Room, number>();
  private readonly start: number;
  private cancel: (() => void) | undefined;
  /** The tick in progress of the rooms that tick together. */
  private together: Promise<void> | undefined;
  private stopped = false;
  /** Moving average of tick durations, ms; undefined before the first tick. */
  meanTick: number | undefined;

  constructor(private readonly options: TickerOptions) {
    this.start = options.clock.now();
  }

  /** Starts ticking a room. @param rate ticks per second, 1…60 @throws RangeError */
  add(room: Room, rate: number): void {
    const schedule = new Schedule(validRate(rate), this.start, this.options.clock.now());
    this.schedules.set(room, schedule);
    this.plan();
  }

  /** Stops ticking a room. Resolves when the tick in progress is done. */
  async remove(room: Room): Promise<void> {
    const busy = this.schedules.get(room)?.busy;
    this.schedules.delete(room);
    this.holds.delete(room);
    await busy;
  }

  /** Pauses a room until each hold is released. Resolves when the tick in progress is done. */
  async hold(room: Room): Promise<void> {
    this.holds.set(room, 1 + (this.holds.get(room) ?? 0));
    await this.schedules.get(room)?.busy;
  }

  /** Releases one hold of a room. */
  resume(room: Room): void {
    const now = this.options.clock.now();
    const holds = (this.holds.get(room) ?? 0) - 1;
    if (holds > 0) {
      this.holds.set(room, holds);
      return;
    }
    if (this.holds.delete(room)) this.schedules.get(room)?.realign(now);
    this.plan();
  }

  /** Changes a room's rate. @param rate ticks per second, 1…60 @throws RangeError */
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

  /** Stops all rooms. Resolves when the ticks in progress are done. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.cancel?.();
    await Promise.all([this.together, ...[...this.schedules.values()].map(({ busy }) => busy)]);
  }

  private get awake(): [Room, Schedule][] {
    return [...this.schedules].filter(([room]) => !this.holds.has(room));
  }

  /** Rooms that may begin a tick now. */
  private get idle(): [Room, Schedule][] {
    return this.awake.filter(([, { busy, isApart }]) => !busy && (isApart || !this.together));
  }

  /** Due time of the next tick, ms. */
  private get next(): number {
    return Math.min(...this.awake.map(([, schedule]) => schedule.due));
  }

  /** Sets the timer for the next tick. @returns whether a timer was set */
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
    // Plan even if no room was due: timers have millisecond resolution and may fire early.
    this.plan();
  }

  /** Begins a tick of some rooms. The promise resolves when it has ended; it never rejects. */
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
        // While other rooms tick, no time is left. Report even that, for callers that wait for
        // pauses.
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

/** Maximum deferral, ms. The next tick begins sooner unless its room was just closed or held. */
const MAX_DELAY = 5;

/** Holds at most one piece of work until `run`, the next `defer` or a short timeout. */
export class DeferredWork {
  private work: (() => void) | undefined;
  private cancel: (() => void) | undefined;

  /** @param onError receives what deferred work throws; `run` and `defer` never throw */
  constructor(
    private readonly clock: Pick<Clock, 'after'>,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** Defers work. Work that is already deferred runs first. */
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
