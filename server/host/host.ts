/** The host's side of the server, put together: token, sessions, calls. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Request, Router } from 'express';
import type { TickEvents } from '../world/world.ts';
import { createHostApi } from './api.ts';
import { files } from './downloads.ts';
import { filmCalls } from './film-calls.ts';
import { FilmJobs } from './film-jobs.ts';
import type { HostContext } from './host-context.ts';
import { HostSessions } from './host-sessions.ts';
import { HostToken } from './host-token.ts';
import { KnownDevices } from './known-devices.ts';
import { LoginThrottle } from './login-throttle.ts';
import { moderationCalls } from './moderation.ts';
import { OpeningHours } from './opening-hours.ts';
import { roomCalls, stateOf } from './room-calls.ts';
import { snapshotCalls } from './snapshot-calls.ts';
import { VisitCounter } from './visit-statistics.ts';

export interface HostOptions {
  readonly context: Omit<HostContext, 'version' | 'since'>;
  /** Makes a new token in any case. */
  readonly newToken: boolean;
  readonly secret: Uint8Array;
  /** What the address of a request is called. */
  readonly addressOf: (request: Request) => string;
  /** The schedule wants the server to start anew. */
  readonly onRestart: () => void;
}

export interface Host {
  readonly router: Router;
  /** The token, where it was made just now: to be shown once. */
  readonly freshToken: string | undefined;
  /** Keeps that token, which is shown right after. @throws StoreError */
  keepToken(): Promise<void>;
  /** Counts what a tick of some rooms has brought. */
  count(ticks: readonly TickEvents[]): void;
  /** A room was closed. */
  closed(room: string): void;
  close(): Promise<void>;
}

/** @throws StoreError */
export async function openHost(options: HostOptions): Promise<Host> {
  const { context: given, newToken, secret, addressOf, onRestart } = options;
  const { clock, date, log, rooms, hostStore: store } = given;
  const desk: HostContext = { ...given, since: date(), version: versionOfServer() };
  const token = await HostToken.open(store, newToken, date);
  const films = new FilmJobs({
    ...{ clock, date, engine: desk.backend },
    warn: (message) => log.warn('film-not-made', message),
  });
  const lobbyOf = (room: string) => rooms.roomServers.get(room);
  const counter = new VisitCounter({
    ...{ store, clock, date },
    size: (room) => lobbyOf(room)?.size,
    isVisitor: (room, participant) => lobbyOf(room)?.isPresent(participant) ?? false,
    onError: (error) => log.warn('not-counted', (error as Error).message),
  });
  const hours = await OpeningHours.open({
    ...{ store, clock, date, onRestart },
    onChange: (isOpen, { outside }) => {
      rooms.setHours({ dim: !isOpen, closed: !isOpen && outside === 'close' });
      log.info('hours', isOpen ? 'The house is open.' : 'The house is closed; walls are dim.');
    },
  });
  const router = createHostApi({
    ...{ token, clock, date, log, addressOf },
    sessions: new HostSessions(() => clock.now()),
    throttle: new LoginThrottle(),
    knownDevices: new KnownDevices(secret),
    cookie: `vivarium-host-${createHash('sha256').update(secret).digest('hex').slice(0, 8)}`,
    handlers: {
      state: () => {
        const { schedule, isOpen, next } = hours;
        return stateOf(desk, { dim: !isOpen, schedule, next, jobs: films.states });
      },
      ...roomCalls(desk, (room) => counter.forget(room)),
      ...moderationCalls(desk),
      ...snapshotCalls(desk),
      ...filmCalls(desk, films),
      statistics: (_, { room }) => counter.of(rooms.planOf(room).name),
      setSchedule: async (wanted) => {
        await hours.set(wanted);
        return wanted;
      },
    },
    files: files(desk, { films, counter }),
  });
  return {
    router,
    freshToken: token.fresh,
    keepToken: () => token.keep(),
    count: (ticks) => counter.record(ticks),
    closed: (room) => counter.emptied(room),
    close: async () => {
      hours.stop();
      films.close();
      await counter.close();
    },
  };
}

function versionOfServer(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
