/**
 * The alerts that a server sends, and the message that announces one. The message's JSON schema is
 * server/deploy/alert.schema.json. Messages contain nothing that visitors have written.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import * as v from 'valibot';

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
