/** The host's side of the server, put together: token, sessions, calls. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Request, Router } from 'express';
import type { TickEvents } from '../world/world.ts';
import { Acquaintances } from './acquaintances.ts';
import { createHostApi } from './api.ts';
import type { Desk } from './desk.ts';
import { files } from './files.ts';
import { filmCalls } from './filmCalls.ts';
import { Films } from './films.ts';
import { moderationCalls } from './moderation.ts';
import { roomCalls, stateOf } from './roomCalls.ts';
import { Hours } from './schedule.ts';
import { Sessions } from './sessions.ts';
import { snapshotCalls } from './snapshotCalls.ts';
import { Counter } from './statistics.ts';
import { HostToken } from './token.ts';
import { Tries } from './tries.ts';

export interface HostOptions {
  readonly desk: Omit<Desk, 'version' | 'since'>;
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
  const { desk: given, newToken, secret, addressOf, onRestart } = options;
  const { clock, date, log, rooms, store } = given;
  const desk: Desk = { ...given, since: date(), version: versionOfServer() };
  const token = await HostToken.open(store, newToken, date);
  const films = new Films({
    ...{ clock, date, engine: desk.backend },
    warn: (message) => log.warn('film-not-made', message),
  });
  const lobbyOf = (room: string) => rooms.lobbies.get(room);
  const counter = new Counter({
    ...{ store, clock, date },
    size: (room) => lobbyOf(room)?.size,
    isVisitor: (room, participant) => lobbyOf(room)?.isHere(participant) ?? false,
    onError: (error) => log.warn('not-counted', (error as Error).message),
  });
  const hours = await Hours.open({
    ...{ store, clock, date, onRestart },
    onChange: (isOpen, { outside }) => {
      rooms.setHours({ dim: !isOpen, closed: !isOpen && outside === 'close' });
      log.info('hours', isOpen ? 'The house is open.' : 'The house is closed; walls are dim.');
    },
  });
  const router = createHostApi({
    ...{ token, clock, date, log, addressOf },
    sessions: new Sessions(() => clock.now()),
    tries: new Tries(),
    acquaintances: new Acquaintances(secret),
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
      statistics: (_, { room }) => counter.of(rooms.plan(room).name),
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
