/**
 * The alerts that a server sends, and the message that announces one. The message's JSON schema is
 * server/deploy/alert.schema.json. Messages contain nothing that visitors have written.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import * as v from 'valibot';
import { type Clock, repeat } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Store } from '../storage/store.ts';

interface AlertKind {
  readonly severity: Severity;
  /** A problem must last this long to be announced, ms. */
  readonly hold: number;
  /** The sentence that says that it is over. */
  readonly over: string;
}

/** From the least to the most. */
const SEVERITIES = ['info', 'warning', 'critical'] as const;
type Severity = (typeof SEVERITIES)[number];

const MINUTE = 60_000;

/** By name, which is part of the message. */
export const ALERTS = {
  'server-restarted': {
    severity: 'info',
    hold: 0,
    over: 'The server has been running for a minute.',
  },
  'wall-lost': { severity: 'warning', hold: MINUTE, over: 'The wall is back.' },
  'nobody-can-join': { severity: 'critical', hold: 10_000, over: 'Visitors can join again.' },
  'not-kept': { severity: 'critical', hold: 0, over: 'The rooms are stored again.' },
  'disk-low': { severity: 'critical', hold: 0, over: 'The disk has space again.' },
  slow: { severity: 'warning', hold: MINUTE, over: 'The ticks are on time again.' },
} as const satisfies Record<string, AlertKind>;

export type AlertName = keyof typeof ALERTS;

/** Something that is wrong now. Room and wall tell apart problems of the same name. */
export interface Problem {
  readonly alert: AlertName;
  readonly room?: string | undefined;
  /** The name that the host has given to the wall. */
  readonly wall?: string | undefined;
  /** One sentence for the host. */
  readonly text: string;
  /** Instead of the alert's usual one. */
  readonly severity?: Severity;
  /** It is expected now, so it is not announced; if it is announced already, it remains open. */
  readonly isExpected?: boolean;
  /**
   * It is better, perhaps for a moment only: meanwhile it is neither announced nor over, and this
   * time does not count to how long it has lasted.
   */
  readonly isRecovering?: boolean;
}

export const alertMessage = v.strictObject({
  version: v.literal(1),
  id: v.string(),
  server: v.string(),
  alert: v.picklist(Object.keys(ALERTS) as AlertName[]),
  state: v.picklist(['raised', 'cleared']),
  severity: v.picklist(SEVERITIES),
  room: v.optional(v.string()),
  wall: v.optional(v.string()),
  since: v.string(),
  at: v.string(),
  text: v.string(),
});
/** The body of a webhook's request. */
export type AlertMessage = v.InferOutput<typeof alertMessage>;

/** Tells problems apart. */
export const keyOf = ({ alert, room, wall }: Omit<Problem, 'text'>): string =>
  JSON.stringify([alert, room, wall]);

const severityOf = ({ alert, severity }: Problem): Severity => severity ?? ALERTS[alert].severity;

/** Whether a problem is more severe than it was when it was announced. */
export const isWorse = (problem: Problem, { severity }: AlertMessage): boolean =>
  SEVERITIES.indexOf(severityOf(problem)) > SEVERITIES.indexOf(severity);

/** @param date wall clock, ms since the epoch */
export function raised(problem: Problem, date: number): AlertMessage {
  const { alert, room, wall, text } = problem;
  const at = new Date(date).toISOString();
  return {
    ...{ version: 1, id: randomUUID(), server: hostname(), alert, state: 'raised' },
    severity: severityOf(problem),
    ...(room !== undefined && { room }),
    ...(wall !== undefined && { wall }),
    ...{ since: at, at, text },
  };
}

/** @param date wall clock, ms since the epoch */
export function cleared(message: AlertMessage, date: number): AlertMessage {
  const { alert, room, wall } = message;
  const names = [room && `Room "${room}"`, wall && `wall "${wall}"`].filter(Boolean).join(', ');
  return {
    ...message,
    ...{ id: randomUUID(), state: 'cleared', at: new Date(date).toISOString() },
    text: names ? `${names}: ${ALERTS[alert].over}` : ALERTS[alert].over,
  };
}

/** Time between two checks, ms. */
const CHECK_INTERVAL = 1_000;
/** A problem counts as over when it has not been seen for this long, ms. */
const CLEAR_AFTER = 10_000;

export interface AlertMonitorOptions {
  readonly clock: Clock;
  /** Wall clock, ms since the epoch. */
  readonly date: () => number;
  /** Finds the present problems. */
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
  /** Ends the checks. */
  readonly stop: () => void;

  constructor(private readonly options: AlertMonitorOptions) {
    const { clock, open = [] } = options;
    this.checked = clock.now();
    for (const message of open) this.announced.set(keyOf(message), { message, seen: clock.now() });
    this.stop = repeat(clock, CHECK_INTERVAL, () => this.check(), 0);
  }

  /** The messages that announced what is still wrong. */
  get open(): AlertMessage[] {
    return [...this.announced.values()].map(({ message }) => message);
  }

  private check(): void {
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
  }

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
export type Alerts = Awaited<ReturnType<typeof openAlerts>>;

/** Starts the checks. A record that cannot be read counts as absent. */
export async function openAlerts(options: AlertsOptions) {
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
    /** The messages that announced what is still wrong. */
    get open(): readonly AlertMessage[] {
      return monitor.open;
    },
    /** Call it before the store is closed. */
    close(): Promise<void> {
      monitor.stop();
      webhook?.stop();
      return keep(true);
    },
  };
}
