/** A stored room without the server around it, on a clock that the test advances. */
import type { Engine } from '../../server/engine/engine.ts';
import { speciesOf } from '../../server/rooms/loaded-checkpoint.ts';
import { JournalWriter, type StorageNotice } from '../../server/storage/journal-writer.ts';
import { openRoom } from '../../server/storage/open-room.ts';
import type { Records } from '../../server/storage/records.ts';
import { Store } from '../../server/storage/store.ts';
import { checksumOf } from '../../server/storage/watched-room.ts';
import { fingerprint, type Model } from '../../server/vnca/checkpoint.ts';
import type { RoomOptions } from '../../server/world/room-contents.ts';
import { World } from '../../server/world/world.ts';
import { createRandom } from '../../shared/random.ts';
import { sharedEngine } from './engine.ts';
import { FakeClock } from './fake-clock.ts';
import { ANNA } from './rooms.ts';
import { command } from './wishes.ts';

export interface StoredRoomOptions {
  readonly engine: Engine;
  readonly records: Records;
  readonly model: Model;
  /** Its settings, where they are not the usual ones. */
  readonly place?: Partial<RoomOptions>;
  readonly clock?: FakeClock;
  readonly date?: () => number;
  readonly snapshotLeast?: number;
  readonly snapshotCells?: number;
}

export type StoredRoom = Awaited<ReturnType<typeof openStoredRoom>>;

/** Opens room `a`, or makes it. @throws StoreError */
export async function openStoredRoom({
  engine,
  records,
  model,
  place: settings,
  clock = new FakeClock(),
  date = () => 1_790_000_000_000,
  snapshotLeast = 100,
  snapshotCells,
}: StoredRoomOptions) {
  const store = new Store(records);
  const mine = sharedEngine(engine);
  const world = new World(mine);
  const said: string[] = [];
  const troubles: StorageNotice[] = [];
  const journalWriter = new JournalWriter({
    ...{ store, engine: mine, clock, date, snapshotLeast },
    ...(snapshotCells !== undefined && { snapshotCells }),
    warn: (trouble) => troubles.push(trouble),
  });
  const species = speciesOf({ ...model, folder: '' });
  const place = {
    ...{ name: 'a', width: 48, height: 48, maxOrganisms: 5, seed: 5, species },
    ...settings,
  };
  const checkpoint = { name: model.card.name, hash: fingerprint(model) };
  /** Stops without a clean shutdown, like `kill -9`. */
  const abandon = async (): Promise<void> => {
    await journalWriter.close();
    for (const room of world.rooms.values()) await world.close(room);
    await records.close();
  };
  const open = async (name: string) => {
    const say = (remark: string) => said.push(remark);
    const where = { store, world, checkpoint, date, say };
    const { room, tail } = await openRoom({ ...place, name }, where);
    await journalWriter.watch(room, tail);
    return room;
  };
  try {
    const room = await open(place.name);
    world.journal = journalWriter.record;
    return {
      ...{ room, place, world, store, said, troubles, journalWriter, checkpoint, abandon },
      /** Opens another room of the same world. */
      openAlso: open,
      async tick() {
        const ticked = await world.tick([room]);
        journalWriter.ticked(ticked);
        await clock.advance(50);
        return ticked;
      },
      /** Somebody plants a creature of the gallery in the next tick. */
      plant(x: number, y = 24): void {
        room.enqueue(1, { what: 'plant', by: ANNA, x, y, seed: { from: 'gallery', index: 0 } });
      },
      /** Advances the time, ms. */
      pass: (ms = 50) => clock.advance(ms),
    };
  } catch (error) {
    await abandon();
    throw error;
  }
}

/** Ticks with random commands. @returns checksums of the planes after each tick */
export async function playTicks(
  room: StoredRoom,
  ticks: number,
  seed: number,
): Promise<Map<number, number>> {
  const random = createRandom(seed);
  const seen = new Map<number, number>();
  for (let tick = 0; tick < ticks; tick++) {
    if (random.uniform() < 0.4) command(random, room.room);
    await room.tick();
    seen.set(room.room.tick, checksumOf(room.room.grid.planes));
  }
  return seen;
}

/**
 * Expects that a room opens as it was seen at some tick, and abandons it.
 *
 * @param seen checksums of the planes by tick
 */
export async function expectSeen(
  opening: Promise<StoredRoom>,
  seen: ReadonlyMap<number, number>,
): Promise<StoredRoom> {
  const again = await opening;
  expect(seen.get(again.room.tick)).toBe(checksumOf(again.room.grid.planes));
  await again.abandon();
  return again;
}
