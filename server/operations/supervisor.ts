/** Tells systemd, where it is there, that the server is up and alive: `Type=notify` and `WatchdogSec` of its unit. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The exit code of a server that wants to be started anew: that of a failure that passes (sysexits.h). */
export const RESTART_CODE = 75;

type Environment = Readonly<Record<string, string | undefined>>;

/** What a process calls itself; '' where that is not known. */
function nameOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8');
  } catch {
    return '';
  }
}

/** The group that systemd has put this process into; '' where there is none. */
function ownGroup(): string {
  try {
    return readFileSync('/proc/self/cgroup', 'utf8');
  } catch {
    return '';
  }
}

/** A service of the system's own; those that start what others have told them to are none of ours. */
const SERVICE = /\/system\.slice\/(?!cron|atd|ssh)[^/\n]+\.service$/m;

/**
 * Whether this process is what a unit of systemd runs, itself or by npm. A desktop's terminals are units of systemd too, and
 * whatever is started in them inherits all that systemd has told the terminal; so it counts whom systemd has started, or that
 * this is in a service of the system.
 *
 * @param pid of this process
 */
export function isService(
  environment: Environment,
  pid = process.pid,
  name = nameOf,
  group = ownGroup,
): boolean {
  if (environment.NOTIFY_SOCKET) return true;
  const started = environment.SYSTEMD_EXEC_PID ?? '';
  if (started === `${pid}` || (/^\d+$/.test(started) && /^npm\b/.test(name(started)))) return true;
  // Before version 248, and where a script stands between, systemd says no more than this.
  return Boolean(environment.INVOCATION_ID) && SERVICE.test(group());
}

/** Whether something starts the server anew when it ends. */
export function isSupervised(told: 'auto' | 'yes' | 'no', environment: Environment): boolean {
  return told === 'auto' ? isService(environment) : told === 'yes';
}

/**
 * Node has no datagram sockets of Unix, so systemd's own program speaks for us (`NotifyAccess=all`).
 *
 * @param every at most so often, ms
 * @returns undefined where nobody listens
 */
export function findSupervisor(
  environment: Environment,
  now: () => number,
  every = 5_000,
): { ready(): void; beat(): void } | undefined {
  if (!environment.NOTIFY_SOCKET) return undefined;
  const notify = (state: string): void => {
    // Whether it worked shows soon enough; there is nobody to tell.
    execFile('systemd-notify', [state], () => {});
  };
  let last = -Infinity;
  return {
    ready: () => notify('READY=1'),
    beat() {
      if (now() - last < every) return;
      last = now();
      notify('WATCHDOG=1');
    },
  };
}
