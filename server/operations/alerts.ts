/**
 * Detects problems of a server, and reports them to a webhook (JSON schema:
 * server/deploy/alert.schema.json) and in the metrics. The messages to the webhook never contain
 * text that visitors wrote. Start reading at `startAlerts`.
 */
import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import { hostname } from 'node:os';
import * as v from 'valibot';
import type { RoomSummary } from '../../shared/host/state.ts';
import { type Clock, repeat } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { ConnectionLimits } from '../realtime/limits/connection-limits.ts';
import type { RoomServer } from '../realtime/room-server.ts';
import { SEATS } from '../realtime/sessions/seats.ts';
import { SETTLED } from '../realtime/sessions/walls.ts';
import type { JournalWriter } from '../storage/journal-writer.ts';
import type { Store } from '../storage/store.ts';
import type { ExhaustionWatch, TickWatchdog } from './watches.ts';

/** The severities of alerts, least severe first. */
const SEVERITIES = ['info', 'warning', 'critical'] as const;
type Severity = (typeof SEVERITIES)[number];

const MINUTE = 60_000;

/**
 * The kinds of alerts, by name. `hold`: how long a problem must last before it is announced, in ms.
 * `over`: the text that announces the end of the problem.
 */
export const ALERTS = {
  'server-restarted': {
    severity: 'info',
    hold: 0,
    over: 'The server has been running for a minute.',
  },
  'wall-lost': { severity: 'warning', hold: MINUTE, over: 'The wall is back.' },
  'nobody-can-join': { severity: 'critical', hold: 10_000, over: 'Visitors can join again.' },
  'not-kept': {
    severity: 'critical',
    hold: 0,
    over: 'Storing works again. All changes in open rooms are stored.',
  },
  'disk-low': {
    severity: 'critical',
    hold: 0,
    over: 'The disk of the data folder has space again.',
  },
  slow: { severity: 'warning', hold: MINUTE, over: 'The room is no longer slow.' },
  /** A test message, sent at the host's request. */
  test: { severity: 'info', hold: 0, over: '' },
} as const satisfies Record<string, { severity: Severity; hold: number; over: string }>;

type AlertName = keyof typeof ALERTS;

/** A current problem, identified by `alert`, `room` and `wall`. */
export interface Problem {
  readonly alert: AlertName;
  readonly room?: string | undefined;
  /** Name that the host gave the lost wall, if any. */
  readonly wall?: string | undefined;
  readonly text: string;
  /** Severity of this problem, if it differs from the one in `ALERTS`. */
  readonly severity?: Severity;
  /** If true, the beginning of the problem is not announced. */
  readonly isExpected?: boolean;
  /**
   * If true, the problem seems to be over but may soon return. Meanwhile, neither the problem's
   * beginning nor its end is announced.
   */
  readonly isRecovering?: boolean;
}

interface Watched {
  readonly rooms: {
    readonly roomServers: ReadonlyMap<string, RoomServer>;
    summary(room: string): RoomSummary;
  };
  readonly http: Pick<Server, 'getConnections' | 'maxConnections'>;
  readonly connectionLimits: Pick<ConnectionLimits, 'open'>;
  readonly limits: { readonly connections: number };
  readonly journalWriter: Pick<JournalWriter, 'isPersisting' | 'isDiskFull'> | undefined;
  readonly watchdog: Pick<TickWatchdog, 'isTicking'>;
  readonly descriptors: Pick<ExhaustionWatch, 'hasSome'>;
  readonly cluster: { refused(): ReadonlyMap<string, string> } | undefined;
}

/** Creates a function that returns all current problems of a server. */
export function problemFinder(server: Watched): () => Problem[] {
  const { rooms, http, connectionLimits, limits, journalWriter, watchdog, descriptors } = server;
  /**
   * Number of TCP connections at the previous check. Node.js counts them asynchronously, so the
   * current number is not known yet.
   */
  let tcp = 0;
  const whyNobodyCanJoin = (): string | undefined => {
    http.getConnections((_, count = 0) => {
      tcp = count;
    });
    if (!watchdog.isTicking) return 'the rooms have stopped. Restart the server.';
    if (!descriptors.hasSome) return 'the server has no file descriptors left. Restart the server.';
    const isFull = connectionLimits.open >= limits.connections || tcp >= http.maxConnections;
    return isFull
      ? "all connections are in use. Raise `connections` in --limits, or the system's limit of open files."
      : undefined;
  };
  return () => {
    const problems = [...rooms.roomServers].flatMap(([room, roomServer]) => [
      ...wallProblems(room, roomServer),
      ...roomProblems(room, rooms.summary(room)),
    ]);
    // Report rooms that have stopped because the cluster refused to store their changes.
    for (const [room, text] of server.cluster?.refused() ?? []) {
      problems.push({ alert: 'nobody-can-join', room, text });
    }
    const why = whyNobodyCanJoin();
    if (why) problems.push({ alert: 'nobody-can-join', text: `Nobody can join: ${why}` });
    if (journalWriter?.isPersisting === false) {
      const text =
        "Changes are not stored and will be lost if the server restarts. The server's log names the cause.";
      problems.push({ alert: 'not-kept', text });
    }
    if (journalWriter?.isDiskFull) {
      const text = 'The disk of the data folder is full. Free some space.';
      problems.push({ alert: 'disk-low', text });
    }
    return problems;
  };
}

