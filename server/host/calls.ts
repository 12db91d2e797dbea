/**
 * Handlers for the calls of the host's API (`shared/host/api.ts`). Before a handler runs,
 * serve-calls.ts authenticates and validates the call, and passes it to the server that must
 * execute it.
 */

import { randomInt } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import {
  type CallAnswer,
  type CallBody,
  type CallName,
  FILES,
  pathOf,
} from '../../shared/host/api.ts';
import { type HostReason, HostRefusal } from '../../shared/host/reasons.ts';
import type { Role } from '../../shared/host/roles.ts';
import type {
  CheckpointState,
  HostState,
  RoomDetail,
  RoomSummary,
  SnapshotState,
} from '../../shared/host/state.ts';
import { OSC_NAME } from '../../shared/names.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import { localTime } from '../platform/clock.ts';
import { countBy, defined, getOrAdd } from '../platform/collections.ts';
import type {
  CommandDispatcher,
  SystemActor,
  SystemCommand,
} from '../realtime/commands/command-dispatcher.ts';
import { withoutFingerprints } from '../realtime/policy/bans.ts';
import { openOf } from '../realtime/policy/moderation.ts';
import type { WallSeat, WallSeats } from '../realtime/policy/wall-seats.ts';
import { MAX_WALLS, wallStates } from '../realtime/sessions/walls.ts';
import { readRange, writeBundle } from '../replay/journal-range.ts';
import type { OpenRoom } from '../rooms/live-room.ts';
import { MAX_ROOMS } from '../rooms/room-registry.ts';
import type { SnapshotRecord } from '../storage/record-schemas.ts';
import { SNAPSHOTS } from '../storage/snapshots.ts';
import type { PlantedSeed } from '../world/commands.ts';
import { featuredOf } from '../world/species.ts';
import { settled } from '../world/tick-times.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { DailySchedule } from './daily-schedule.ts';
import type { Farewells } from './farewells.ts';
import type { FilmJobs } from './films.ts';
import { storeLogo } from './printed-sign.ts';
import {
  countExecuted,
  type HostContext,
  restore,
  runSystemCommand,
  snapshotStateOf,
  takeSnapshot,
  undoCommands,
} from './room-operations.ts';
import type { VisitCounter } from './visit-statistics.ts';

/**
 * Maximum number of times to ask another server whether it has added a checkpoint, and the pause
 * between two questions, in ms.
 */
const MOST_LOOKS = 40;
const LOOK_PAUSE = 250;

export interface Host extends HostContext {
  readonly films: FilmJobs;
  readonly counter: VisitCounter;
  readonly farewells: Farewells;
  readonly hours: DailySchedule;
  readonly access: AccessTokens;
  readonly isSupervised: boolean;
  /**
   * Requests a room's current summary from the server that runs the room. If there is no answer in
   * time, returns `known`, an earlier summary.
   */
  readonly summaryOf: (known: RoomSummary) => RoomSummary | Promise<RoomSummary>;
  /** Returns the sender of alerts; undefined if no webhook is configured. */
  readonly alerts: () => { test(): Promise<number | string | undefined> } | undefined;
  readonly announceSchedule: () => void;
  readonly announceLibrary: () => void;
  /**
   * Asks another server about the checkpoint in a folder of that server's library. Resolves to the
   * checkpoint's hash, and whether rooms on that server can already use the checkpoint (`added`).
   * Resolves to undefined if the library has no such checkpoint, or if there is no answer in time.
   */
  readonly findElsewhere: (
    server: string,
    folder: string,
  ) => Promise<CallAnswer<'libraryCheckpoint'> | undefined>;
}

/** Parameters of a path, such as the room in `/rooms/:room`. */
export type Parts = Readonly<Record<string, string>>;

/** Calls that begin, check or end a host's session. serve-calls.ts handles them. */
type SessionCall = 'login' | 'logout' | 'session';

/**
 * What a handler must return: the call's answer `A`. If all properties of `A` are optional, the
 * handler may also return nothing.
 */
