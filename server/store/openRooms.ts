/** Opens a server's rooms: those that are kept as they were, others anew. */
import type { Room } from '../world/room.ts';
import type { RoomPlace, World } from '../world/world.ts';
import type { Chronicle } from './chronicle.ts';
import { StoreError } from './errors.ts';
import { recover } from './recover.ts';
import type { RoomRecord, Tail } from './schemas.ts';
import type { Store } from './store.ts';

export interface OpenRoomsOptions {
  readonly store: Store;
  readonly world: World;
  readonly chronicle: Chronicle;
  readonly checkpoint: RoomRecord['checkpoint'];
  /** Wall clock, ms. */
  readonly date: () => number;
  /** Told what a host should know. */
  readonly say: (remark: string) => void;
}

/**
 * From then on the chronicle keeps them.
 *
 * @throws StoreError; EngineError
 */
export async function openRooms(
  places: readonly RoomPlace[],
  options: OpenRoomsOptions,
): Promise<Room[]> {
  const { world, chronicle } = options;
  const opened: { readonly room: Room; readonly tail: Tail }[] = [];
  for (const place of places) opened.push(await openRoom(place, options));
  for (const { room, tail } of opened) await chronicle.watch(room, tail);
  world.journal = chronicle.record;
  return opened.map(({ room }) => room);
}

async function openRoom(
  place: RoomPlace,
  { store, world, checkpoint, date, say }: OpenRoomsOptions,
): Promise<{ readonly room: Room; readonly tail: Tail }> {
  const { name, width, height, seed, maxOrganisms, species } = place;
  const kept = await store.room(name);
  if (!kept && (await store.hasPartsOf(name))) {
    throw new StoreError('damaged', `The room "${name}" is kept, but not what it was made with.`);
  }
  if (!kept || (await isUnborn(store, name))) {
    await store.make({ name, width, height, seed, checkpoint, made: date() });
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
  if (place.energy) room.setEnergy(place.energy);
  if (place.tickRate) room.setTickRate(place.tickRate);
  return { room, tail };
}

/** Whether a room was made, and the server ended before its first snapshot. */
async function isUnborn(store: Store, name: string): Promise<boolean> {
  const tail = await store.tail(name);
  return tail?.tick === 0 && tail.seq === 0 && (await store.snapshotTicks(name)).length === 0;
}
