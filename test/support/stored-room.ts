/**
 * Stored rooms without the server around them, on a clock that the test advances: also with a full disk, and with undone commands.
 */
import type { Engine } from '../../server/engine/engine.ts';
import { speciesOf } from '../../server/rooms/loaded-checkpoint.ts';
import { JournalWriter, type StorageNotice } from '../../server/storage/journal-writer.ts';
import { openMemory, type Records, StoreError, type Write } from '../../server/storage/records.ts';
import { openRoom, recover } from '../../server/storage/recovery.ts';
import { Store } from '../../server/storage/store.ts';
import { restoreSnapshot, undo } from '../../server/storage/undo.ts';
import { checksumOf } from '../../server/storage/watched-room.ts';
import { fingerprint, type Model } from '../../server/vnca/checkpoint.ts';
import type { RoomCommand, RoomEvent } from '../../server/world/commands.ts';
import type { Room } from '../../server/world/room.ts';
import type { RoomOptions } from '../../server/world/room-contents.ts';
import { World } from '../../server/world/world.ts';
import { createRandom } from '../../shared/random.ts';
import { HOUSE, type LifeEvent, type LifeSettings } from '../../shared/vocabulary.ts';
import { tinyModel } from '../unit/vnca/tiny-model.ts';
import { sharedEngine } from './engine.ts';
import { FakeClock } from './fake-clock.ts';
import { ANNA, command } from './rooms.ts';

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
      /** The room ticks only when a test says so. */
      ticker: { hold: async (_: Room) => {}, resume: (_: Room) => {} },
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

/** With these weights what is planted lives, and most of its window stays bare. */
export const UNDO_MODEL = tinyModel(
  {
    name: 'chance',
    trustedSteps: 20,
    closing: 2,
    update: { kind: 'simple', hidden: 8, updateProbability: 0.5 },
  },
  8,
);
/**
 * Of the wall clock, each tick: snapshots of a hundred ticks are spread over minutes, as in a
 * museum.
 */
export const STEP = 5_000;

export interface Lived {
  readonly tick: number;
  readonly at: number;
  readonly events: readonly RoomEvent[];
  readonly refused: readonly number[];
}

/** @param engine has `UNDO_MODEL` */
export const undoneRooms = (engine: Engine) => {
  /** A room that is kept, without the server around it. @param life how often its organisms step */
  async function begin(
    seed: number,
    records = openMemory(),
    maxOrganisms = 4,
    life: LifeSettings = { birth: 1, healing: 1, expressing: 1 },
  ) {
    let now = 1_790_000_000_000;
    const stored = await openStoredRoom({
      ...{ engine, records, model: UNDO_MODEL, date: () => now },
      place: {
        ...{ width: 44, height: 36, maxOrganisms, seed, life },
        // A tick is five seconds long: so a full room makes room before long.
        tickRate: 1000 / STEP,
        energy: {
          capacity: 60,
          newcomer: 30,
          refillPerSecond: 0.12,
          plant: 12,
          damagePerCell: 0.05,
          wake: 0,
        },
      },
    });
    const { room, world, journalWriter } = stored;
    const lived: Lived[] = [];
    const happened: LifeEvent[] = [];
    world.journal = (ticks) => {
      lived.push(...ticks.map((one) => ({ ...one, at: now })));
      return journalWriter.record(ticks);
    };
    /** Lets ticks pass. */
    async function tick(count = 1): Promise<void> {
      for (let i = 0; i < count; i++) {
        const ticked = await stored.tick();
        happened.push(...ticked.flatMap(({ result }) => result.life));
        now += STEP;
      }
    }
    /** Somebody gives a command, and ticks pass. */
    async function ask(id: number, command: object, ticks = 1): Promise<void> {
      const by = id === HOUSE.id ? HOUSE : { ...ANNA, id };
      room.enqueue(1, { ...command, by } as RoomCommand);
      await tick(ticks);
    }
    return {
      ...stored,
      ...{ lived, life: happened, tick, ask },
      now: () => now,
      setBack: (ms: number) => void (now -= ms),
      /** Somebody plants a creature of the gallery, and ticks pass. */
      plant: (id: number, x: number, y: number, ticks?: number) =>
        ask(id, { what: 'plant', x, y, seed: { from: 'gallery', index: 0 } }, ticks),
      /** Undoes what somebody did in the last ticks; null: everybody. */
      undo: (ticks: number, participant: number | null) =>
        undo(stored, { seconds: (ticks * STEP) / 1000, ago: 0, participant }),
      /** Restores what was there before the latest undo. */
      async restore(): Promise<void> {
        const [{ tick }] = journalWriter.snapshotsOf(room).filter((one) => one.before === 'undo');
        await restoreSnapshot(stored, tick);
      },
    };
  }

  /** The room replayed from its first tick without the undone commands. */
  async function never(
    place: Parameters<World['open']>[0],
    lived: readonly Lived[],
    to: number,
    wasDone: (lived: Lived, by: number) => boolean,
  ): Promise<{ room: Room; close: () => Promise<void> }> {
    const world = new World(sharedEngine(engine));
    const room = world.open(place);
    const byTick = new Map(lived.map((one) => [one.tick, one]));
    while (room.tick < to) {
      const now = byTick.get(room.tick + 1);
      let command = 0;
      const events = now?.events.filter((event) => {
        if (event.what !== 'command') return true;
        return !now.refused.includes(command++) && wasDone(now, event.command.by.id);
      });
      room.redo(events ?? []);
      await world.tick([room]);
    }
    return { room, close: () => world.close(room) };
  }

  /** Expects that a recovery and a replay from the first tick make the room what it is. */
  async function expectKept({ room, store, place, checkpoint, lived, journalWriter }: UndoneRoom) {
    await journalWriter.flushed();
    const world = new World(sharedEngine(engine));
    const { room: recovered } = await recover(store, world, { ...place, checkpoint });
    // What is not journalled yet was without events.
    while (recovered.tick < room.tick) await world.tick([recovered]);
    const replayed = await never(place, lived, room.tick, () => true);
    for (const one of [recovered, replayed.room]) {
      expect(one.export()).toEqual({ ...room.export(), acted: 0 });
    }
    await world.close(recovered);
    await replayed.close();
  }
  type UndoneRoom = Awaited<ReturnType<typeof begin>>;

  return { begin, never, expectKept };
};

export function brittle(kept: Map<string, Uint8Array>) {
  const records = openMemory(kept);
  const disk = { full: false };
  const write = async (what: Write): Promise<void> => {
    if (disk.full) throw new StoreError('disk-full', 'The disk takes no more.');
    await records.write(what);
  };
  return { disk, records: { ...records, write } };
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
