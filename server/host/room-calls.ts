/** Handlers for rooms, and the state that the host's page shows. */

import { randomInt } from 'node:crypto';
import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DEFAULTS } from '../../shared/defaults.ts';
import { HostRefusal } from '../../shared/host/reasons.ts';
import type { CheckpointState, HostState, WallState } from '../../shared/host/state.ts';
import { localTime } from '../platform/clock.ts';
import { withoutFingerprints } from '../realtime/policy/bans.ts';
import { wallStates } from '../realtime/sessions/room-walls.ts';
import { readRange, writeBundle } from '../replay/journal-range.ts';
import type { OpenRoom } from '../rooms/live-room.ts';
import { featuredOf } from '../world/species.ts';
import type { Handlers } from './api.ts';
import { isDone, runSystemCommand } from './cluster-calls.ts';
import { drawingsOf } from './drawing-calls.ts';
import type { HostContext } from './host-context.ts';
import { reportsOf } from './report-calls.ts';
import { takeSnapshot } from './saved-calls.ts';

/** The handlers of the wall calls. */
export function wallCalls({ rooms, places }: HostContext) {
  return {
    addWall: ({ name }, { room }) => {
      const others = places.of(rooms.planOf(room).name);
      if (others.length >= DEFAULTS.room.maxWalls) throw new HostRefusal('too-many-walls');
      if (others.some((place) => place.name === name)) throw new HostRefusal('wall-exists');
      return wallStates([places.add(room, name)], [], 0)[0];
    },
    removeWall: (_, { room, wall }) => {
      const place = places.of(room).find(({ id }) => id === Number(wall));
      if (!place) throw new HostRefusal('no-such-wall');
      places.remove(place.id);
      rooms.roomServers.get(room)?.walls.release(place.id);
      return {};
    },
    showRoom: (_, { room }) => {
      rooms.requireOpen(room).server.walls.show(undefined);
      return {};
    },
  } satisfies Partial<Handlers>;
}

/** The walls of a room, open or closed. */
export function wallsOf({ rooms, places }: HostContext, room: string): WallState[] {
  return rooms.roomServers.get(room)?.walls.states ?? wallStates(places.of(room), [], 0);
}

const DAY = 86_400_000;

interface RoomCallsOptions {
  /** Called after a room was removed. */
  readonly onRemoved: (room: string) => void;
  /** What is planted anew must stay. */
  readonly stopFarewell: (room: string) => Promise<void>;
}

/** The handlers of the room calls. */
export function roomCalls(context: HostContext, { onRemoved, stopFarewell }: RoomCallsOptions) {
  const { rooms } = context;
  return {
    room: (_, { room }) => {
      const summary = rooms.summary(room);
      const wallList = wallsOf(context, room);
      if (!summary.open || summary.busy)
        return { ...summary, visitors: [], drawings: [], reports: [], wallList };
      const live = rooms.requireOpen(room);
      const planted = new Map<number, number>();
      for (const { planter } of live.room.organisms) {
        planted.set(planter.id, (planted.get(planter.id) ?? 0) + 1);
      }
      const visitors = live.server.host.visitors.map((visitor) => {
        return { ...visitor, organisms: planted.get(visitor.id) ?? 0 };
      });
      const drawings = drawingsOf(live, context.clock.now());
      const reports = reportsOf(live, context.date());
      return { ...summary, visitors, drawings, reports, wallList };
    },
    createRoom: async ({ name, width, height, checkpoint, settings = {} }) => {
      if (rooms.names.length >= DEFAULTS.host.maxRooms) throw new HostRefusal('too-many-rooms');
      const seed = randomInt(0xffffffff);
      await rooms.create({ name, width, height, checkpoint, seed, change: settings });
      return rooms.summary(name);
    },
    openRoom: async (_, { room }) => {
      await rooms.open(room);
      return rooms.summary(room);
    },
    closeRoom: async (_, { room }) => {
      await rooms.close(room);
      return rooms.summary(room);
    },
    removeRoom: async ({ confirm }, { room }) => {
      rooms.planOf(room);
      if (confirm !== room) throw new HostRefusal('not-confirmed');
      await rooms.remove(room, () => putAside(context, room));
      onRemoved(room);
      return {};
    },
    changeSettings: (change, { room }) => rooms.change(room, change),
    reseed: async ({ organisms }, parts) => {
      rooms.requireOpen(parts.room);
      await stopFarewell(parts.room);
      const live = rooms.requireOpen(parts.room);
      const { storage } = context;
      const kept = storage
        ? await takeSnapshot(context, storage, live.room, { before: 'reseed' })
        : null;
      const { width, height } = live.room.grid;
      const area = { x: 0, y: 0, width, height };
      // A room that is flooded may refuse some of them.
      const [cleared, ...planted] = await Promise.allSettled([
        runSystemCommand(live, { what: 'clear', area }),
        ...sow(live, organisms),
      ]);
      if (cleared.status === 'rejected') throw cleared.reason;
      return { planted: planted.filter(isDone).length, kept };
    },
  } satisfies Partial<Handlers>;
}