function roomProblems(room: string, summary: RoomSummary): Problem[] {
  const { pace, participants, waiting, settings } = summary;
  const problems: Problem[] = [];
  if (pace.slow) {
    const [actual, wanted] = [pace.actual.toFixed(1), pace.tickRate];
    const text = `Room "${room}" is slow: it runs at ${actual} instead of ${wanted} ticks per second.`;
    problems.push({ alert: 'slow', room, text });
  }
  if (participants >= settings.capacity && waiting >= SEATS.maxWaiting) {
    const text = `Nobody can join the room "${room}": the room and its queue are full.`;
    problems.push({ alert: 'nobody-can-join', room, text });
  }
  return problems;
}

/**
 * Finds lost walls: walls that are disconnected, or that have been connected only briefly, because
 * their browsers may be crashing repeatedly. Outside the opening hours, lost walls are expected.
 */
export function wallProblems(
  room: string,
  { walls, policy }: Pick<RoomServer, 'walls' | 'policy'>,
): Problem[] {
  const { states, isBare, upCount } = walls;
  const places = states.filter(({ id }) => id !== null);
  const common = { alert: 'wall-lost', room, isExpected: policy.isDimmed } as const;
  if (places.length === 0 && isBare) {
    const text = `The room "${room}" has lost its last wall. Check the wall's computer and network.`;
    return [{ ...common, isRecovering: upCount > 0, text }];
  }
  const unsettled = places.filter(({ lost, upFor }) => {
    return lost !== null || (upFor !== null && upFor < SETTLED);
  });
  return unsettled.map(({ name: wall, lost }) => {
    const text = `The wall "${wall}" of the room "${room}" is lost. Check the wall's computer and network.`;
    return { ...common, wall, isRecovering: lost === null, text };
  });
}