type Returned<A> = Record<never, never> extends A ? unknown : A;

/** A handler for each call of the host's API. Each handler may throw `HostRefusal`. */
export type Handlers = {
  readonly [N in Exclude<CallName, SessionCall>]: (
    host: Host,
    body: CallBody<N>,
    parts: Parts,
    role: Role,
  ) => Returned<CallAnswer<N>> | Promise<Returned<CallAnswer<N>>>;
};

export const HANDLERS: Handlers = {
  state: (host, _, _parts, role) => stateOf(host, role),
  room: (host, _, { room }) => detailOf(host, room),
  gallery: ({ checkpoints }, _, { checkpoint }) => {
    const loaded = checkpoints.get(checkpoint);
    if (!loaded) throw new HostRefusal('no-such-checkpoint');
    return loaded.facts;
  },

  libraryCheckpoint: ({ library }, _, { folder }) => library.find(folder),
  addCheckpoint: async (host, { folder }) => {
    const { library, cluster, clock } = host;
    const { hash } = await library.find(folder);
    const { servers } = (await cluster?.servers()) ?? { servers: [] };
    const others = servers.flatMap(({ name }) => (name === cluster?.name ? [] : [name]));
    for (const name of others) {
      const there = await host.findElsewhere(name, folder);
      if (there?.hash !== hash) throw new HostRefusal('not-everywhere', name);
    }
    const checkpoint = await library.add(folder);
    host.announceLibrary();
    // Wait until the other servers have added the checkpoint, because they refuse rooms that use an
    // unknown checkpoint.
    for (const name of others) {
      for (let i = 0; i < MOST_LOOKS && !(await host.findElsewhere(name, folder))?.added; i++) {
        await new Promise<void>((wake) => clock.after(LOOK_PAUSE, wake));
      }
    }
    return { checkpoint };
  },

  createRoom: async ({ rooms }, { settings = {}, ...plan }) => {
    if (rooms.names.length >= MAX_ROOMS) throw new HostRefusal('too-many-rooms');
    await rooms.create({ ...plan, seed: randomInt(0xffffffff), change: settings });
    return rooms.summary(plan.name);
  },
  openRoom: async ({ rooms }, _, { room }) => {
    await rooms.open(room);
    return rooms.summary(room);
  },
  closeRoom: async ({ rooms }, _, { room }) => {
    await rooms.close(room);
    return rooms.summary(room);
  },
  removeRoom: async (host, { confirm }, { room }) => {
    host.rooms.planOf(room);
    if (confirm !== room) throw new HostRefusal('not-confirmed');
    await host.rooms.remove(room, () => saveLastState(host, room));
    host.counter.forget(room);
  },

  putLogo: async ({ rooms, hostStore }, { picture }, { name }) => {
    rooms.planOf(name);
    const id = await storeLogo(hostStore, name, Buffer.from(picture, 'base64'));
    return { logo: `${pathOf(FILES.logo, { name })}?${id}` };
  },
  changeSettings: ({ rooms }, change, { room }) => rooms.change(room, change),
  reseed: (host, { organisms }, { room }) => reseed(host, room, organisms),

  dismissReport: async ({ rooms }, { organism }, { room }) => {
    const { reports } = rooms.requireOpen(room).server;
    if (!(await reports.dismiss(organism))) throw new HostRefusal('no-such-organism');
  },
  farewell: async ({ farewells }, { seconds }, { room }) => {
    const { kept } = await farewells.begin(room, seconds);
    return { kept };
  },
  stopFarewell: async ({ rooms, farewells }, _, { room }) => {
    rooms.planOf(room);
    await farewells.stop(room);
  },

  removeOrganism: (host, { organism }, { room }) =>
    execute(host, room, { what: 'remove', organism }),
  clearArea: (host, area, { room }) => execute(host, room, { what: 'clear', area }),
  removeGrafts: (host, { participant: painter }, { room }) =>
    execute(host, room, { what: 'removeGrafts', painter }),
  spotlight: ({ rooms }, place, parts) => {
    const { server, room } = rooms.requireOpen(parts.room);
    const { width, height } = room.grid;
    if (place.x >= width || place.y >= height) throw new HostRefusal('off-grid');
    server.spotlight(place);
  },
  mute: async ({ rooms }, { participant, muted }, { room }) => {
    const { server } = rooms.requireOpen(room);
    const isNew = server.policy.muted.has(participant) !== muted;
    if (isNew && muted && !server.visitors.some(({ id }) => id === participant)) {
      throw new HostRefusal('no-such-participant');
    }
    const stored = server.mute(participant, muted);
    if (isNew) server.refresh.request();
    await stored;
  },
  decideDrawing: async ({ rooms }, { approve }, { room, drawing }) => {
    const { drawings } = rooms.requireOpen(room).server;
    if (!(await drawings.decide(Number(drawing), approve))) {
      throw new HostRefusal('no-such-drawing');
    }
  },
  ban: ({ rooms, bans }, { participant, address, minutes }, { room }) => {
    const visitor = rooms.requireOpen(room).server.banTarget(participant);
    if (!visitor) throw new HostRefusal('no-such-participant');
    const ban = bans.add({
      ...{ room, ...visitor },
      wholeAddress: address,
      duration: minutes === null ? undefined : minutes * 60_000,
    });
    return withoutFingerprints(ban);
  },
  liftBan: ({ bans }, _, { ban }) => {
    if (!bans.lift(Number(ban))) throw new HostRefusal('no-such-ban');
  },

  addWall: ({ rooms, wallSeats }, { name, table }, { room }) => {
    const others = wallSeats.of(rooms.planOf(room).name);
    if (others.length >= MAX_WALLS) throw new HostRefusal('too-many-walls');
    if (others.some((seat) => seat.name === name)) throw new HostRefusal('wall-exists');
    return wallStates([wallSeats.add(room, name, table)], [], 0)[0];
  },
  blockTable: ({ rooms, wallSeats }, { blocked }, { room, wall }) => {
    const { id, table } = seatOf(wallSeats, room, wall);
    if (!table) throw new HostRefusal('no-such-wall');
    wallSeats.block(id, blocked);
    if (blocked) rooms.roomServers.get(room)?.admission.dismissTable(id, 'table-blocked');
  },
  removeWall: ({ rooms, wallSeats }, _, { room, wall }) => {
    const seat = seatOf(wallSeats, room, wall);
    wallSeats.remove(seat.id);
    rooms.roomServers.get(room)?.walls.release(seat);
  },

  undo: undoCommands,
  undoCommand: undoCommands,

  snapshots: async (host, _, { room }) => {
    host.rooms.planOf(room);
    const all = await snapshotsOf(host, room);
    const now = { tick: all[0]?.tick ?? 0, at: host.date() };
    const times = settled(all.toReversed(), now).reverse();
    return all.map((one, i) => snapshotStateOf({ ...one, at: times[i].at }));
  },
  takeSnapshot: async (host, { name }, parts) => {
    const { journalWriter } = requireStorage(host);
    const { room } = host.rooms.requireOpen(parts.room);
    const named = journalWriter.snapshotsOf(room).filter((one) => one.name !== undefined);
    if (named.length >= SNAPSHOTS.maxNamed) throw new HostRefusal('too-many-snapshots');
    return (await takeSnapshot(host, room, { name })) as SnapshotState;
  },
  unnameSnapshot: async (host, _, parts) => {
    const { journalWriter } = requireStorage(host);
    const { room } = host.rooms.requireOpen(parts.room);
    const tick = Number(parts.tick);
    if (!journalWriter.snapshotsOf(room).some((one) => one.tick === tick)) {
      throw new HostRefusal('no-such-snapshot');
    }
    await journalWriter.renameSnapshot(room, tick, undefined);
  },
  restore: (host, _, { room, tick }) => restore(host, room, Number(tick)),

  putBack: async ({ storage, rooms }, _, { aside: id }) => {
    const aside = storage?.aside;
    const isRoom = (what: string): boolean => what === 'room' || what === 'replaced';
    const entry = aside?.entries.find((one) => one.id === id && isRoom(one.what));
    if (!aside || !entry?.room) throw new HostRefusal('not-aside');
    await rooms.exchange(entry.room, async () => {
      const replaced = await aside.exchange(id);
      return async () => {
        const failed = await aside.exchange(replaced.id);
        for (const one of [replaced, failed]) await aside.dismiss(one.id);
      };
    });
    await aside.dismiss(id);
  },
  dismissAside: async ({ storage }, _, { aside }) => {
    if (!(await storage?.aside?.dismiss(aside))) throw new HostRefusal('not-aside');
  },

  timelapse: async (host, wish, { room }) => {
    const { folder = '', valkey } = host;
    const records = valkey === undefined ? { folder } : { cluster: valkey };
    const { name, checkpoint } = host.rooms.planOf(room);
    const { journalWriter } = requireStorage(host);
    const checkpointFolder = host.checkpointFolders.get(checkpoint);
    if (!checkpointFolder) throw new HostRefusal('no-such-checkpoint', checkpoint);
    await journalWriter.flushed();
    return host.films.begin(name, wish, { records, checkpoint: checkpointFolder });
  },
  showFilm: ({ rooms, films }, { job, frame, speed }, { room }) => {
    const { walls } = rooms.requireOpen(room).server;
    const { room: of, frames, total, from, since: until, times } = films.shown(job);
    if (of !== room) throw new HostRefusal('no-such-job');
    if (frame >= frames) throw new HostRefusal('no-such-time');
    const film = { id: job, frames: total, frame, speed, from, until, zone: timeZone() };
    walls.show({ film: { ...film, ...(times && { times: [...times] }) } });
  },
  showRoom: ({ rooms }, _, { room }) => rooms.requireOpen(room).server.walls.show(undefined),
  stopJob: ({ films }, _, { job }) => films.stop(job),

  statistics: ({ rooms, counter }, _, { room }) => counter.of(rooms.planOf(room).name),

  pause: async ({ rooms }, change, { room }) => {
    await rooms.change(room, change);
  },
  presence: ({ rooms }, place, parts) => {
    const { hall, clock } = rooms.requireOpen(parts.room).server;
    if (!hall.sense(place, clock.now())) throw new HostRefusal('off-grid');
  },

  act: async ({ rooms }, command, { room }) => {
    const { dispatcher } = rooms.requireOpen(room).server;
    const actor = getOrAdd(actors, dispatcher, () => dispatcher.createSystemActor(OSC_NAME, true));
    try {
      const { refused, seed } = await actor.act(command as SystemCommand);
      return defined({ refused, seed });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { refused: { reason: error.reason, detail: error.detail } };
    }
  },

  tokens: ({ access }) => access.list,
  makeToken: async ({ access, date, log }, { name, role }) => {
    const made = await access.make(name, role, date());
    log.info('token-made', `The host created the access token “${name}” (${role}).`);
    return made;
  },
  revokeToken: async ({ access, log }, _, { token }) => {
    const name = await access.revoke(Number(token));
    log.info('token-revoked', `The host revoked the access token “${name}”.`);
  },

  setSchedule: async ({ hours, announceSchedule }, wanted) => {
    await hours.set(wanted);
    announceSchedule();
    return wanted;
  },

  testAlert: async ({ alerts }) => {
    const sender = alerts();
    if (!sender) throw new HostRefusal('no-alerts');
    const failed = await sender.test();
    if (failed !== undefined) throw new HostRefusal('not-delivered', `${failed}`);
  },

  drain: (host) => requireCluster(host).spread.drain(),
  stopDraining: (host) => requireCluster(host).spread.stopDraining(),
};

