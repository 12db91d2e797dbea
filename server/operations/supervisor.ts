/** Tells systemd, where it is there, that the server is up and alive: `Type=notify` and `WatchdogSec` of its unit. */
import { execFile } from 'node:child_process';

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
