/** Handlers for moderation: remove, clear, mute, ban, undo, restore. */
import { HostRefusal } from '../../shared/host/reasons.ts';
import { withoutFingerprints } from '../realtime/policy/bans.ts';
import type { OpenRoom } from '../rooms/live-room.ts';
import { restoreSnapshot, type UndoOptions, type UndoRequest, undo } from '../storage/undo.ts';
import type { Handlers } from './api.ts';
import { requireSystemCommand } from './cluster-calls.ts';
import type { HostContext } from './host-context.ts';
import { snapshotStateOf } from './saved-calls.ts';
import { MAX_TICK_RATE, maxTicksIn, type RateChange } from './visit-statistics.ts';

/** Factor by which a room may briefly tick faster than its rate. */
const SLACK = 1.1;

/** The handlers of the moderation calls. @param stopFarewell what is taken back must stay */
export function moderationCalls(
  context: HostContext,
  stopFarewell: (room: string) => Promise<void>,
) {
  const { rooms, bans } = context;

  async function undoing(
    room: string,
    request: (options: UndoOptions) => UndoRequest | Promise<UndoRequest>,
  ) {
    const live = rooms.requireOpen(room);
    return rooms.during(room, 'undoing', async () => {
      const { tickRate } = rooms.summary(room).settings;
      const begin = () => stopFarewell(room);
      const options = { ...optionsFor(context, live), tickRate, begin };
      const wanted = await request(options);
      const { commands, backup } = await shown(live, () => undo(options, wanted));
      return { undone: commands, kept: snapshotStateOf(backup) };
    });
  }

  return {
    removeOrganism: async ({ organism }, { room }) => {
      const live = rooms.requireOpen(room);
      const { id } = await requireSystemCommand(live, { what: 'remove', organism });
      return { command: { tick: live.room.tick, id } };
    },
    clearArea: async (area, { room }) => {
      const live = rooms.requireOpen(room);
      const { id, removed = 0 } = await requireSystemCommand(live, { what: 'clear', area });
      return { removed, command: { tick: live.room.tick, id } };
    },
    spotlight: (place, parts) => {
      const { server: roomServer, room } = rooms.requireOpen(parts.room);
      const { width, height } = room.grid;
      if (place.x >= width || place.y >= height) throw new HostRefusal('off-grid');
      roomServer.spotlight(place);
      return {};
    },
    mute: async ({ participant, muted }, { room }) => {
      const { host, policy, refresh } = rooms.requireOpen(room).server;
      const isNew = policy.muted.has(participant) !== muted;
      if (isNew && muted && !host.visitors.some(({ id }) => id === participant)) {
        throw new HostRefusal('no-such-participant');
      }
      const stored = host.mute(participant, muted);
      if (isNew) refresh.request();
      await stored;
      return {};
    },
    ban: ({ participant, address, minutes }, { room }) => {
      const { server: roomServer } = rooms.requireOpen(room);
      const visitor = roomServer.host.visitors.find(({ id }) => id === participant);
      if (!visitor) throw new HostRefusal('no-such-participant');
      const ban = bans.add({
        room,
        participant,
        name: visitor.name,
        device: roomServer.host.deviceOf(participant),
        address: roomServer.visits.addressOf(participant),
        wholeAddress: address,
        duration: minutes === null ? undefined : minutes * 60_000,
      });
      return withoutFingerprints(ban);
    },
    liftBan: (_, { ban }) => {
      if (!bans.lift(Number(ban))) throw new HostRefusal('no-such-ban');
      return {};
    },
    undo: ({ seconds, ago, participant }, { room }) =>
      undoing(room, async (options) => {
        const until = options.journalWriter.now() - 1000 * ago;
        const after = await earliest(context, options, ago + seconds);
        const since = until - 1000 * seconds;
        return { since, ...(ago > 0 && { until }), after, by: participant };
      }),
    undoCommand: (command, { room }) => undoing(room, () => command),
    restore: async (_, { room, tick }) => {
      rooms.requireOpen(room);
      await stopFarewell(room);
      const live = rooms.requireOpen(room);
      return rooms.during(room, 'restoring', async () => {
        const options = optionsFor(context, live);
        const kept = await shown(live, () => restoreSnapshot(options, Number(tick)));
        return { kept: snapshotStateOf(kept) };
      });
    },
  } satisfies Partial<Handlers>;
}

/** The last tick that is certainly older than some seconds, even if the wall clock was set. */
async function earliest(
  { rooms }: HostContext,
  { room, store, journalWriter }: UndoOptions,
  seconds: number,
): Promise<number> {
  const { tick, name } = room;
  const { tickRate } = rooms.summary(name).settings;
  const most = Math.ceil(seconds * SLACK * MAX_TICK_RATE);
  const changes: RateChange[] = [];
  await journalWriter.flushed();
  for await (const entry of store.journal(name, Math.max(0, tick - most), tick)) {
    for (const event of entry.events) {
      if (event.what === 'energy') changes.push({ tick: entry.tick, rate: event.tickRate });
    }
  }
  return tick - maxTicksIn(seconds * SLACK, { tick, rate: tickRate }, changes);
}

/**
 * Sends the new state to all clients, also after a storage error, as the state may have changed.
 */
async function shown<T>({ server: roomServer }: OpenRoom, work: () => Promise<T>): Promise<T> {
  try {
    const result = await work();
    roomServer.refresh.request();
    return result;
  } catch (error) {
    if (!(error instanceof HostRefusal)) roomServer.refresh.request();
    throw error;
  }
}

/** @throws HostRefusal not-kept */
function optionsFor({ storage, world, ticker }: HostContext, { room }: OpenRoom): UndoOptions {
  if (!storage) throw new HostRefusal('not-kept');
  const { store, journalWriter } = storage;
  return {
    ...{ store, journalWriter, world, room },
    hold: () => ticker.hold(room),
    resume: () => ticker.resume(room),
  };
}