const ACT_REASONS: Readonly<Record<string, HostReason>> = {
  'no-such-organism': 'no-such-organism',
  'off-grid': 'off-grid',
};

/**
 * Executes a command in a room.
 *
 * @returns the number of removed organisms, and a reference to the command, for `undoCommand`
 * @throws HostRefusal if the room refuses the command
 */
async function execute({ rooms }: Host, name: string, act: SystemCommand) {
  const live = rooms.requireOpen(name);
  const { refused, removed = 0, id } = await runSystemCommand(live, act);
  if (refused) throw new HostRefusal(ACT_REASONS[refused.reason] ?? 'failed', refused.detail);
  return { removed, command: { tick: live.room.tick, id } };
}

/** Actors that send the commands of the API call `act`, by the dispatcher of their room. */
const actors = new WeakMap<CommandDispatcher, SystemActor>();

function seatOf(wallSeats: WallSeats, room: string, wall: string): WallSeat {
  const seat = wallSeats.of(room).find(({ id }) => id === Number(wall));
  if (!seat) throw new HostRefusal('no-such-wall');
  return seat;
}

const timeZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

function requireStorage({ storage }: Host): NonNullable<Host['storage']> {
  if (!storage) throw new HostRefusal('not-kept');
  return storage;
}

function requireCluster({ cluster }: Host): NonNullable<Host['cluster']> {
  if (!cluster) throw new HostRefusal('no-such-server');
  return cluster;
}

