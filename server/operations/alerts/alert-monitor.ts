/**
 * Announces each problem once when it has lasted long enough, again when it gets more severe, and
 * once when it is over.
 */
import type { Clock } from '../../platform/clock.ts';
import {
  ALERTS,
  type AlertMessage,
  cleared,
  isWorse,
  keyOf,
  type Problem,
  raised,
} from './alert.ts';

/** Time between two checks, ms. */
const CHECK_INTERVAL = 1_000;
/** A problem counts as over when it has not been seen for this long, ms. */
const CLEAR_AFTER = 10_000;

export interface AlertMonitorOptions {
  readonly clock: Clock;
  /** Wall clock, ms since the epoch. */
  readonly date: () => number;
  /** What is wrong now. */
  readonly problems: () => readonly Problem[];
  /** Announced by an earlier process, and not over yet. */
  readonly open?: readonly AlertMessage[];
  readonly announce: (message: AlertMessage) => void;
}

/** Checks once a second. */
export class AlertMonitor {
  /** The announced problems, and when each was last seen, ms. */
  private readonly announced = new Map<string, { message: AlertMessage; seen: number }>();
  /** How long problems have lasted that are not announced yet, ms. */
  private readonly pending = new Map<string, number>();
  /** The last check, ms. */
  private checked: number;
  private cancel: () => void;

  constructor(private readonly options: AlertMonitorOptions) {
    const { clock, open = [] } = options;
    this.checked = clock.now();
    for (const message of open) this.announced.set(keyOf(message), { message, seen: clock.now() });
    this.cancel = clock.after(0, this.check);
  }

  /** The messages that announced what is still wrong. */
  get open(): AlertMessage[] {
    return [...this.announced.values()].map(({ message }) => message);
  }

  /** Ends the checks. */
  stop(): void {
    this.cancel();
  }

  private readonly check = (): void => {
    const { clock, problems } = this.options;
    const now = clock.now();
    const seen = new Map(problems().map((problem) => [keyOf(problem), problem]));
    for (const [key, problem] of seen) this.see(key, problem, now);
    for (const key of this.pending.keys()) {
      if (!seen.has(key)) this.pending.delete(key);
    }
    for (const [key, one] of this.announced) {
      if (now - one.seen >= CLEAR_AFTER) this.clear(key, one.message);
    }
    this.checked = now;
    this.cancel = clock.after(CHECK_INTERVAL, this.check);
  };

  private see(key: string, problem: Problem, now: number): void {
    const { date, announce } = this.options;
    const announced = this.announced.get(key);
    if (announced) announced.seen = now;
    if (announced && !isWorse(problem, announced.message)) return;
    const { isExpected, isRecovering } = problem;
    const before = isExpected ? undefined : this.pending.get(key);
    const lasted = before === undefined ? 0 : before + (isRecovering ? 0 : now - this.checked);
    this.pending.set(key, lasted);
    if (isExpected || isRecovering || lasted < ALERTS[problem.alert].hold) return;
    this.pending.delete(key);
    const message = raised(problem, date());
    this.announced.set(key, { message, seen: now });
    announce(message);
  }

  private clear(key: string, message: AlertMessage): void {
    this.announced.delete(key);
    this.options.announce(cleared(message, this.options.date()));
  }
}
