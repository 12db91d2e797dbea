/**
 * Talks to the supervisor of the process: recognises systemd, notifies it that the server is ready
 * and alive (`Type=notify` and `WatchdogSec` of its unit), and limits restarts.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import type { Clock } from '../platform/clock.ts';
import type { Store } from '../storage/store.ts';

/** The exit code that asks a supervisor for a restart: EX_TEMPFAIL of sysexits.h. */
export const RESTART_CODE = 75;

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads a file of a process in /proc; '' if it cannot be read. */
function read(process: string, file: string): string {
  try {
    return readFileSync(`/proc/${process}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/**
 * Matches the control group of a system service. Services that run jobs for others, such as cron
 * and ssh, do not count.
 */
const SERVICE = /\/system\.slice\/(?!cron|atd|ssh)[^/\n]+\.service$/m;

/**
 * Whether systemd runs this process as a service, directly or through npm. A desktop terminal is a
 * systemd unit too, and programs started in it inherit its environment. So the process must be the
 * one that systemd started, or belong to a system service.
 *
 * @param pid the id of this process
 */
export function isService(
  environment: Environment,
  pid = process.pid,
  name = (other: string) => read(other, 'comm'),
  group = () => read('self', 'cgroup'),
): boolean {
  if (environment.NOTIFY_SOCKET) return true;
  const started = environment.SYSTEMD_EXEC_PID ?? '';
  if (started === `${pid}` || (/^\d+$/.test(started) && /^npm\b/.test(name(started)))) return true;
  // The case of systemd before version 248, or of a script between systemd and this process.
  return Boolean(environment.INVOCATION_ID) && SERVICE.test(group());
}

/** Whether a supervisor restarts the process when it exits. */
export function isSupervised(setting: 'auto' | 'yes' | 'no', environment: Environment): boolean {
  return setting === 'auto' ? isService(environment) : setting === 'yes';
}

/**
 * Connects to systemd through its `systemd-notify` program, because Node has no Unix datagram
 * sockets. The unit needs `NotifyAccess=all`.
 *
 * @param now monotonic time, ms
 * @param every shortest time between two heartbeats, ms
 * @returns undefined if systemd does not expect notifications
 */
export function findSupervisor(
  environment: Environment,
  now: () => number,
  every = 5_000,
): { ready(): void; beat(): void } | undefined {
  if (!environment.NOTIFY_SOCKET) return undefined;
  const notify = (state: string): void => {
    // A failure needs no handling: systemd's watchdog notices that notifications are missing.
    try {
      execFile('systemd-notify', [state], () => {});
    } catch {
      // Without memory for a process, this throws.
    }
  };
  let lastBeat = -Infinity;
  return {
    ready: () => notify('READY=1'),
    beat() {
      if (now() - lastBeat < every) return;
      lastBeat = now();
      notify('WATCHDOG=1');
    },
  };
}

const HOUR = 3_600_000;
/** Maximum number of restarts per hour. */
const MOST_RESTARTS = 3;
const RECORD = 'restarts';

/** Times of restarts, ms since the epoch. */
const restartRecords = v.array(v.number());

export interface RestartLimitOptions {
  /** Stores the times of restarts; undefined if nothing is stored. */
  readonly store: Pick<Store, 'serverRecord' | 'putServerRecord'> | undefined;
  readonly clock: Clock;
  /** Wall clock, ms since the epoch; it may be set back. */
  readonly date: () => number;
}

/** Grants a limited number of restarts per hour. */
export class RestartLimit {
  private readonly started: number;

  constructor(private readonly options: RestartLimitOptions) {
    this.started = options.clock.now();
  }

  /**
   * Requests a restart, and records it before granting it. If recording fails, the restart is
   * granted once the process has run for its share of an hour, which keeps the limit without
   * records.
   *
   * @returns whether the server may restart now
   */
  async take(): Promise<boolean> {
    const { store, date, clock } = this.options;
    const waited = clock.now() - this.started >= HOUR / MOST_RESTARTS;
    if (!store) return waited;
    try {
      const now = date();
      const times = (await store.serverRecord(RECORD, restartRecords)) ?? [];
      const recent = times.filter((time) => Math.abs(now - time) < HOUR);
      if (recent.length >= MOST_RESTARTS) return false;
      await store.putServerRecord(RECORD, [...recent, now]);
      return true;
    } catch {
      return waited;
    }
  }
}