/** Time for which the host's page warns that the clock was set back, in ms. */
const DAY = 86_400_000;

/** Collects the state of this server, and the films and rooms of all servers in the cluster. */
async function stateOf(host: Host, role: Role): Promise<HostState> {
  const { rooms, engine, since, version, cluster, hours } = host;
  const now = host.date();
  return {
    ...{ version, engine, now, since },
    roomDefaults: host.defaults,
    zone: timeZone(),
    keeping: host.storage?.journalWriter.isPersisting ?? null,
    clockSetBack: now - (host.storage?.journalWriter.setBackAt ?? -Infinity) < DAY,
    aside: [...(host.storage?.aside?.entries ?? [])],
    addresses: host.addresses(),
    machine: {
      diskFree: host.disk?.free ?? null,
      load: loadavg()[0] / availableParallelism(),
      memoryFree: process.availableMemory(),
    },
    hasAlerts: host.alerts() !== undefined,
    checkpoints: [...host.checkpoints].map(([name, { facts }]): CheckpointState => {
      const { title, side, sheet } = facts;
      const replaced = name !== facts.name;
      return { name, title: replaced ? `${title} (${name})` : title, replaced, side, sheet };
    }),
    library: await host.library.names(),
    bans: role === 'host' ? host.bans.all.map(withoutFingerprints) : null,
    ...{ dim: !hours.isOpen, schedule: hours.schedule, next: hours.next },
    supervised: host.isSupervised,
    jobs: [...(cluster?.filmsElsewhere.values() ?? []), host.films.states].flat(),
    cluster: (await cluster?.servers()) ?? null,
    rooms: await Promise.all(rooms.names.map((name) => host.summaryOf(rooms.summary(name)))),
  };
}

