/** Opens a room: one that is kept as it was, another anew. */
import type { Room } from '../world/room.ts';
import type { RoomPlace, World } from '../world/world.ts';
import type { JournalTail, RoomRecord } from './record-schemas.ts';
import { recover } from './recovery.ts';
import type { Store } from './store.ts';
import { StoreError } from './store-error.ts';

export interface OpenRoomOptions {
  readonly store: Store;
  readonly world: World;
  readonly checkpoint: RoomRecord['checkpoint'];
  /** Wall clock, ms. */
  readonly date: () => number;
  /** Told what a host should know. */
  readonly say: (remark: string) => void;
}

/**
 * Opens a room; `journal writer.watch` must follow, before its first tick.
 *
 * @throws StoreError; EngineError
 */
export async function openRoom(
  place: RoomPlace,
  { store, world, checkpoint, date, say }: OpenRoomOptions,
): Promise<{ readonly room: Room; readonly tail: JournalTail }> {
  const { name, width, height, seed, maxOrganisms, species } = place;
  const kept = await store.room(name);
  if (!kept && (await store.hasPartsOf(name))) {
    throw new StoreError('damaged', `The room "${name}" is kept, but not what it was made with.`);
  }
  if (!kept || (await isUnborn(store, name))) {
    await store.createRoom({ name, width, height, seed, checkpoint, made: date() });
    return { room: world.open(place), tail: { tick: 0, seq: 0 } };
  }
  const { room, tail, ticks, remarks } = await recover(store, world, {
    name,
    width,
    height,
    checkpoint,
    species,
  });
  for (const remark of remarks) say(remark);
  const count = room.organisms.length;
  say(
    `Room "${name}" is as it was: ${count} ${count === 1 ? 'organism' : 'organisms'}, tick ${room.tick}` +
      `${ticks > 0 ? `, the last ${ticks} of them done again` : ''}.`,
  );
  if (room.maxOrganisms !== maxOrganisms) room.setMaxOrganisms(maxOrganisms);
  // In a room of an earlier release, those who may still come back count as here until they do not.
  if (!room.knowsAttendance) room.startAttendance(room.participantsWithState);
  if (place.energy) room.setEnergy(place.energy);
  if (place.tickRate) room.setTickRate(place.tickRate);
  return { room, tail };
}

/** Whether a room was made, and the server ended before its first snapshot. */
async function isUnborn(store: Store, name: string): Promise<boolean> {
  const tail = await store.tail(name);
  return tail?.tick === 0 && tail.seq === 0 && (await store.snapshotTicks(name)).length === 0;
}
