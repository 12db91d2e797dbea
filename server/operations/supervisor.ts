/**
 * Notifies systemd that the server is ready and alive (`Type=notify` and `WatchdogSec` of its
 * unit).
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The exit code that asks a supervisor for a restart: EX_TEMPFAIL of sysexits.h. */
export const RESTART_CODE = 75;

type Environment = Readonly<Record<string, string | undefined>>;

/** What the system says of a process; '' if unknown. */
function read(process: string, file: string): string {
  try {
    return readFileSync(`/proc/${process}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** A system service. Services that run jobs for others, such as cron and ssh, do not count. */
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
  // systemd before version 248, or a script between systemd and this process.
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
    // If it fails, systemd's watchdog notices.
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
