/**
 * Finds problems of a server, and announces when they begin and when they are over: as messages to
 * a webhook, whose JSON schema is server/deploy/alert.schema.json, and as metrics. `ALERTS` names
 * the problems, and `problemFinder` finds them. Texts contain no text by visitors. Start reading at
 * `startAlerts`.
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
import { SETTLED } from '../realtime/sessions/watchers.ts';
import type { JournalWriter } from '../storage/journal-writer.ts';
import type { Store } from '../storage/store.ts';
import type { ExhaustionWatch, TickWatchdog } from './watches.ts';

/** The severities, from the least to the most severe. */
const SEVERITIES = ['info', 'warning', 'critical'] as const;
type Severity = (typeof SEVERITIES)[number];

const MINUTE = 60_000;

/**
 * The alerts, indexed by name. The message of an alert contains the name. `hold` is how long a
 * problem must last before it is announced, in ms. `over` tells the host that the problem is over.
 */
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
  slow: { severity: 'warning', hold: MINUTE, over: 'The room keeps its tick rate again.' },
  /** Sent when the host asks for it; never found by `problemFinder`. */
  test: { severity: 'info', hold: 0, over: '' },
} as const satisfies Record<string, { severity: Severity; hold: number; over: string }>;

type AlertName = keyof typeof ALERTS;

/** Something that is wrong now. Problems with the same alert differ in their room or wall. */
export interface Problem {
  readonly alert: AlertName;
  readonly room?: string | undefined;
  /** The wall's name, which the host has chosen. */
  readonly wall?: string | undefined;
  /** A sentence that describes the problem to the host. */
  readonly text: string;
  /** Replaces the usual severity of the alert. */
  readonly severity?: Severity;
  /**
   * Whether the problem is expected now. An expected problem is not announced. If it was announced
   * earlier, it stays open.
   */
  readonly isExpected?: boolean;
  /**
   * The problem seems to be over, perhaps only for a moment. While this is true, the problem is
   * neither announced nor cleared, and the duration does not count towards `hold`.
   */
  readonly isRecovering?: boolean;
}

/** The parts of the server that the alerts watch. */
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