const alertMessage = v.strictObject({
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
export type AlertMessage = v.InferOutput<typeof alertMessage>;

const keyOf = ({ alert, room, wall }: Omit<Problem, 'text'>): string =>
  JSON.stringify([alert, room, wall]);

const severityOf = ({ alert, severity }: Problem): Severity => severity ?? ALERTS[alert].severity;

/** Creates the message that announces a problem. @param date current time, in ms since the epoch */
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

/**
 * Creates the message that announces the end of a problem.
 *
 * @param message the message that announced the problem
 * @param date current time, in ms since the epoch
 */
function cleared(message: AlertMessage, date: number): AlertMessage {
  const { alert, room, wall } = message;
  const names = [room && `Room "${room}"`, wall && `wall "${wall}"`].filter(Boolean).join(', ');
  return {
    ...message,
    ...{ id: randomUUID(), state: 'cleared', at: new Date(date).toISOString() },
    text: names ? `${names}: ${ALERTS[alert].over}` : ALERTS[alert].over,
  };
}

const CHECK_INTERVAL = 1_000;
/** How long a problem must be undetected before its end is announced, in ms. */
const CLEAR_AFTER = 10_000;

interface AlertsOptions {
  readonly clock: Clock;
  /** Returns the wall-clock time, in ms since the epoch. */
  readonly date: () => number;
  readonly log: Log;
  readonly store: Pick<Store, 'serverRecord' | 'putServerRecord'>;
  /** Name of the record in `store`. Servers that share a store need different names. */
  readonly record: string;
  /** URL of the webhook; undefined if there is none. */
  readonly url: string | undefined;
  readonly problems: () => readonly Problem[];
}

/** Checks for problems once a second, and announces their beginning and end. */
export class AlertMonitor {
  /**
   * Announced problems that are not over, by key. `seen`: when the problem was last detected
   * (monotonic clock, ms).
   */
  private readonly announced = new Map<string, { message: AlertMessage; seen: number }>();
  /** How long the problems that are not announced yet have lasted, in ms, by key. */
  private readonly pending = new Map<string, number>();
  /** Time of the previous check (monotonic clock, ms). */
  private checked: number;
  readonly stop: () => void;

  /**
   * @param open an earlier process's announcements of problems that were not over when that process
   *   ended
   */
  constructor(
    private readonly options: Pick<AlertsOptions, 'clock' | 'date' | 'problems'>,
    private readonly announce: (message: AlertMessage) => void,
    open: readonly AlertMessage[] = [],
  ) {
    const { clock } = options;
    this.checked = clock.now();
    for (const message of open) this.announced.set(keyOf(message), { message, seen: clock.now() });
    this.stop = repeat(clock, CHECK_INTERVAL, () => this.check(), 0);
  }

  /** The announcements of all problems that are not over. */
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
    const announced = this.announced.get(key);
    if (announced) announced.seen = now;
    const rank = SEVERITIES.indexOf(severityOf(problem));
    // Announce a problem again only if its severity has increased.
    if (announced && rank <= SEVERITIES.indexOf(announced.message.severity)) return;
    const { isExpected, isRecovering } = problem;
    const before = isExpected ? undefined : this.pending.get(key);
    const lasted = before === undefined ? 0 : before + (isRecovering ? 0 : now - this.checked);
    this.pending.set(key, lasted);
    if (isExpected || isRecovering || lasted < ALERTS[problem.alert].hold) return;
    this.pending.delete(key);
    const message = raised(problem, this.options.date());
    this.announced.set(key, { message, seen: now });
    this.announce(message);
  }

  private clear(key: string, message: AlertMessage): void {
    this.announced.delete(key);
    this.announce(cleared(message, this.options.date()));
  }
}

/** Maximum number of queued messages. If the queue is full, the oldest message is dropped. */
export const MAX_WAITING = 64;
/** Timeout of a request to the webhook, in ms. */
const TIMEOUT = 10_000;
/**
 * Pauses after failed requests, in ms. Each pause is twice as long as the previous one, up to
 * `longest`.
 */
const PAUSE = { first: 1_000, longest: 300_000 };

/** Result of a request: the HTTP status or, if there was no response, the error's code or name. */
export type PostResult = number | string;

/**
 * Posts JSON to a URL. Does not follow redirects, so that no other URL receives the data. Never
 * rejects.
 */
async function postJson(url: string, body: string, signal: AbortSignal): Promise<PostResult> {
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
}

const isDelivered = (result: PostResult): boolean =>
  typeof result === 'number' && result >= 200 && result < 300;

/** Returns whether a retry would be useless: for all 3xx statuses, and for most 4xx statuses. */
const isFinal = (result: PostResult): boolean =>
  typeof result === 'number' && result >= 300 && result < 500 && ![408, 425, 429].includes(result);

/**
 * Sends messages to the webhook one after another. Repeats a message until the receiver accepts it,
 * or rejects it with a status that makes a retry useless.
 */
export class Webhook {
  /** Undelivered messages, oldest first. */
  readonly waiting: AlertMessage[];
  private readonly stopped = new AbortController();
  private isSending = false;
  private failures = 0;
  private cancel = (): void => {};

  /**
   * @param options.waiting messages that an earlier process did not deliver
   * @param options.onChange called after a message has been delivered or dropped
   */
  constructor(
    private readonly options: Pick<AlertsOptions, 'clock' | 'log'> & {
      readonly url: string;
      readonly waiting?: readonly AlertMessage[];
      readonly onChange: () => void;
      readonly post?: typeof postJson;
    },
  ) {
    this.waiting = [...(options.waiting ?? [])];
    void this.sendNext();
  }

  send(message: AlertMessage): void {
    this.waiting.push(message);
    if (this.waiting.length > MAX_WAITING) {
      this.waiting.shift();
      const text =
        'Too many alerts were waiting to be sent, so the oldest alert was dropped. Check the receiver of --alerts.';
      this.warn('alert-dropped', text);
    }
    void this.sendNext();
  }

  /** Aborts the current request and stops retrying. Undelivered messages stay in `waiting`. */
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
    if (isDelivered(result) || isFinal(result)) {
      const text = `The receiver of --alerts rejected an alert (${result}), so the alert was dropped. Check the receiver and its URL.`;
      if (!isDelivered(result)) this.warn('alert-dropped', text);
      this.failures = 0;
      this.isSending = false;
      // The message may have been dropped from a full queue during the request.
      if (this.waiting[0] === message) this.waiting.shift();
      onChange();
      return this.sendNext();
    }
    if (this.failures === 0) {
      const text = `An alert could not be sent (${result}). The server keeps retrying. Check the receiver of --alerts.`;
      this.warn('alert-not-sent', text);
    }
    const pause = Math.min(PAUSE.longest, PAUSE.first * 2 ** this.failures++);
    this.cancel = clock.after(pause, () => {
      this.isSending = false;
      void this.sendNext();
    });
  }

  /** Logs a warning. Logs only the host of the webhook's URL, because the path may be a secret. */
  private warn(event: string, sentence: string): void {
    this.options.log.warn(event, sentence, { receiver: new URL(this.options.url).host });
  }
}

