/** Opens the services for the host: the token, sessions, the schedule, films, calls and files. */

import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { CALLS, pathOf } from '../../shared/host/api.ts';
import { type RoomSummary, roomSummary } from '../../shared/host/state.ts';
import type { Bus } from '../cluster/bus/bus.ts';
import type { RelayTarget } from '../cluster/bus/request-relay.ts';
import { RESTART_APART } from '../rooms/cluster-rooms.ts';
import { openMemory } from '../storage/records.ts';
import { Store } from '../storage/store.ts';
import { AccessTokens } from './access-tokens.ts';
import type { Host } from './calls.ts';
import { DailySchedule } from './daily-schedule.ts';
import { Farewells } from './farewells.ts';
import { FilmJobs } from './films.ts';
import { HostSessions } from './host-sessions.ts';
import { HostToken } from './host-token.ts';
import { LoginThrottle } from './login-throttle.ts';
import type { HostContext } from './room-operations.ts';
import { type ApiOptions, createHostApi, createRelayedApi } from './serve-calls.ts';
import { VisitCounter } from './visit-statistics.ts';

export interface HostOptions
  extends HostContext,
    Pick<ApiOptions, 'relay' | 'addressOf'>,
    Pick<Host, 'alerts'> {
  /** Whether to replace the host's token if one is stored. */
  readonly newToken: boolean;
  /** Carries messages between the servers of a cluster; undefined outside a cluster. */
  readonly bus: Bus | undefined;
  /** Ends the process so that a supervisor starts it again; undefined if there is no supervisor. */
  readonly restart: (() => void) | undefined;
}

/** Timeout for requesting the summary of a room from another server, in ms. */
const GLANCE = 1_000;
/** Timeout for asking another server about a checkpoint in its library, in ms. */
const READING = 10_000;

export type RunningHost = Awaited<ReturnType<typeof openHost>>;

/** Reads the stored token and schedule, and opens the services for the host. @throws StoreError */
export async function openHost(options: HostOptions) {
  const { bus, clock, date, log, rooms, cluster, hostStore: store, relay, addressOf } = options;
  const films = new FilmJobs({
    ...{ clock, date, engine: options.backend },
    warn: (message) => log.warn('film-not-made', message),
    onGone: (job) => {
      for (const { walls } of rooms.roomServers.values()) {
        if (walls.film?.id === job) walls.show(undefined);
      }
    },
  });
  if (cluster) cluster.films = () => films.states;
  const counter = new VisitCounter(options);
  const farewells = await Farewells.open(options);
  const hours = await openHours(options, farewells);
  const schedule = await followRecord(bus, 'host:schedule', () => hours.reload().catch(() => {}));
  /**
   * Sends a GET request to another server. Resolves to undefined if the answer is late or invalid.
   */
  const ask = async <T>(
    to: RelayTarget,
    path: string,
    schema: v.GenericSchema<unknown, T>,
    time: number,
  ): Promise<T | undefined> => {
    const answer = await relay()
      .get(to, path, time)
      .catch(() => {});
    const parsed = v.safeParse(schema, answer);
    return parsed.success ? parsed.output : undefined;
  };
  const summaryOf = async (known: RoomSummary): Promise<RoomSummary> => {
    const { name: room } = known;
    if (!cluster?.isElsewhere(room)) return known;
    const path = pathOf(CALLS.room.path, { room });
    return (await ask({ room }, path, roomSummary, GLANCE)) ?? known;
  };
  const warn = ({ message }: Error): void =>
    log.warn(
      'old-token',
      `The list of access tokens could not be read, so this server may still accept revoked tokens: ${message}`,
    );
  const changes = await followRecord(bus, 'host:access', () => access.reload().catch(warn));
  const access = await AccessTokens.open(store, clock, changes.announce);
  const library = await followRecord(bus, 'host:library', () =>
    options.library
      .reload()
      .catch(({ message }: Error) =>
        log.warn(
          'library-not-read',
          `The list of checkpoints that the host added could not be read: ${message}`,
        ),
      ),
  );
  const host: Host = {
    announceLibrary: library.announce,
    findElsewhere: (server, folder) => {
      const { path, answer } = CALLS.libraryCheckpoint;
      return ask({ server }, pathOf(path, { server, folder }), answer, READING);
    },
    ...{ ...options, films, counter, farewells, hours, access },
    announceSchedule: schedule.announce,
    ...{ isSupervised: options.restart !== undefined, summaryOf },
  };
  const token = await HostToken.open(store, options.newToken);
  // Without a cluster, keep sessions in memory and use the monotonic clock, so that changes of the
  // wall clock do not affect sessions.
  const sessionStore = cluster ? store : new Store(openMemory());
  const now = cluster ? date : () => clock.now();
  const sessions = new HostSessions(sessionStore, now, () => token.mark);
  const tokens = await followRecord(bus, 'host:token', () => token.reload().catch(warn));
  const throttle = await LoginThrottle.open(clock, bus);
  let isClosed = false;
  const suffix = createHash('sha256').update(options.secret).digest('hex').slice(0, 8);
  return {
    router: createHostApi({
      ...{ host, token, sessions, throttle, relay, addressOf },
      cookie: `vivarium-host-${suffix}`,
    }),
    /** Router for requests that another server of the cluster has already authenticated. */
    relayed: createRelayedApi(host, () => isClosed),
    token,
    counter,
    /**
     * Stores a newly created token, and notifies the other servers. Call this just before showing
     * the token.
     *
     * @throws StoreError
     */
    async keepToken(): Promise<void> {
      await token.keep(date());
      if (token.fresh !== undefined) tokens.announce();
    },
    async close(): Promise<void> {
      isClosed = true;
      for (const part of [throttle, schedule, tokens, changes, library]) part.close();
      hours.stop();
      farewells.close();
      for (const { walls } of rooms.roomServers.values()) walls.show(undefined);
      await films.close();
      await counter.close();
    },
  };
}

