/** Tells systemd, where it is there, that the server is up and alive: `Type=notify` and `WatchdogSec` of its unit. */
import { execFile } from 'node:child_process';

/** The exit code of a server that wants to be started anew: that of a failure that passes (sysexits.h). */
export const RESTART_CODE = 75;

/** Whether something starts the server anew when it ends. */
export function isSupervised(
  told: 'auto' | 'yes' | 'no',
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  if (told !== 'auto') return told === 'yes';
  return environment.NOTIFY_SOCKET !== undefined || environment.INVOCATION_ID !== undefined;
}

/**
 * Node has no datagram sockets of Unix, so systemd's own program speaks for us (`NotifyAccess=all`).
 *
 * @param every at most so often, ms
 * @returns undefined where nobody listens
 */
export function findSupervisor(
  environment: Readonly<Record<string, string | undefined>>,
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
