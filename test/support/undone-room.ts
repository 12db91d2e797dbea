/** Stored rooms whose commands are undone, and rooms in which these never happened. */
import type { Engine } from '../../server/engine/engine.ts';
import { openMemory } from '../../server/storage/records.ts';
import { recover } from '../../server/storage/recovery.ts';
import { restoreSnapshot, undo } from '../../server/storage/undo.ts';
import type { RoomCommand, RoomEvent } from '../../server/world/commands.ts';
import type { Room } from '../../server/world/room.ts';
import { World } from '../../server/world/world.ts';
import { HOUSE, type LifeEvent, type LifeSettings } from '../../shared/vocabulary.ts';
import { tinyModel } from '../unit/vnca/tiny-model.ts';
import { sharedEngine } from './engine.ts';
import { ANNA } from './rooms.ts';
import { openStoredRoom } from './stored-room.ts';

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
    const { room, world, store, journalWriter } = stored;
    const lived: Lived[] = [];
    const happened: LifeEvent[] = [];
    world.journal = (ticks) => {
      const mine = ticks.filter((one) => one.room === room);
      lived.push(...mine.map((one) => ({ ...one, at: now })));
      return journalWriter.record(ticks);
    };
    const undoing = { store, world, journalWriter, room, hold: async () => {}, resume: () => {} };
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
      ...{ lived, life: happened, undoing, tick, ask },
      now: () => now,
      /** Somebody plants a creature of the gallery, and ticks pass. */
      plant: (id: number, x: number, y: number, ticks?: number) =>
        ask(id, { what: 'plant', x, y, seed: { from: 'gallery', index: 0 } }, ticks),
      /** Undoes what somebody did in the last ticks; null: everybody. */
      undo: (ticks: number, by: number | null) => undo(undoing, { since: now - ticks * STEP, by }),
      /** Restores what was there before the latest undo. */
      async restore(): Promise<void> {
        const [{ tick }] = journalWriter.snapshotsOf(room).filter((one) => one.before === 'undo');
        await restoreSnapshot(undoing, tick);
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
