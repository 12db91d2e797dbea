/**
 * The alerts that a server sends, and when: `ALERTS` names them, and `problemFinder` decides whether
 * one is due. It sends nothing itself: see alert-monitor.ts. Texts contain no text by visitors.
 */

import type { Server } from 'node:http';
import type { RoomSummary } from '../../shared/host/state.ts';
import type { ConnectionLimits } from '../realtime/limits/connection-limits.ts';
import type { RoomServer } from '../realtime/room-server.ts';
import { SEATS } from '../realtime/sessions/seats.ts';
import { SETTLED } from '../realtime/sessions/watchers.ts';
import type { JournalWriter } from '../storage/journal-writer.ts';
import type { ExhaustionWatch, TickWatchdog } from './watches.ts';

interface AlertKind {
  readonly severity: Severity;
  /** How long a problem must last before it is announced, in ms. */
  readonly hold: number;
  /** A sentence that tells the host that the problem is over. */
  readonly over: string;
}

/** The severities, from the least to the most severe. */
export const SEVERITIES = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

const MINUTE = 60_000;

/** The alerts, indexed by name. The message of an alert contains the name. */
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
} as const satisfies Record<string, AlertKind>;

export type AlertName = keyof typeof ALERTS;

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
export interface Watched {
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
    problems.push(...refusedRooms(server.cluster));
    const why = whyNobodyCanJoin();
    if (why) problems.push({ alert: 'nobody-can-join', text: `Nobody can join: ${why}` });
    if (journalWriter?.isPersisting === false) {
      const text =
        'Changes are not stored and will be lost if the server restarts. The log names the cause.';
      problems.push({ alert: 'not-kept', text });
    }
    if (journalWriter?.isDiskFull)
      problems.push({
        alert: 'disk-low',
        text: 'The disk of the data folder is full. Free some space.',
      });
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

/** Finds rooms that have stopped because the cluster refuses to store their changes. */
function refusedRooms(cluster: Watched['cluster']): Problem[] {
  const refused = [...(cluster?.refused() ?? [])];
  return refused.map(([room, text]) => ({ alert: 'nobody-can-join', room, text }));
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