/** For how long after a start the problem `server-restarted` exists, in ms. */
const FRESH = 60_000;

const alertRecord = v.strictObject({
  /** Announcements of problems that were not over when the record was stored. */
  open: v.array(alertMessage),
  waiting: v.array(alertMessage),
  stopped: v.boolean(),
});

export type Alerts = Awaited<ReturnType<typeof openAlerts>>;

/**
 * Starts the alerts. If an earlier process has stored the state of the alerts, continues from that
 * state.
 */
export async function openAlerts(options: AlertsOptions) {
  const { clock, date, log, store, record: name, url } = options;
  const stored = await store.serverRecord(name, alertRecord).catch(() => undefined);
  const since = clock.now();
  const crashed = stored?.stopped === false;
  const restarted = (): Problem[] => {
    if (clock.now() - since >= FRESH) return [];
    const text = crashed
      ? 'The server has restarted after it crashed or was killed.'
      : 'The server has started.';
    return [{ alert: 'server-restarted', text, ...(crashed && { severity: 'warning' }) }];
  };
  const keep = (stopped = false): Promise<void> => {
    const record = { open: monitor.open, waiting: webhook?.waiting ?? [], stopped };
    // Ignore errors: if the store fails, the journal fails too, and that causes an alert.
    return store.putServerRecord(name, record).catch(() => {});
  };
  const webhook =
    url === undefined
      ? undefined
      : new Webhook({
          ...{ url, clock, log, waiting: stored?.waiting ?? [] },
          onChange: () => void keep(),
        });
  const problems = () => [...restarted(), ...options.problems()];
  const announce = (message: AlertMessage): void => {
    webhook?.send(message);
    void keep();
  };
  const monitor = new AlertMonitor({ clock, date, problems }, announce, stored?.open);
  await keep();
  return {
    /** The announcements of all problems that are not over. */
    get open(): readonly AlertMessage[] {
      return monitor.open;
    },
    /**
     * Sends a test message, before all queued messages and without retries.
     *
     * @returns undefined if the message was delivered; otherwise, the HTTP status or the error
     */
    async test(): Promise<PostResult | undefined> {
      if (url === undefined) return 'no webhook';
      const text = 'This is a test alert that the host requested. Nothing is wrong.';
      const message = raised({ alert: 'test', text }, date());
      const result = await postJson(url, JSON.stringify(message), new AbortController().signal);
      return isDelivered(result) ? undefined : result;
    },
    /** Ends the checks, and stores the state of the alerts. Call before closing the store. */
    close(): Promise<void> {
      monitor.stop();
      webhook?.stop();
      return keep(true);
    },
  };
}

/**
 * Starts the alerts of a server.
 *
 * @param options.config `alerts` is the URL of the webhook; `metrics` is 'none' if metrics are off
 * @returns undefined if there is neither a webhook nor metrics
 */
export async function startAlerts(
  options: Watched &
    Pick<AlertsOptions, 'clock' | 'date' | 'log'> & {
      readonly config: { readonly alerts?: string | undefined; readonly metrics: unknown };
      readonly hostStore: Store;
      readonly bound: () => { readonly port: number };
    },
): Promise<Alerts | undefined> {
  const { config, clock, date, log, hostStore: store, rooms } = options;
  if (config.alerts === undefined && config.metrics === 'none') return undefined;
  const alerts = await openAlerts({
    ...{ clock, date, log, store, url: config.alerts, problems: problemFinder(options) },
    // Servers of a cluster share a store. The record's name must be unique, and stay the same after
    // a restart.
    record: options.cluster ? `alerts/${hostname()}:${options.bound().port}` : 'alerts',
  });
  // If an alert about a lost wall names no wall seat (reserved place), nothing else in the store says
  // that the room has lost its wall. Mark the room as lacking a wall, so that its alert stays open.
  for (const { alert, room = '', wall } of alerts.open) {
    if (alert === 'wall-lost' && wall === undefined) rooms.roomServers.get(room)?.walls.startBare();
  }
  return alerts;
}
