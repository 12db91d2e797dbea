/** The daily schedule: opening hours, outside which walls are dimmed, and the nightly restart. */
import { isDeepStrictEqual } from 'node:util';
import {
  ALWAYS_OPEN,
  closesNextDay,
  type Schedule,
  schedule,
} from '../../shared/host/opening-hours.ts';
import type { HostState } from '../../shared/host/state.ts';
import { type Clock, localTime } from '../platform/clock.ts';
import type { Store } from '../storage/store.ts';

export interface DailyScheduleOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** Returns the wall-clock time, in ms. */
  readonly date: () => number;
  /**
   * Called when the building opens or closes, and when the schedule changes.
   *
   * @param isClosingTime true if closing time has just been reached; false if the building is
   *   open, or is closed for another reason
   */
  readonly onChange: (isOpen: boolean, schedule: Schedule, isClosingTime: boolean) => void;
  readonly onRestart: () => void;
  /**
   * Whether a supervisor restarts the server after the process exits. If false, `next` never
   * reports a restart.
   */
  readonly isSupervised: boolean;
  /** Returns how long this server delays the scheduled restart, in ms. */
  readonly restartDelay?: () => number;
}

const MINUTE = 60_000;
/**
 * Maximum interval between checks of the schedule, in ms. It is short, so that a change of the
 * machine's clock is noticed soon.
 */
const LOOK = 30_000;
/** Yesterday's offset from today, in days. Yesterday's opening hours may end after midnight. */
const YESTERDAY = -1;
/** How many days ahead to search for the next day with opening hours. */
const MAX_AHEAD = 366;

/** Calls `onChange` and `onRestart` when opening, closing or a restart is due. */
export class DailySchedule {
  private cancel: (() => void) | undefined;
  private cancelRestart: (() => void) | undefined;
  private wasOpen = true;
  /**
   * Whether the schedule has been checked since the server started. The first check does not report
   * closing time, because the building may have closed long ago.
   */
  private isFollowing = false;
  /** When the schedule was last checked (wall clock, ms). */
  private looked: number;

  private constructor(
    private readonly options: DailyScheduleOptions,
    /** The current schedule. Use `set` to change it. */
    public schedule: Schedule,
  ) {
    this.looked = options.date();
  }

  /** Reads the stored schedule and starts following it. @throws StoreError */
  static async open(options: DailyScheduleOptions): Promise<DailySchedule> {
    const kept = await options.store.serverRecord('schedule', schedule);
    const hours = new DailySchedule(options, kept ?? ALWAYS_OPEN);
    hours.look();
    return hours;
  }

  get isOpen(): boolean {
    return isOpenAt(this.schedule, this.options.date());
  }

  get next(): HostState['next'] {
    const { isSupervised, date } = this.options;
    return nextOf(isSupervised ? this.schedule : { ...this.schedule, restart: null }, date());
  }

  /** Stores and applies a schedule. @throws StoreError */
  async set(wanted: Schedule): Promise<void> {
    await this.options.store.putServerRecord('schedule', wanted);
    this.schedule = wanted;
    this.look(true);
  }

  /** Applies the stored schedule, which another server may have changed. @throws StoreError */
  async reload(): Promise<void> {
    const kept = (await this.options.store.serverRecord('schedule', schedule)) ?? ALWAYS_OPEN;
    if (isDeepStrictEqual(kept, this.schedule)) return;
    this.schedule = kept;
    this.look(true);
  }

  stop(): void {
    this.cancel?.();
    this.cancelRestart?.();
  }

  private look(anyway = false): void {
    this.cancel?.();
    const { clock, date, onChange } = this.options;
    const now = date();
    const isOpen = isOpenAt(this.schedule, now);
    if (isOpen !== this.wasOpen || anyway) {
      this.wasOpen = isOpen;
      onChange(isOpen, this.schedule, !isOpen && !anyway && this.isFollowing);
    }
    this.isFollowing = true;
    const restart = restartAfter(this.schedule, this.looked);
    // Skip a restart that is more than ten minutes late, for example after the machine slept.
    const isDue = restart !== undefined && restart <= now && now - restart < 10 * MINUTE;
    this.looked = now;
    if (isDue) this.restart();
    const wait = (nextOf(this.schedule, now)?.at ?? Infinity) - now;
    this.cancel = clock.after(Math.max(1, Math.min(LOOK, wait)), () => this.look());
  }

