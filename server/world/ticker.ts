/**
 * Lets rooms tick at their rates without drift: each tick is due at a multiple of the period, however late the last
 * one was. A room that cannot keep its rate drops the ticks it has missed, slows, and says so.
 */
import type { Clock } from '../platform/clock.ts';
import type { Room } from './room.ts';

export interface Pace {
  /** Ticks per second asked for. */
  readonly tickRate: number;
  /** Ticks per second of late. */
  readonly actual: number;
  /** The room cannot keep its rate. */
  readonly slow: boolean;
}

/** Share of its rate under which a room counts as slow. */
const SLOW_BELOW = 0.9;
/** How far back `actual` looks, ms. */
const PACE_WINDOW = 2_000;

class Schedule {
  private due: number;
  /** When the ticks of late have begun. */
  private begun: number[] = [];

  constructor(
    private rate: number,
    private readonly since: number,
    now: number,
  ) {
    this.due = now > since ? this.align(now) : since;
  }

  get next(): number {
    return this.due;
  }

  /** The rate changes with the next tick. */
  setRate(rate: number, now: number): void {
    this.rate = rate;
    this.due = this.align(now);
  }

  /** It has stood still: what was due meanwhile is dropped. */
  realign(now: number): void {
    this.begun = [];
    this.due = this.align(now);
  }

  begin(now: number): void {
    this.begun = [...this.begun.filter((at) => at > now - PACE_WINDOW), now];
    this.due += 1000 / this.rate;
    if (this.due <= now) this.due = this.align(now);
  }

  pace(now: number): Pace {
    const first = this.begun[0] ?? now;
    // Of the time since the last tick only what goes beyond a period says that the room is slow.
    const until = Math.max(this.begun.at(-1) ?? now, now - 1000 / this.rate);
    const actual =
      this.begun.length < 2
        ? this.rate
        : ((this.begun.length - 1) * 1000) / Math.max(1, until - first);
    const rounded = Math.min(this.rate, actual);
    return { tickRate: this.rate, actual: rounded, slow: rounded < SLOW_BELOW * this.rate };
  }

  /** First multiple of the period after now; rooms of one rate stay in step with each other. */
  private align(now: number): number {
    const period = 1000 / this.rate;
    return this.since + (Math.floor((now - this.since) / period) + 1) * period;
  }
}

/** How a tick has gone. */
export interface TickTiming {
  /** How long after it was due it began, ms. */
  readonly late: number;
  /** From its beginning until all was kept, and told unless that is put off into the next one, ms. */
  readonly took: number;
}

export interface TickerOptions {
  readonly clock: Clock;
  /** Ticks these rooms together; the next tick waits for it. */
  readonly tick: (rooms: Room[]) => Promise<void>;
  /** A tick is done. */
  readonly onTick?: ((timing: TickTiming) => void) | undefined;
  /** A tick is done, and the next is due then. */
  readonly onPause?: ((until: number) => void) | undefined;
  /** A tick has failed; the ticker has stopped. */
  readonly onError: (error: unknown) => void;
}

export class Ticker {
  private readonly schedules = new Map<Room, Schedule>();
  /** How many hold each. */
  private readonly held = new Map<Room, number>();
  private readonly start: number;
  private cancel: (() => void) | undefined;
  private busy: Promise<void> | undefined;
  private stopped = false;

  constructor(private readonly options: TickerOptions) {
    this.start = options.clock.now();
  }

  /** @param rate ticks per second, 1…60 */
  add(room: Room, rate: number): void {
    const schedule = new Schedule(checkRate(rate), this.start, this.options.clock.now());
    this.schedules.set(room, schedule);
    this.plan();
  }

  /** The room ticks no more; resolves when the tick in progress is done. */
  async remove(room: Room): Promise<void> {
    this.schedules.delete(room);
    this.held.delete(room);
    await this.busy;
  }

  /** The room stands still, whatever its rate, until all who hold it resume it; resolves when the tick in progress is done. */
  async hold(room: Room): Promise<void> {
    this.held.set(room, 1 + (this.held.get(room) ?? 0));
    await this.busy;
  }

  resume(room: Room): void {
    const now = this.options.clock.now();
    const holds = (this.held.get(room) ?? 0) - 1;
    if (holds > 0) {
      this.held.set(room, holds);
      return;
    }
    if (this.held.delete(room)) this.schedules.get(room)?.realign(now);
    this.plan();
  }

  /** @param rate ticks per second, 1…60 */
  setRate(room: Room, rate: number): void {
    this.schedules.get(room)?.setRate(checkRate(rate), this.options.clock.now());
    this.plan();
  }

  pace(room: Room): Pace | undefined {
    return this.schedules.get(room)?.pace(this.options.clock.now());
  }

  /** Whether another tick is due already. */
  get isBehind(): boolean {
    return !this.stopped && this.next <= this.options.clock.now();
  }

  /** Stops; resolves when the tick in progress is done. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.cancel?.();
    await this.busy;
  }

  private get awake(): [Room, Schedule][] {
    return [...this.schedules].filter(([room]) => !this.held.has(room));
  }

  /** When the next tick is due. */
  private get next(): number {
    return Math.min(...this.awake.map(([, schedule]) => schedule.next));
  }

  /** @returns whether there will be a tick */
  private plan(): boolean {
    this.cancel?.();
    if (this.stopped || this.busy || this.awake.length === 0) return false;
    const wait = Math.max(0, this.next - this.options.clock.now());
    this.cancel = this.options.clock.after(wait, () => this.run());
    return true;
  }

  private run(): void {
    const now = this.options.clock.now();
    const due = this.awake.filter(([, schedule]) => schedule.next <= now + 0.5);
    if (due.length === 0) {
      // Timers know whole milliseconds, and so may be early.
      this.plan();
      return;
    }
    const late = Math.max(0, ...due.map(([, schedule]) => now - schedule.next));
    for (const [, schedule] of due) schedule.begin(now);
    this.busy = this.options
      .tick(due.map(([room]) => room))
      .then(() => this.options.onTick?.({ late, took: this.options.clock.now() - now }))
      .catch((error: unknown) => {
        this.stopped = true;
        this.options.onError(error);
      })
      .finally(() => {
        this.busy = undefined;
        if (this.plan()) this.options.onPause?.(this.next);
      });
  }
}

function checkRate(rate: number): number {
  if (!(rate >= 1 && rate <= 60)) throw new RangeError(`tick rate ${rate} is not in 1…60`);
  return rate;
}