/** The state of the server for the host's page. */
export function stateOf(
  context: HostContext,
  more: Pick<HostState, 'dim' | 'schedule' | 'next' | 'supervised' | 'jobs' | 'cluster'>,
): HostState {
  const { rooms, engine, since, version } = context;
  const now = context.date();
  return {
    ...{ version, engine, now, since },
    roomDefaults: context.defaults,
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    keeping: context.storage?.journalWriter.isPersisting ?? null,
    clockSetBack: now - (context.storage?.journalWriter.setBackAt ?? -Infinity) < DAY,
    aside: [...(context.storage?.aside?.entries ?? [])],
    addresses: context.addresses(),
    checkpoints: [...context.checkpoints].map(([name, { facts }]): CheckpointState => {
      const { title, side, sheet } = facts;
      const replaced = name !== facts.name;
      return { name, title: replaced ? `${title} (${name})` : title, replaced, side, sheet };
    }),
    rooms: rooms.names.map((name) => rooms.summary(name)),
    bans: context.bans.all.map(withoutFingerprints),
    ...more,
  };
}

/** Writes a replay bundle of the room's last state to the data folder, before it is removed. */
async function putAside({ storage, folder, date }: HostContext, room: string): Promise<void> {
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
  await access(file);
}

/** Plants organisms evenly over the room, of different kinds as far as the gallery has them. */
function sow(live: OpenRoom, count: number) {
  const { grid: ground, species } = live.room;
  const { side } = species;
  const { width, height } = ground;
  const columns = Math.max(1, Math.round(Math.sqrt((count * width) / height)));
  const rows = Math.ceil(count / columns);
  const kinds = shuffled(featuredOf(species));
  return Array.from({ length: count }, (_, i) => {
    const inRow = Math.min(columns, count - columns * Math.floor(i / columns));
    const x = placeIn(i % columns, inRow, width, side);
    const y = placeIn(Math.floor(i / columns), rows, height, side);
    const seed =
      kinds.length > 0
        ? ({ from: 'gallery', index: kinds[i % kinds.length] } as const)
        : ({ from: 'prior' } as const);
    return runSystemCommand(live, { what: 'plant', x, y, seed });
  });
}

/** The centre of the i-th of n windows along a length, slightly randomised. */
function placeIn(i: number, n: number, length: number, side: number): number {
  const room = length - side;
  const step = room / n;
  const stray = Math.floor(step / 4);
  const chance = stray > 0 ? randomInt(-stray, stray + 1) : 0;
  return Math.min(room, Math.max(0, Math.round((i + 0.5) * step) + chance)) + side / 2;
}

function shuffled<T>(items: readonly T[]): T[] {
  const list = [...items];
  for (let i = list.length - 1; i > 0; i--) {
    const j = randomInt(i + 1);
    [list[i], list[j]] = [list[j], list[i]];
  }
  return list;
}