function detailOf({ rooms, wallSeats, clock, date }: Host, name: string): RoomDetail {
  const summary = rooms.summary(name);
  const wallList =
    rooms.roomServers.get(name)?.walls.states ?? wallStates(wallSeats.of(name), [], 0);
  if (!summary.open || summary.busy) {
    return { ...summary, visitors: [], drawings: [], reports: [], wallList };
  }
  const { room, server } = rooms.requireOpen(name);
  const planted = countBy(room.organisms, ({ planter }) => planter.id);
  const grafted = countBy(
    room.organisms.flatMap(({ parts = [] }) => [...new Set(parts.map(({ by }) => by?.id))]),
    (painter) => painter,
  );
  return {
    ...summary,
    visitors: server.visitors.map((visitor) => {
      const { id } = visitor;
      return { ...visitor, organisms: planted.get(id) ?? 0, grafted: grafted.get(id) ?? 0 };
    }),
    drawings: server.drawings.waiting.map(({ id, by, since }) => {
      return { id, by, waited: clock.now() - since };
    }),
    reports: server.reports.list.map((report) => {
      const { id, kind, origin, planter, parts, pictured, since } = report;
      return {
        ...{ organism: id, kind, origin, planter, ...(parts && { parts }) },
        ...{ pictured, lives: server.reports.lives(report) },
        ...{ reporters: openOf(report), waited: Math.max(0, date() - since) },
      };
    }),
    wallList,
  };
}

