/**
 * Detects whether systemd supervises this process, notifies systemd that the server is ready and
 * alive, and limits how often the server restarts itself.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import type { Clock } from '../platform/clock.ts';
import type { Store } from '../storage/store.ts';

/** Exit code that asks the supervisor for a restart: EX_TEMPFAIL in sysexits.h. */
export const RESTART_CODE = 75;

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads a file of a process in /proc; returns '' if the file cannot be read. */
function read(process: string, file: string): string {
  try {
    return readFileSync(`/proc/${process}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/**
 * Matches the control group of a system service. Excludes cron, atd and ssh, because systemd does
 * not supervise programs that people start with these services.
 */
const SERVICE = /\/system\.slice\/(?!cron|atd|ssh)[^/\n]+\.service$/m;

/**
 * Returns whether systemd runs this process as a service, directly or through npm. The variable
 * NOTIFY_SOCKET is proof. Systemd's other variables are not, because programs in a desktop terminal
 * inherit them.
 *
 * @param pid id of this process
 * @param name returns the name of another process, by id
 * @param group returns the control groups of this process
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
  // SYSTEMD_EXEC_PID does not identify every service: systemd before version 248 does not set it,
  // and if a script starts this process, it is the id of the script. So also check the control
  // group.
  return Boolean(environment.INVOCATION_ID) && SERVICE.test(group());
}

/** Minimum interval between heartbeats sent to systemd, in ms. */
const BEAT_INTERVAL = 5_000;

/**
 * Creates functions that notify systemd through the program `systemd-notify`. Node itself does not
 * support Unix datagram sockets. The unit must set `NotifyAccess=all`.
 *
 * @returns undefined if systemd does not expect notifications
 */
export function findSupervisor(environment: Environment) {
  if (!environment.NOTIFY_SOCKET) return undefined;
  const notify = (state: string): void => {
    // Ignore errors: systemd's watchdog detects missing notifications.
    try {
      execFile('systemd-notify', [state], () => {});
    } catch {
      // `execFile` throws if there is not enough memory for another process.
    }
  };
  let lastBeat = -Infinity;
  return {
    ready: () => notify('READY=1'),
    beat() {
      const now = performance.now();
      if (now - lastBeat < BEAT_INTERVAL) return;
      lastBeat = now;
      notify('WATCHDOG=1');
    },
  };
}

const HOUR = 3_600_000;
/** Maximum number of restarts per hour that the server may request. */
const MOST_RESTARTS = 3;
const RECORD = 'restarts';

/** The stored record: the time of each restart, in ms since the epoch. */
const restartRecords = v.array(v.number());

/** Limits the number of restarts per hour. */
export class RestartLimit {
  private readonly started: number;

  /**
   * @param store stores the times of restarts; undefined if storage is off
   * @param date returns the wall-clock time, in ms since the epoch; may jump backwards
   */
  constructor(
    private readonly store: Pick<Store, 'serverRecord' | 'putServerRecord'> | undefined,
    private readonly clock: Clock,
    private readonly date: () => number,
  ) {
    this.started = clock.now();
  }

  /**
   * Requests permission for a restart, and stores the time of the request. If the time cannot be
   * stored, permits the restart only if the process has run for at least 1 h / `MOST_RESTARTS`.
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
