/** Opens a room: restores a stored one, or creates a new one. */
import { isDeepStrictEqual } from 'node:util';
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Room } from '../world/room.ts';
import type { RoomPlace, World } from '../world/world.ts';
import { isEventful, isMarkDue } from './journal-writer.ts';
import { StoreError } from './record-codec.ts';
import type { JournalTail, RoomRecord } from './record-schemas.ts';
import { recover } from './recovery.ts';
import type { RoomFollower } from './room-follower.ts';
import type { Store } from './store.ts';

export interface OpenRoomOptions {
  readonly store: Store;
  readonly world: World;
  readonly checkpoint: RoomRecord['checkpoint'];
  /** Has followed the room until now; it is of no use afterwards. */
  readonly follower?: RoomFollower | undefined;
  /** Otherwise another process may have shown ticks without events after the last stored one. */
  readonly isStored?: boolean;
  /** Wall clock, ms. */
  readonly date: () => number;
  /** Receives notices for the host. */
  readonly say: (remark: string) => void;
}

export interface OpenedRoom {
  readonly room: Room;
  readonly tail: JournalTail;
  /** Whether it comes from the follower. */
  readonly isFollowed: boolean;
}

/**
 * Opens a room. Call `JournalWriter.watch` before its first tick.
 *
 * @throws StoreError; EngineError
 */
export async function openRoom(
  place: RoomPlace,
  { store, world, checkpoint, follower, isStored = true, date, say }: OpenRoomOptions,
): Promise<OpenedRoom> {
  const { name, width, height, seed, maxOrganisms, species } = place;
  const stored = await store.room(name);
  if (!stored && (await store.hasPartsOf(name))) {
    throw new StoreError('damaged', `The stored room "${name}" lacks its main record.`);
  }
  if (!stored || (await isUnused(store, name))) {
    await store.createRoom({ name, width, height, seed, checkpoint, made: date() });
    return { room: world.open(place), tail: { tick: 0, seq: 0 }, isFollowed: false };
  }
  const followed = await follower?.handOver(world).catch(async () => {
    await follower.close();
    return undefined;
  });
  const { room, tail, ticks, remarks } =
    followed ?? (await recover(store, world, { name, width, height, checkpoint, species }));
  for (const remark of remarks) say(remark);
  const count = room.organisms.length;
  say(
    `Room "${name}" is ${followed ? 'taken over as it was followed' : 'restored'}: ` +
      `${count} ${count === 1 ? 'organism' : 'organisms'}, tick ${room.tick}` +
      `${ticks > 0 ? `, the last ${ticks} ticks replayed` : ''}.`,
  );
  if (!isStored) {
    try {
      await passUnstored(world, room);
      // Who takes the room over next must not begin before this.
      await store.commit([{ room: name, tail: { ...tail, tick: room.tick } }]);
    } catch (error) {
      await world.close(room).catch(() => {});
      throw error;
    }
  }
  if (room.maxOrganisms !== maxOrganisms) room.setMaxOrganisms(maxOrganisms);
  const { flashLimit = DEFAULTS.room.flashLimit } = place;
  if (room.flashLimit !== flashLimit) room.setFlashLimit(flashLimit);
  room.updateRules();
  if (place.life && !isDeepStrictEqual(place.life, room.life)) room.setLife(place.life);
  if (place.energy) room.setEnergy(place.energy);
  if (place.tickRate) room.setTickRate(place.tickRate);
  return { room, tail: { ...tail, tick: room.tick }, isFollowed: followed !== undefined };
}

/**
 * Steps a room past all ticks that may have been shown, as what happens from now on must not happen
 * in one that looked otherwise.
 */
async function passUnstored(world: World, room: Room): Promise<void> {
  let isDue = false;
  // Eventful ticks before the last stored one may have made it due earlier: this is the latest.
  for (let isChanged = false; !isDue; ) {
    const [ticked] = await world.tick([room], undefined, true);
    isChanged ||= isEventful(ticked);
    isDue = isMarkDue(room.tick, isChanged);
  }
  // The checksum is stored with the next tick.
  await world.tick([room], undefined, true);
}

/** Whether a room was created, but never got as far as its first snapshot. */
export async function isUnused(store: Store, name: string): Promise<boolean> {
  const tail = await store.tail(name);
  return tail?.tick === 0 && tail.seq === 0 && (await store.snapshotTicks(name)).length === 0;
}
