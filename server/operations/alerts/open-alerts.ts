/** Watches a server and announces its problems to the webhook; remembers both across restarts. */
import * as v from 'valibot';
import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import type { Store } from '../../storage/store.ts';
import { type AlertMessage, alertMessage, type Problem } from './alert.ts';
import { AlertMonitor } from './alert-monitor.ts';
import { findProblems, type ProblemSources } from './find-problems.ts';
import { Webhook } from './webhook.ts';

/** For this long after its start, a server counts as just restarted; ms. */
const FRESH = 60_000;

const alertRecord = v.strictObject({
  /** The messages that announced what was not over yet. */
  open: v.array(alertMessage),
  /** The messages that were not delivered yet. */
  waiting: v.array(alertMessage),
  /** Whether the process has shut down in order. */
  stopped: v.boolean(),
});

export interface AlertsOptions {
  readonly clock: Clock;
  /** Wall clock, ms since the epoch. */
  readonly date: () => number;
  readonly log: Log;
  readonly store: Pick<Store, 'serverRecord' | 'putServerRecord'>;
  /** Name of the record, which no other server has. */
  readonly record: string;
  /** Where to post messages; undefined: nowhere. */
  readonly url: string | undefined;
  readonly sources: ProblemSources;
}

/** The running alerts. */
export interface Alerts {
  /** The messages that announced what is still wrong. */
  readonly open: readonly AlertMessage[];
  /** Call it before the store is closed. */
  close(): Promise<void>;
}

/** Starts the checks. A record that cannot be read counts as absent. */
export async function openAlerts(options: AlertsOptions): Promise<Alerts> {
  const { clock, date, log, store, record: name, url, sources } = options;
  const stored = await store.serverRecord(name, alertRecord).catch(() => undefined);
  const since = clock.now();
  const crashed = stored?.stopped === false;
  const restarted = (): Problem[] => {
    if (clock.now() - since >= FRESH) return [];
    const text = crashed
      ? 'The server has started again after it ended unexpectedly.'
      : 'The server has started.';
    return [{ alert: 'server-restarted', text, ...(crashed && { severity: 'warning' }) }];
  };
  const keep = (stopped = false): Promise<void> => {
    const record = { open: monitor.open, waiting: webhook?.waiting ?? [], stopped };
    // If nothing can be stored, the journal's own notice says so.
    return store.putServerRecord(name, record).catch(() => {});
  };
  const webhook =
    url === undefined
      ? undefined
      : new Webhook({
          ...{ url, clock, log, waiting: stored?.waiting ?? [] },
          onChange: () => void keep(),
        });
  const monitor = new AlertMonitor({
    ...{ clock, date, open: stored?.open ?? [] },
    problems: () => [...restarted(), ...findProblems(sources)],
    announce: (message) => {
      webhook?.send(message);
      void keep();
    },
  });
  await keep();
  return {
    get open() {
      return monitor.open;
    },
    close: () => {
      monitor.stop();
      webhook?.stop();
      return keep(true);
    },
  };
}
