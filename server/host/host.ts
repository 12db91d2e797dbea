/** Creates the host's part of the server: token, sessions, calls. */
import { createHash } from 'node:crypto';
import type { Request, Router } from 'express';
import { DEFAULTS } from '../../shared/defaults.ts';
import { HostRefusal } from '../../shared/host/reasons.ts';
import type { Bus } from '../cluster/bus/bus.ts';
import type { TickEvents } from '../world/world.ts';
import { createFileRouter, createHostApi, type Handlers } from './api.ts';
import {
  clusterCalls,
  elsewhereFirst,
  type PassOn,
  serverFor,
  serverVersion,
} from './cluster-calls.ts';
import { DailySchedule } from './daily-schedule.ts';
import { files } from './downloads.ts';
import { drawingCalls, drawingFiles } from './drawing-calls.ts';
import { Farewells } from './farewells.ts';
import { FilmJobs, filmCalls, filmFiles } from './film-jobs.ts';
import type { HostContext } from './host-context.ts';
import { HostSessions, HostToken, LoginThrottle } from './host-sessions.ts';
import { moderationCalls } from './moderation.ts';
import { RemoteCalls } from './remote-calls.ts';
import { reportCalls, reportFiles } from './report-calls.ts';
import { roomCalls, stateOf, wallCalls } from './room-calls.ts';
import { asideCalls, snapshotCalls } from './saved-calls.ts';
import { shareSessions } from './shared-sessions.ts';
import { shareThrottle } from './shared-throttle.ts';
import { VisitCounter } from './visit-statistics.ts';

export interface HostOptions {
  readonly context: Omit<HostContext, 'version' | 'since'>;
  /** Always creates a new token. */
  readonly newToken: boolean;
  readonly secret: Uint8Array;
  /** Messages to the other servers of a cluster. */
  readonly bus?: Bus | undefined;
  readonly passOn: PassOn;
  /** The client address of a request. */
  readonly addressOf: (request: Request) => string;
  /** Called when the scheduled restart is due. */
  readonly onRestart: () => void;
  /** Whether something starts the server again; default: false. */
  readonly isSupervised?: boolean | undefined;
}

/** Where servers hear that another one has changed the opening hours. */
const SCHEDULE = 'host:schedule';
/** Where servers hear that another one has stored a token. */
const TOKEN = 'host:token';

/** The running host part. */
export interface Host {
  readonly router: Router;
  /** Files of this server, for other servers. */
  readonly files: Router;
  /** The token if it was created now, to be shown once. */
  readonly freshToken: string | undefined;
  /** Stores that token; call it just before showing it. @throws StoreError */
  keepToken(): Promise<void>;
  /** Adds a tick's events to the visit statistics. */
  count(ticks: readonly TickEvents[]): void;
  /** Call when a room was closed. @returns when its visit statistics are stored, or cannot be */
  closed(room: string): Promise<void>;
  close(): Promise<void>;
}