/** Lists a room's readable snapshots, latest first. */
async function snapshotsOf({ rooms, storage }: Host, name: string): Promise<SnapshotRecord[]> {
  if (!storage) return [];
  const roomServer = rooms.roomServers.get(name);
  if (roomServer && rooms.summary(name).busy === null) {
    return [...storage.journalWriter.snapshotsOf(roomServer.room)];
  }
  return storage.store.readableSnapshots(name);
}

/** Writes a replay bundle of a room's last state before the room is removed. */
async function saveLastState({ storage, folder, date }: Host, room: string): Promise<void> {
  if (!storage || folder === undefined) return;
  const tail = await storage.store.tail(room);
  if (!tail) return;
  const last = { tick: tail.tick };
  const range = await readRange(storage.store, room, { from: last, to: last });
  const removed = join(folder, 'removed');
  await mkdir(removed, { recursive: true });
  const day = localTime(date()).replaceAll(':', '-');
  const file = join(removed, `${room}-${day}.bundle`);
  await writeBundle(file, range);
}

async function reseed(host: Host, room: string, count: number): Promise<CallAnswer<'reseed'>> {
  const { rooms, farewells } = host;
  rooms.requireOpen(room);
  // First stop any farewell (end of the day), because it would make the new organisms depart.
  await farewells.stop(room);
  const live = rooms.requireOpen(room);
  const kept = await takeSnapshot(host, live.room, { before: 'reseed' });
  const { width, height } = live.room.grid;
  const cleared = runSystemCommand(live, { what: 'clear', area: { x: 0, y: 0, width, height } });
  // Count only executed `plant` commands, because a busy room may refuse a command.
  const planted = countExecuted(sow(live, count));
  await cleared;
  return { planted: await planted, kept };
}

/**
 * Plants `count` organisms, spread evenly over the room, and all of different kinds if the gallery
 * has enough kinds.
 */
function sow(live: OpenRoom, count: number) {
  const { grid, species } = live.room;
  const { side } = species;
  const { width, height } = grid;
  const columns = Math.max(1, Math.round(Math.sqrt((count * width) / height)));
  const rows = Math.ceil(count / columns);
  const { hidden } = live.server.policy.settings.curation;
  const kinds = featuredOf(species)
    .filter((index) => !hidden.includes(index))
    .map((index) => ({ index, order: Math.random() }))
    .sort((a, b) => a.order - b.order);
  return Array.from({ length: count }, (_, i) => {
    const inRow = Math.min(columns, count - columns * Math.floor(i / columns));
    const x = positionIn(i % columns, inRow, width, side);
    const y = positionIn(Math.floor(i / columns), rows, height, side);
    const kind = kinds[i % kinds.length];
    const seed: PlantedSeed = kind ? { from: 'gallery', index: kind.index } : { from: 'prior' };
    return runSystemCommand(live, { what: 'plant', x, y, seed });
  });
}

/**
 * Computes the i-th of n evenly spaced positions along one axis of the grid, with a small random
 * shift. All lengths are in cells.
 *
 * @param length length of the axis
 * @param side side length of an organism's window
 * @returns the centre of the organism's window
 */
function positionIn(i: number, n: number, length: number, side: number): number {
  const room = length - side;
  const step = room / n;
  const stray = Math.floor(step / 4);
  const chance = stray > 0 ? randomInt(-stray, stray + 1) : 0;
  return Math.min(room, Math.max(0, Math.round((i + 0.5) * step) + chance)) + side / 2;
}