/** Returns a function that finds all current problems of a server. */
export function problemFinder(server: Watched): () => Problem[] {
  const { rooms, http, connectionLimits, limits, journalWriter, watchdog, descriptors } = server;
  /** Number of TCP connections at the previous check; Node.js counts them asynchronously. */
  let tcp = 0;
  const whyNobodyCanJoin = (): string | undefined => {
    http.getConnections((_, count = 0) => {
      tcp = count;
    });
    if (!watchdog.isTicking) return 'the rooms have stopped. Restart the server.';
    if (!descriptors.hasSome) return 'the server has no file descriptors left. Restart it.';
    const isFull = connectionLimits.open >= limits.connections || tcp >= http.maxConnections;
    return isFull
      ? 'all connections are in use. Raise connections in --limits, or the limit of open files.'
      : undefined;
  };
  return () => {
    const problems = [...rooms.roomServers].flatMap(([room, roomServer]) => [
      ...wallProblems(room, roomServer),
      ...roomProblems(room, rooms.summary(room)),
    ]);
    // Rooms have stopped if the cluster refuses to store their changes.
    for (const [room, text] of server.cluster?.refused() ?? []) {
      problems.push({ alert: 'nobody-can-join', room, text });
    }
    const why = whyNobodyCanJoin();
    if (why) problems.push({ alert: 'nobody-can-join', text: `Nobody can join: ${why}` });
    if (journalWriter?.isPersisting === false) {
      const text =
        'Changes are not stored and will be lost if the server restarts. The log names the cause.';
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
 * Finds walls that are lost. Outside the opening hours this is expected, because walls may be
 * switched off. A wall counts as back only after it has stayed connected for a while, because a
 * wall whose browser keeps crashing is connected for moments.
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
/** The body of a webhook's request. */
export type AlertMessage = v.InferOutput<typeof alertMessage>;

/** Returns a key that tells problems apart. */
const keyOf = ({ alert, room, wall }: Omit<Problem, 'text'>): string =>
  JSON.stringify([alert, room, wall]);

const severityOf = ({ alert, severity }: Problem): Severity => severity ?? ALERTS[alert].severity;

/** Whether a problem has become more severe since it was announced. */
const isWorse = (problem: Problem, { severity }: AlertMessage): boolean =>
  SEVERITIES.indexOf(severityOf(problem)) > SEVERITIES.indexOf(severity);

/** Creates the message that announces a problem. @param date wall clock, ms since the epoch */
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
 * @param date wall clock, ms since the epoch
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
/** A problem that has not been found for this long counts as over, in ms. */
const CLEAR_AFTER = 10_000;

interface AlertsOptions {
  readonly clock: Clock;
  /** Wall clock, ms since the epoch. */
  readonly date: () => number;
  readonly log: Log;
  readonly store: Pick<Store, 'serverRecord' | 'putServerRecord'>;
  /** Name of the stored record. It must be unique among the servers that share the store. */
  readonly record: string;
  /** URL to post messages to; undefined if messages are not posted. */
  readonly url: string | undefined;
  /** Finds the current problems; called at every check. */
  readonly problems: () => readonly Problem[];
}

/** Finds problems once a second, and announces when they begin and end. */
export class AlertMonitor {
  /** The announced problems by key. `seen` is when a problem was last found (ms of the clock). */
  private readonly announced = new Map<string, { message: AlertMessage; seen: number }>();
  /** For the key of each problem not announced yet, how long the problem has lasted, in ms. */
  private readonly pending = new Map<string, number>();
  /** When the previous check was made (ms of the clock). */
  private checked: number;
  readonly stop: () => void;

  /** @param open the problems that an earlier process announced and that are not over yet */
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

  /** The messages about announced problems that are not over. */
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
    if (announced && !isWorse(problem, announced.message)) return;
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

/** Maximum number of messages in the queue. If there are more, the oldest are dropped. */
export const MAX_WAITING = 64;
/** How long to wait for the response to a request, in ms. */
const TIMEOUT = 10_000;
/** Pauses after failed requests, in ms. Each is twice as long as the previous one. */
const PAUSE = { first: 1_000, longest: 300_000 };

/** How a request ended: the status of the response, or the reason why there is none. */
export type PostResult = number | string;

/**
 * Posts JSON text. Does not follow redirects, so that only the host's own URL is ever requested.
 * Never rejects.
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

/** Whether a receiver has accepted a message. */
const isDelivered = (result: PostResult): boolean =>
  typeof result === 'number' && result >= 200 && result < 300;

/** Whether a retry would be useless, which is the case for all 3xx and most 4xx statuses. */
const isFinal = (result: PostResult): boolean =>
  typeof result === 'number' && result >= 300 && result < 500 && ![408, 425, 429].includes(result);

/** Sends messages to the webhook one by one, and retries. */
export class Webhook {
  /** Messages that are not delivered yet, oldest first. */
  readonly waiting: AlertMessage[];
  private readonly stopped = new AbortController();
  private isSending = false;
  private failures = 0;
  private cancel = (): void => {};

  /**
   * @param options.waiting messages that an earlier process could not deliver
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
      this.warn(
        'alert-dropped',
        'Too many alerts wait to be sent, so the oldest was dropped. Check the receiver of --alerts.',
      );
    }
    void this.sendNext();
  }

  /** Ends all requests. Undelivered messages stay in `waiting`. */
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
      if (!isDelivered(result))
        this.warn(
          'alert-dropped',
          `The receiver of --alerts rejected an alert (${result}), which was dropped. Check the receiver and its URL.`,
        );
      this.failures = 0;
      this.isSending = false;
      // The message may have been dropped from the queue during the request, so look for it.
      if (this.waiting[0] === message) this.waiting.shift();
      onChange();
      return this.sendNext();
    }
    if (this.failures === 0) {
      this.warn(
        'alert-not-sent',
        `An alert could not be sent (${result}). The server keeps retrying; check the receiver of --alerts.`,
      );
    }
    const pause = Math.min(PAUSE.longest, PAUSE.first * 2 ** this.failures++);
    this.cancel = clock.after(pause, () => {
      this.isSending = false;
      void this.sendNext();
    });
  }

  /** Logs a warning. The path of the URL may be a secret, so only its host is logged. */
  private warn(event: string, sentence: string): void {
    this.options.log.warn(event, sentence, { receiver: new URL(this.options.url).host });
  }
}

/** How long after its start a server counts as having just restarted, in ms. */
const FRESH = 60_000;

const alertRecord = v.strictObject({
  /** The messages about problems that were not over. */
  open: v.array(alertMessage),
  /** The messages that were not delivered. */
  waiting: v.array(alertMessage),
  /** Whether the process shut down in order. */
  stopped: v.boolean(),
});

export type Alerts = Awaited<ReturnType<typeof openAlerts>>;

/** Starts the alerts. An unreadable record counts as absent. */
export async function openAlerts(options: AlertsOptions) {
  const { clock, date, log, store, record: name, url } = options;
  const stored = await store.serverRecord(name, alertRecord).catch(() => undefined);
  const since = clock.now();
  const crashed = stored?.stopped === false;
  const restarted = (): Problem[] => {
    if (clock.now() - since >= FRESH) return [];
    const text = crashed
      ? 'The server has restarted after it ended unexpectedly.'
      : 'The server has started.';
    return [{ alert: 'server-restarted', text, ...(crashed && { severity: 'warning' }) }];
  };
  const keep = (stopped = false): Promise<void> => {
    const record = { open: monitor.open, waiting: webhook?.waiting ?? [], stopped };
    // Ignore a failure: if nothing can be stored, the journal raises its own alert.
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
    /** The messages about announced problems that are not over. */
    get open(): readonly AlertMessage[] {
      return monitor.open;
    },
    /**
     * Sends a test message, once and before all waiting messages.
     *
     * @returns undefined if it was delivered, otherwise the status or the reason why it was not
     */
    async test(): Promise<PostResult | undefined> {
      if (url === undefined) return 'no webhook';
      const text = 'This is a test. The host has asked for it, and nothing is wrong.';
      const message = raised({ alert: 'test', text }, date());
      const result = await postJson(url, JSON.stringify(message), new AbortController().signal);
      return isDelivered(result) ? undefined : result;
    },
    /** Ends the checks and stores the state of the alerts. Call it before the store is closed. */
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
 * @param options.config where to post alerts, and whether metrics report them
 * @returns undefined if neither a webhook nor metrics use alerts
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
    // Servers of a cluster share one store, so each needs a different record name. Machine names
    // and ports, unlike process ids, stay the same after a restart.
    record: options.cluster ? `alerts/${hostname()}:${options.bound().port}` : 'alerts',
  });
  // A wall's seat remembers that the wall is lost. In a room without wall seats, only the open
  // alert remembers that the last wall was lost, so restore that from the alert.
  for (const { alert, room = '', wall } of alerts.open) {
    if (alert === 'wall-lost' && wall === undefined) rooms.roomServers.get(room)?.walls.startBare();
  }
  return alerts;
}