async function openHours(options: HostOptions, farewells: Farewells): Promise<DailySchedule> {
  const { hostStore: store, clock, date, log, rooms, cluster, restart } = options;
  const hours = await DailySchedule.open({
    ...{ store, clock, date, isSupervised: restart !== undefined },
    onRestart: () => {
      if (restart) {
        log.info('restart', 'The nightly restart begins.');
        restart();
      } else {
        const text =
          'The nightly restart is skipped, because no supervisor would start the server again. Run the server under systemd. If you use another supervisor, add --supervised yes.';
        log.warn('no-restart', text);
      }
    },
    // Restart the servers of a cluster one at a time, so that the others can take over each
    // server's rooms.
    restartDelay: () => (cluster?.place ?? 0) * RESTART_APART,
    onChange: async (isOpen, { outside, farewell }, isClosingTime) => {
      // If the host has extended the opening hours after closing time, stop the farewell that began
      // at closing time.
      if (isOpen) farewells.stopClosing();
      // At closing time, first let the organisms of all rooms dissolve (the farewell). The walls
      // show this, so dim them only afterwards.
      if (isClosingTime && farewell) await farewells.endAll();
      if (isClosingTime && hours.isOpen) return;
      rooms.setHours({ dim: !isOpen, closed: !isOpen && outside === 'close' });
      const sentence = isOpen
        ? 'Opening hours have begun.'
        : 'Opening hours have ended, so the walls are dimmed.';
      log.info('hours', sentence);
    },
  });
  return hours;
}

/**
 * Calls `reload` when another server has changed a record, and after an interruption of the bus,
 * because messages may have been lost.
 */
async function followRecord(bus: Bus | undefined, channel: string, reload: () => Promise<void>) {
  const load = (): void => void reload();
  const subscriptions = bus ? [await bus.subscribe(channel, load), bus.onGap(load)] : [];
  return {
    /** Notifies the other servers that this server has changed the record. */
    announce: (): void => bus?.publish(channel, new Uint8Array(0)),
    close(): void {
      for (const subscription of subscriptions) subscription.close();
    },
  };
}
