/** Calls about what visitors do: removing, clearing, muting, banning, and taking back. */
import { HostRefusal } from '../../shared/host/reasons.ts';
import type { LiveRoom } from '../rooms.ts';
import { restore } from '../store/restore.ts';
import { type UndoOptions, undo } from '../store/undo.ts';
import type { Handlers } from './api.ts';
import type { Desk } from './desk.ts';
import { mustAsHouse } from './house.ts';
import { HIGHEST_RATE, mostTicksIn, type RateChange } from './pace.ts';
import { snapshotStateOf } from './snapshotCalls.ts';

/** A room may tick a little faster than it is set, for a moment. */
const SLACK = 1.1;

type Names = 'removeOrganism' | 'clearArea' | 'mute' | 'ban' | 'liftBan' | 'undo' | 'restore';

export function moderationCalls(desk: Desk): Pick<Handlers, Names> {
  const { rooms, bans, date } = desk;
  return {
    removeOrganism: async ({ organism }, { room }) => {
      await mustAsHouse(rooms.live(room), { what: 'remove', organism });
      return {};
    },
    clearArea: async (area, { room }) => {
      const { removed = 0 } = await mustAsHouse(rooms.live(room), { what: 'clear', area });
      return { removed };
    },
    mute: ({ participant, muted }, { room }) => {
      const { lobby } = rooms.live(room);
      if (lobby.rules.muted.has(participant) === muted) return {};
      if (muted) {
        if (!lobby.visitors.some(({ id }) => id === participant)) {
          throw new HostRefusal('no-such-participant');
        }
        lobby.rules.muted.add(participant);
        lobby.hideCursor(participant);
      } else lobby.rules.muted.delete(participant);
      lobby.showAnew();
      return {};
    },
    ban: ({ participant, address, minutes }, { room }) => {
      const { lobby } = rooms.live(room);
      const visitor = lobby.visitors.find(({ id }) => id === participant);
      if (!visitor) throw new HostRefusal('no-such-participant');
      const ban = bans.add({
        room,
        participant,
        name: visitor.name,
        address: address ? lobby.addressOf(participant) : undefined,
        duration: minutes === null ? undefined : minutes * 60_000,
      });
      for (const other of rooms.lobbies.values()) other.sendAway();
      return { ...ban, address: ban.address !== null };
    },
    liftBan: (_, { ban }) => {
      if (!bans.lift(Number(ban))) throw new HostRefusal('no-such-ban');
      return {};
    },
    undo: ({ seconds, participant }, { room }) => {
      const live = rooms.live(room);
      return rooms.during(room, 'undoing', async () => {
        const since = date() - 1000 * seconds;
        const after = await earliest(desk, live, seconds);
        const wish = { since, after, by: participant };
        const { commands, kept } = await shown(live, () => undo(optionsFor(desk, live), wish));
        return { undone: commands, kept: snapshotStateOf(kept) };
      });
    },
    restore: (_, { room, tick }) => {
      const live = rooms.live(room);
      return rooms.during(room, 'restoring', async () => {
        const kept = await shown(live, () => restore(optionsFor(desk, live), Number(tick)));
        return { kept: snapshotStateOf(kept) };
      });
    },
  };
}

/** More than so many seconds ago it was up to this tick, whatever has become of the wall clock since. */
async function earliest(
  { kept, rooms }: Desk,
  { room }: LiveRoom,
  seconds: number,
): Promise<number> {
  const { tick, name } = room;
  const { tickRate } = rooms.summary(name).settings;
  const most = Math.ceil(seconds * SLACK * HIGHEST_RATE);
  const changes: RateChange[] = [];
  if (kept) {
    await kept.chronicle.settled();
    for await (const entry of kept.store.journal(name, Math.max(0, tick - most), tick)) {
      for (const event of entry.events) {
        if (event.what === 'energy') changes.push({ tick: entry.tick, rate: event.tickRate });
      }
    }
  }
  return tick - mostTicksIn(seconds * SLACK, { tick, rate: tickRate }, changes);
}

/** Everybody is shown what the room has become; also when it could not be kept, for it may have become it all the same. */
async function shown<T>({ lobby }: LiveRoom, work: () => Promise<T>): Promise<T> {
  try {
    const result = await work();
    lobby.showAnew();
    return result;
  } catch (error) {
    if (!(error instanceof HostRefusal)) lobby.showAnew();
    throw error;
  }
}

/** @throws HostRefusal not-kept */
function optionsFor({ kept, world, ticker }: Desk, { room }: LiveRoom): UndoOptions {
  if (!kept) throw new HostRefusal('not-kept');
  const { store, chronicle } = kept;
  return {
    ...{ store, chronicle, world, room },
    hold: () => ticker.hold(room),
    resume: () => ticker.resume(room),
  };
}
