/** Connects the alerts to the parts of the server that they watch. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Cluster } from '../cluster/open-cluster.ts';
import type { Problem } from '../operations/alerts/alert.ts';
import { type Alerts, openAlerts } from '../operations/alerts/open-alerts.ts';
import type { ExhaustionWatch } from '../operations/exhaustion.ts';
import type { TickWatchdog } from '../operations/tick-watchdog.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { ConnectionLimits } from '../realtime/limits/connection-limits.ts';
import type { RoomServer } from '../realtime/room-server.ts';
import { SETTLED } from '../realtime/sessions/room-walls.ts';
import type { RoomRegistry } from '../rooms/room-registry.ts';
import type { Config } from '../settings/server.ts';
import type { JournalWriter } from '../storage/journal-writer.ts';
import type { Store } from '../storage/store.ts';

export interface StartAlertsOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly date: () => number;
  readonly log: Log;
  readonly hostStore: Store;
  readonly rooms: RoomRegistry;
  readonly http: Server;
  readonly connectionLimits: ConnectionLimits;
  readonly journalWriter: JournalWriter | undefined;
  readonly watchdog: TickWatchdog;
  readonly descriptors: ExhaustionWatch;
  readonly cluster: Pick<Cluster, 'refused'> | undefined;
  /** Visitors' connections, at most. */
  readonly connections: number;
}

/** @returns undefined if neither a webhook nor metrics want alerts */
export async function startAlerts(options: StartAlertsOptions): Promise<Alerts | undefined> {
  const { config, clock, date, log, hostStore, rooms, journalWriter } = options;
  const { http, connectionLimits, connections, watchdog, descriptors } = options;
  if (config.alerts === undefined && config.metrics === 'none') return undefined;
  /** TCP connections at the last check; Node.js counts them asynchronously. */
  let tcp = 0;
  const refusesAll = (): string | undefined => {
    http.getConnections((_, count = 0) => {
      tcp = count;
    });
    if (!watchdog.isTicking) return 'the rooms have stopped.';
    if (!descriptors.hasSome) return 'the process has no file descriptors left.';
    const isFull = connectionLimits.open >= connections || tcp >= http.maxConnections;
    return isFull ? 'all connections are in use.' : undefined;
  };
  const { port } = http.address() as AddressInfo;
  const alerts = await openAlerts({
    ...{ clock, date, log, store: hostStore, url: config.alerts },
    // Servers of a cluster have one store. Names of machines and ports outlive processes.
    record: options.cluster ? `alerts/${hostname()}:${port}` : 'alerts',
    sources: {
      rooms: () =>
        [...rooms.roomServers.keys()].map((name) => {
          const { pace, participants, waiting, settings } = rooms.summary(name);
          const isFull = participants >= settings.capacity;
          return { name, pace, turnsAway: isFull && waiting >= DEFAULTS.stream.maxWaiting };
        }),
      single: () => [
        ...[...rooms.roomServers].flatMap(([room, server]) => wallProblems(room, server)),
        ...refusedRooms(options.cluster),
      ],
      refusesAll,
      isPersisting: () => journalWriter?.isPersisting,
      diskLow: () => (journalWriter?.isDiskFull ? 'The disk is full.' : undefined),
    },
  });
  // Places remember that their walls are lost; of a room without any, only its alert does.
  for (const { alert, room = '', wall } of alerts.open) {
    if (alert === 'wall-lost' && wall === undefined) rooms.roomServers.get(room)?.walls.startBare();
  }
  return alerts;
}

/** Rooms that stand still, as the cluster does not take what they would store. */
function refusedRooms(cluster: StartAlertsOptions['cluster']): Problem[] {
  const refused = [...(cluster?.refused() ?? [])];
  return refused.map(([room, text]) => ({ alert: 'nobody-can-join', room, text }));
}

/**
 * Walls that are lost. Outside the opening hours they may be switched off. One whose browser
 * crashes again and again is up for moments, so it is back only once it has settled.
 */
export function wallProblems(
  room: string,
  { walls, policy }: Pick<RoomServer, 'walls' | 'policy'>,
): Problem[] {
  const { states, isBare, upCount } = walls;
  const places = states.filter(({ id }) => id !== null);
  const common = { alert: 'wall-lost', room, isExpected: policy.isDimmed } as const;
  if (places.length === 0 && isBare) {
    const text = `The room "${room}" has no wall any more.`;
    return [{ ...common, isRecovering: upCount > 0, text }];
  }
  const unsettled = places.filter(({ lost, upFor }) => {
    return lost !== null || (upFor !== null && upFor < SETTLED);
  });
  return unsettled.map(({ name: wall, lost }) => {
    const text = `The wall "${wall}" of the room "${room}" is lost.`;
    return { ...common, wall, isRecovering: lost === null, text };
  });
}
