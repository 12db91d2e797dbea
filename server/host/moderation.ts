/** Calls about what visitors do: removing, clearing, muting, banning, and taking back. */
import { DEFAULTS } from '../../shared/defaults.ts';
import { HostRefusal } from '../../shared/host/reasons.ts';
import type { LiveRoom } from '../rooms.ts';
import { restore } from '../store/restore.ts';
import { type UndoOptions, undo } from '../store/undo.ts';
import type { Handlers } from './api.ts';
import type { Desk } from './desk.ts';
import { mustAsHouse } from './house.ts';
import { snapshotStateOf } from './snapshotCalls.ts';

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
        // More ticks there have not been in that time, whatever has become of the wall clock.
        const rate = Math.max(rooms.summary(room).settings.tickRate, DEFAULTS.room.tickRate);
        const after = live.room.tick - Math.ceil(1.1 * seconds * rate);
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