  private restart(): void {
    const { clock, restartDelay, onRestart } = this.options;
    const delay = restartDelay?.() ?? 0;
    const { restart } = this.schedule;
    this.cancelRestart?.();
    if (delay === 0) onRestart();
    else {
      this.cancelRestart = clock.after(delay, () => {
        if (this.schedule.restart === restart) onRestart();
      });
    }
  }
}

/**
 * Finds the opening hours of a day.
 *
 * @param ahead number of days after the day of `moment`; may be negative
 */
function hoursOf(wanted: Schedule, moment: number, ahead: number): Schedule['days'][number] {
  const date = new Date(moment);
  date.setDate(date.getDate() + ahead);
  const day = localTime(date.getTime()).slice(0, 10);
  const exception = wanted.exceptions.findLast(({ first, last }) => first <= day && day <= last);
  // `days` begins with Monday, but `getDay()` counts from Sunday.
  return exception ? exception.hours : wanted.days[(date.getDay() + 6) % 7];
}

/** Converts a time of day, `days` days after the day of `moment`, to wall-clock time in ms. */
function at(moment: number, days: number, time: string): number {
  const [hours, minutes] = time.split(':').map(Number);
  const date = new Date(moment);
  // Add calendar days, not multiples of 24 hours, because of daylight saving time.
  date.setDate(date.getDate() + days);
  return date.setHours(hours, minutes, 0, 0);
}

/** Computes when a day's opening hours end. @returns wall-clock time, in ms */
const closing = (moment: number, days: number, hours: { from: string; to: string }): number =>
  at(moment, closesNextDay(hours) ? days + 1 : days, hours.to);

/** Returns whether the building is open. @param now wall-clock time, in ms */
export function isOpenAt(wanted: Schedule, now: number): boolean {
  if (!wanted.on) return true;
  return [YESTERDAY, 0].some((ahead) => {
    const hours = hoursOf(wanted, now, ahead);
    return hours && now >= at(now, ahead, hours.from) && now < closing(now, ahead, hours);
  });
}

/** Computes when the next restart after `moment` is due; undefined if none is scheduled. */
function restartAfter({ restart }: Schedule, moment: number): number | undefined {
  if (restart === null) return undefined;
  const today = at(moment, 0, restart);
  return today > moment ? today : at(moment, 1, restart);
}

function nextOf(wanted: Schedule, now: number): HostState['next'] {
  const coming: NonNullable<HostState['next']>[] = [];
  const restart = restartAfter(wanted, now);
  if (restart !== undefined) coming.push({ at: restart, what: 'restart' });
  let last = wanted.exceptions.length > 0 ? MAX_AHEAD : 7;
  for (let ahead = YESTERDAY; wanted.on && ahead <= last; ahead++) {
    const hours = hoursOf(wanted, now, ahead);
    if (!hours) continue;
    const events = [
      { at: at(now, ahead, hours.from), what: 'open' },
      { at: closing(now, ahead, hours), what: 'close' },
    ] as const;
    // The opening hours of two days may overlap or adjoin, and the building then stays open. So
    // omit times at which the building does not really open or close.
    const changes = events.filter(
      ({ at: time }) => time > now && isOpenAt(wanted, time) !== isOpenAt(wanted, time - 1),
    );
    coming.push(...changes);
    // After the first day with a change, check only one more day. The first day's opening hours may
    // last until after midnight, so the next day's opening hours may begin before they end.
    if (changes.length > 0) last = Math.min(last, ahead + 1);
  }
  return coming.sort((a, b) => a.at - b.at)[0] ?? null;
}
