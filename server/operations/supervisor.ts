/**
 * Recognises systemd as the supervisor of this process, notifies it that the server is ready and
 * alive (for `Type=notify` and `WatchdogSec` in the unit), and limits how often the server
 * restarts.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import type { Clock } from '../platform/clock.ts';
import type { Store } from '../storage/store.ts';

/** The exit code that asks a supervisor for a restart: EX_TEMPFAIL of sysexits.h. */
export const RESTART_CODE = 75;

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads one of a process's files in /proc; returns '' if the file cannot be read. */
function read(process: string, file: string): string {
  try {
    return readFileSync(`/proc/${process}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/**
 * Matches the control group of a system service. Services that start other people's programs, such
 * as cron and ssh, do not count.
 */
const SERVICE = /\/system\.slice\/(?!cron|atd|ssh)[^/\n]+\.service$/m;

/**
 * Whether systemd runs this process as a service, directly or through npm. A desktop terminal is a
 * systemd unit too, and programs started in it inherit systemd's environment variables. Therefore
 * the process must be the one that systemd started, or belong to a system service.
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
  // systemd before version 248 does not set SYSTEMD_EXEC_PID, and a script that systemd started may
  // have started this process. In both cases, look at the control group.
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
 * @param now returns the monotonic time, in ms
 * @param every minimum interval between two heartbeats, in ms
 * @returns undefined if systemd does not expect notifications
 */
export function findSupervisor(
  environment: Environment,
  now: () => number,
  every = 5_000,
): { ready(): void; beat(): void } | undefined {
  if (!environment.NOTIFY_SOCKET) return undefined;
  const notify = (state: string): void => {
    // Ignore a failure, because systemd's watchdog notices missing notifications.
    try {
      execFile('systemd-notify', [state], () => {});
    } catch {
      // `execFile` throws if there is no memory for another process.
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

/** The time of each restart, in ms since the epoch. */
const restartRecords = v.array(v.number());

/** Grants a limited number of restarts per hour. */
export class RestartLimit {
  private readonly started: number;

  /**
   * @param store stores when the server restarted; undefined if nothing is stored
   * @param date wall clock, ms since the epoch; it may be set back
   */
  constructor(
    private readonly store: Pick<Store, 'serverRecord' | 'putServerRecord'> | undefined,
    private readonly clock: Clock,
    private readonly date: () => number,
  ) {
    this.started = clock.now();
  }

  /**
   * Requests a restart, and records it before granting it. A restart that cannot be recorded is
   * granted only if the process has run for 1 h / `MOST_RESTARTS`. Thus the limit is kept even
   * without records.
   *
   * @returns whether the server may restart now
   */
  async take(): Promise<boolean> {
    const { store, date, clock } = this;
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
