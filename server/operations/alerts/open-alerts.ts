/** Watches a server and announces its problems to the webhook; remembers both across restarts. */

import * as v from 'valibot';
import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import type { Store } from '../../storage/store.ts';
import { type AlertMessage, alertMessage, type Problem } from './alert.ts';
import { AlertMonitor } from './alert-monitor.ts';

/** Messages that may wait; the oldest is dropped for one more. */
export const MAX_WAITING = 64;
/** Time for a request, ms. */
const TIMEOUT = 10_000;
/** Pauses after failed requests, ms: doubled each time. */
const PAUSE = { first: 1_000, longest: 300_000 };

/** How a request ended: the status of the answer, or the reason why there is none. */
export type PostResult = number | string;

/** Posts a JSON text. Must not reject. */
export type Post = (url: string, body: string, signal: AbortSignal) => Promise<PostResult>;

export interface WebhookOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Left over from an earlier process. */
  readonly waiting?: readonly AlertMessage[];
  /** Called when a message has been delivered or dropped. */
  readonly onChange: () => void;
  readonly post?: Post;
}

/** Redirects are not followed: only the host's own URL is ever requested. */
const postJson: Post = async (url, body, signal) => {
  try {
    const response = await fetch(url, {
      ...{ method: 'POST', body, redirect: 'manual' },
      headers: { 'content-type': 'application/json', 'user-agent': 'Vivarium' },
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]),
    });
    await response.body?.cancel();
    return response.status;
  } catch (error) {
    const { name, cause } = error as Error;
    return (cause as NodeJS.ErrnoException | undefined)?.code ?? name;
  }
};

/** Whether the receiver will refuse the same request again: all of 3xx and most of 4xx. */
const isFinal = (result: PostResult): boolean =>
  typeof result === 'number' && result >= 300 && result < 500 && ![408, 425, 429].includes(result);

/** The queue. */
export class Webhook {
  /** The messages that are not delivered yet, oldest first. */
  readonly waiting: AlertMessage[];
  private readonly stopped = new AbortController();
  private isSending = false;
  private failures = 0;
  private cancel = (): void => {};

  constructor(private readonly options: WebhookOptions) {
    this.waiting = [...(options.waiting ?? [])];
    void this.sendNext();
  }

  /** Queues a message. */
  send(message: AlertMessage): void {
    this.waiting.push(message);
    if (this.waiting.length > MAX_WAITING) {
      this.waiting.shift();
      this.warn('alert-dropped', 'Too many alerts wait; the oldest is dropped.');
    }
    void this.sendNext();
  }

  /** Ends all requests. What waits stays in `waiting`. */
  stop(): void {
    this.stopped.abort();
    this.cancel();
  }

  private async sendNext(): Promise<void> {
    const [message] = this.waiting;
    const { signal } = this.stopped;
    if (this.isSending || !message || signal.aborted) return;
    const { url, clock, post = postJson, onChange } = this.options;
    this.isSending = true;
    const result = await post(url, JSON.stringify(message), signal);
    if (signal.aborted) return;
    const isDelivered = typeof result === 'number' && result >= 200 && result < 300;
    if (isDelivered || isFinal(result)) {
      if (!isDelivered) this.warn('alert-dropped', `The receiver refuses an alert (${result}).`);
      this.failures = 0;
      this.isSending = false;
      // It may have been dropped meanwhile.
      if (this.waiting[0] === message) this.waiting.shift();
      onChange();
      return this.sendNext();
    }
    if (this.failures === 0) {
      this.warn('alert-not-sent', `An alert could not be sent (${result}); retrying.`);
    }
    const pause = Math.min(PAUSE.longest, PAUSE.first * 2 ** this.failures++);
    this.cancel = clock.after(pause, () => {
      this.isSending = false;
      void this.sendNext();
    });
  }

  /** The path of the URL may be a secret, so only its host is logged. */
  private warn(event: string, sentence: string): void {
    this.options.log.warn(event, sentence, { receiver: new URL(this.options.url).host });
  }
}

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
  /** Finds what is wrong now; called at every check. */
  readonly problems: () => readonly Problem[];
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
  const { clock, date, log, store, record: name, url } = options;
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
    problems: () => [...restarted(), ...options.problems()],
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