/** Reads the stored token and schedule, and starts. @throws StoreError */
export async function openHost(options: HostOptions): Promise<Host> {
  const {
    context: given,
    newToken,
    secret,
    bus,
    addressOf,
    onRestart,
    isSupervised = false,
  } = options;
  const { clock, date, log, rooms, cluster, hostStore: store } = given;
  const hostContext: HostContext = { ...given, since: date(), version: serverVersion() };
  const token = await HostToken.open(store, newToken, date);
  const films = new FilmJobs({
    ...{ clock, date, engine: hostContext.backend },
    warn: (message) => log.warn('film-not-made', message),
    onGone: (job) => {
      for (const { walls } of rooms.roomServers.values())
        if (walls.film?.id === job) walls.show(undefined);
    },
  });
  if (cluster) cluster.films = () => films.states;
  const serverOf = (room: string) => rooms.roomServers.get(room);
  const counter = new VisitCounter({
    ...{ store, clock, date },
    size: (room) => serverOf(room)?.size,
    isVisitor: (room, participant) => serverOf(room)?.slots.memberOf(participant) !== undefined,
    onError: (error) => log.warn('not-counted', (error as Error).message),
  });
  const farewells = await Farewells.open(hostContext);
  const hours = await DailySchedule.open({
    ...{ store, clock, date, onRestart, isSupervised },
    // One after the other, so that the others have its rooms meanwhile.
    restartDelay: () => (cluster?.place ?? 0) * DEFAULTS.cluster.restartApart,
    onChange: async (isOpen, { outside, farewell }, isClosingTime) => {
      // The house is open longer than it was to be.
      if (isOpen) farewells.stopClosing();
      // The walls say goodbye before they go dim.
      if (isClosingTime && farewell) await farewells.endAll();
      if (isClosingTime && hours.isOpen) return;
      rooms.setHours({ dim: !isOpen, closed: !isOpen && outside === 'close' });
      log.info(
        'hours',
        isOpen ? 'Opening hours have begun.' : 'Opening hours have ended; walls are dimmed.',
      );
    },
  });
  const pictures = filmFiles(hostContext, films);
  const stopFarewell = (room: string): Promise<void> => farewells.stop(room);
  const handlers: Handlers = {
    state: async () => {
      const { schedule, isOpen, next } = hours;
      const servers = (await cluster?.servers()) ?? null;
      const jobs = [...[...(cluster?.filmsElsewhere.values() ?? [])].flat(), ...films.states];
      const more = {
        dim: !isOpen,
        schedule,
        next,
        jobs,
        cluster: servers,
        supervised: isSupervised,
      };
      const state = stateOf(hostContext, more);
      if (!remote) return state;
      const asked = state.rooms.map((room) => remote.summary(room.name, room));
      return { ...state, rooms: await Promise.all(asked) };
    },
    ...roomCalls(hostContext, { onRemoved: (room) => counter.forget(room), stopFarewell }),
    ...moderationCalls(hostContext, stopFarewell),
    ...snapshotCalls(hostContext),
    ...asideCalls(hostContext),
    ...drawingCalls(hostContext),
    ...reportCalls(hostContext),
    ...wallCalls(hostContext),
    ...clusterCalls(hostContext),
    timelapse: async (wish, parts) => {
      const { storage, folder, valkey, checkpointFolder } = hostContext;
      const inFolder = folder === undefined ? undefined : { folder };
      const records = valkey === undefined ? inFolder : { cluster: valkey };
      const { name, checkpoint } = rooms.planOf(parts.room);
      const grown = checkpointFolder(checkpoint);
      if (!storage || records === undefined) throw new HostRefusal('not-kept');
      if (grown === undefined) throw new HostRefusal('no-such-checkpoint', checkpoint);
      await storage.journalWriter.flushed();
      return films.begin(name, wish, { records, checkpoint: grown });
    },
    ...filmCalls(hostContext, films),
    farewell: async ({ seconds }, { room }) => {
      const { kept } = await farewells.begin(room, seconds);
      return { kept };
    },
    stopFarewell: async (_, { room }) => {
      rooms.planOf(room);
      await farewells.stop(room);
      return {};
    },
    stopJob: (_, { job }) => {
      films.stop(job);
      return {};
    },
    statistics: (_, { room }) => counter.of(rooms.planOf(room).name),
    setSchedule: async (wanted) => {
      await hours.set(wanted);
      bus?.publish(SCHEDULE, new Uint8Array(0));
      return wanted;
    },
  };
  // Messages may be lost while the bus is away.
  const reload = () => void hours.reload().catch(() => {});
  const news = bus ? [await bus.subscribe(SCHEDULE, reload), bus.onGap(reload)] : [];
  const sessions = new HostSessions(() => clock.now());
  const reloadToken = async (): Promise<void> => {
    // Who has signed in with the old one is not to stay.
    if (await token.reload()) sessions.endAll();
  };
  if (bus) {
    const hear = () =>
      void reloadToken().catch(({ message }: Error) => {
        log.warn('old-token', `A new host token may not hold here: ${message}`);
      });
    news.push(await bus.subscribe(TOKEN, hear), bus.onGap(hear));
  }
  const remote =
    bus &&
    cluster &&
    (await RemoteCalls.open({
      ...{ bus, clock, handlers, name: cluster.name },
      serverFor: (parts) => serverFor(parts, cluster, films),
      isHere: (room) => rooms.roomServers.has(room) && !rooms.isElsewhere(room),
      isElsewhere: (room) => rooms.isElsewhere(room),
      ledElsewhere: (except) => rooms.ledElsewhere(except),
    }));
  const fileRoutes = {
    files: {
      ...files(hostContext, { films, counter }),
      ...pictures.forHost,
      ...drawingFiles(hostContext),
      ...reportFiles(hostContext),
    },
    publicFiles: pictures.forWalls,
  };
  const throttle = new LoginThrottle();
  const sharing = bus
    ? [
        await shareSessions(sessions, bus, () => token.mark, clock),
        await shareThrottle(throttle, bus, clock),
      ]
    : [];
  const elsewhere = { cluster, films, passOn: options.passOn };
  const router = createHostApi({
    ...{ token, clock, date, log, addressOf, sessions, throttle },
    cookie: `vivarium-host-${createHash('sha256').update(secret).digest('hex').slice(0, 8)}`,
    handlers: remote?.handlers ?? handlers,
    files: elsewhereFirst(fileRoutes.files, elsewhere),
    publicFiles: elsewhereFirst(fileRoutes.publicFiles, elsewhere),
  });
  return {
    router,
    files: createFileRouter({ ...fileRoutes, log }),
    get freshToken() {
      return token.fresh;
    },
    keepToken: async () => {
      await token.keep();
      if (token.fresh !== undefined) bus?.publish(TOKEN, new Uint8Array(0));
    },
    count: (ticks) => counter.record(ticks),
    closed: (room) => counter.closed(room),
    close: async () => {
      remote?.close();
      for (const stop of sharing) stop();
      for (const subscription of news) subscription.close();
      hours.stop();
      farewells.close();
      for (const { walls } of rooms.roomServers.values()) walls.show(undefined);
      await films.close();
      await counter.close();
    },
  };
}
