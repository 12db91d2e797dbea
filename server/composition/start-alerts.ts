/** Finds the problems of a server, and starts the alerts about them. */
import type { Server } from 'node:http';
import { hostname } from 'node:os';
import { DEFAULTS } from '../../shared/defaults.ts';
import type { RoomSummary } from '../../shared/host/state.ts';
import type { Cluster } from '../cluster/open-cluster.ts';
import { type Alerts, openAlerts, type Problem } from '../operations/alerts.ts';
import type { ExhaustionWatch, TickWatchdog } from '../operations/watches.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { ConnectionLimits } from '../realtime/limits/connection-limits.ts';
import type { RoomServer } from '../realtime/room-server.ts';
import { SETTLED } from '../realtime/sessions/room-walls.ts';
import type { RoomRegistry } from '../rooms/room-registry.ts';
import type { Config } from '../settings/server.ts';
import type { JournalWriter } from '../storage/journal-writer.ts';
import type { Store } from '../storage/store.ts';

/** The parts of the server that the alerts watch. */
interface Watched {
  readonly rooms: Pick<RoomRegistry, 'roomServers' | 'summary'>;
  readonly http: Pick<Server, 'getConnections' | 'maxConnections'>;
  readonly connectionLimits: Pick<ConnectionLimits, 'open'>;
  readonly limits: { readonly connections: number };
  readonly journalWriter: Pick<JournalWriter, 'isPersisting' | 'isDiskFull'> | undefined;
  readonly watchdog: Pick<TickWatchdog, 'isTicking'>;
  readonly descriptors: Pick<ExhaustionWatch, 'hasSome'>;
  readonly cluster: Pick<Cluster, 'refused'> | undefined;
}

export interface StartAlertsOptions extends Watched {
  readonly config: Pick<Config, 'alerts' | 'metrics'>;
  readonly clock: Clock;
  readonly date: () => number;
  readonly log: Log;
  readonly hostStore: Store;
  readonly bound: () => { readonly port: number };
}

/** Starts the alerts. @returns undefined if neither a webhook nor metrics use alerts */
export async function startAlerts(options: StartAlertsOptions): Promise<Alerts | undefined> {
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
    return isFull ? 'all connections are in use. Raise connections in --limits.' : undefined;
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
  if (participants >= settings.capacity && waiting >= DEFAULTS.stream.maxWaiting) {
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
