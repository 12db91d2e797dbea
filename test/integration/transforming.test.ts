/** Metamorphosis with the real automaton and the real store. */
import { createEngine } from '../../server/engine/create-engine.ts';
import { speciesOf } from '../../server/rooms/loaded-checkpoint.ts';
import { openMemory } from '../../server/storage/records.ts';
import { undo } from '../../server/storage/undo.ts';
import { meanSquare } from '../../server/training/pictures/sheet.ts';
import type { Room } from '../../server/world/room.ts';
import { World } from '../../server/world/world.ts';
import type { ParticipantView } from '../../shared/vocabulary.ts';
import { afterSuite, afterTest } from '../support/closing.ts';
import { startEngine } from '../support/engine.ts';
import { ANNA, BERT } from '../support/rooms.ts';
import { openStoredRoom, playTicks, type StoredRoom } from '../support/stored-room.ts';
import { calmUpdate, tinyModel } from '../unit/vnca/tiny-model.ts';

const full = process.env.VIVARIUM_TEST_FULL === '1';
/** Pairs of unlike creatures, in columns and rows. */
const [COLUMNS, ROWS] = full ? [19, 11] : [6, 4];

test('TRF-7: on the shipped checkpoint, whatever turns looks like what it turns into, rests, and does not flash', async () => {
  const { engine, species } = await startEngine();
  afterTest(() => engine.close());
  const world = new World(engine);
  const { side, gallery } = species;
  const count = COLUMNS * ROWS;
  /** Entries from all over the gallery; the second of a pair comes from far away. */
  const entry = (i: number) => Math.floor((gallery.length * (i % count)) / count);
  const into = (i: number) => entry(i + Math.floor(0.43 * count));
  const open = async (name: string, entryOf: (i: number) => number) => {
    const room = world.open({
      ...{
        name,
        species,
        seed: 3,
        maxOrganisms: count,
        life: { birth: 1, healing: 1, expressing: 1 },
      },
      ...{ width: COLUMNS * side, height: ROWS * side },
    });
    for (let i = 0; i < count; i++) {
      const [x, y] = [side * ((i % COLUMNS) + 0.5), side * (Math.floor(i / COLUMNS) + 0.5)];
      const seed = { from: 'gallery', index: entryOf(i) } as const;
      room.enqueue(i, { what: 'plant', by: { ...ANNA, id: i + 1 }, x, y, seed });
    }
    do await world.tick([room]);
    while (room.awake > 0);
    return room;
  };
  const room = await open('turning', entry);
  const grown = await open('grown', into);
  expect(room.size).toBe(count);
  for (let i = 0; i < count; i++) {
    const seed = { from: 'gallery', index: into(i) } as const;
    const by = { ...ANNA, id: i + 1 };
    room.enqueue(i, { what: 'transform', by, organism: i + 1, seed });
  }
  do {
    await world.tick([room]);
    // Pauses are what a flash leads to, and a step in each tick is faster than any room's.
    expect(room.export().organisms.filter(({ pause }) => pause !== undefined)).toEqual([]);
  } while (room.awake > 0);
  expect(room.organisms.map(({ kind }) => kind)).toEqual(grown.organisms.map(({ kind }) => kind));
  const errors = room.organisms.map(({ x, y }) => {
    const at = { x: x - side / 2, y: y - side / 2, side };
    return meanSquare(windowOf(room, at), windowOf(grown, at));
  });
  expect(Math.max(...errors)).toBeLessThan(0.002);
});

/** RGBA of a square of a room's grid. */
function windowOf({ grid }: Room, { x, y, side }: { x: number; y: number; side: number }) {
  const { rgba, width } = grid.planes;
  const shown = new Uint8Array(4 * side * side);
  for (let row = 0; row < side; row++) {
    const from = 4 * ((y + row) * width + x);
    shown.set(rgba.subarray(from, from + 4 * side), 4 * side * row);
  }
  return shown;
}

/** What is planted lives, as every cell counts as alive. */
const model = tinyModel(
  { trustedSteps: 12, presence: { channel: 3, threshold: 0 }, update: calmUpdate(7) },
  4,
);
const shared = await createEngine({ checkpoints: [model], backend: 'onnx', threads: 1 });
afterSuite(() => shared.close());

describe('what is stored', () => {
  const species = speciesOf({ ...model, folder: '' });
  const place = { species, maxOrganisms: 6, life: { birth: 3, healing: 2, expressing: 2 } };
  const open = (records = openMemory()) =>
    openStoredRoom({ engine: shared, records, model, place });
  const turning = (room: Room): number =>
    room.export().organisms.filter(({ transforming }) => transforming).length;

  test('TIM-3: a room that is killed while organisms turn goes on as one that never was', async () => {
    const kept = new Map<string, Uint8Array>();
    const through = await open();
    let first = await open(openMemory(kept));
    let kills = 0;
    for (let part = 0; part < 30 && kills < 4; part++) {
      const wanted = await playTicks(through, 9, part);
      expect(await playTicks(first, 9, part)).toEqual(wanted);
      if (turning(first.room) === 0) continue;
      kills++;
      await first.abandon();
      first = await open(openMemory(kept));
      while (first.room.tick < through.room.tick) await first.tick();
      expect(first.room.export()).toEqual(through.room.export());
    }
    expect(kills).toBe(4);
    await first.abandon();
    await through.abandon();
  });

  const plant = (room: Room, by: ParticipantView, x: number, y: number, index: number) =>
    room.enqueue(1, { what: 'plant', by, x, y, seed: { from: 'gallery', index } });
  const turn = (room: Room, organism: number) =>
    room.enqueue(2, { what: 'transform', by: BERT, organism, seed: { from: 'prior' } });

  test.each<[string, (here: StoredRoom) => void, (here: StoredRoom) => void]>([
    ['of another’s organism', () => {}, ({ room }) => turn(room, 1)],
    [
      'of one’s own, with its planting',
      ({ room }) => plant(room, BERT, 40, 40, 1),
      ({ room }) => turn(room, 4),
    ],
  ])(
    'TIM-7, TRF-3: after an undo of a turn %s, the room is byte for byte as if it had never been',
    async (_, before, act) => {
      const run = async (isUndone: boolean) => {
        const stored = await open();
        const { room, store, world, journalWriter } = stored;
        const ticks = async (count: number) => {
          for (let tick = 0; tick < count; tick++) await stored.tick();
        };
        plant(room, ANNA, 8, 8, 0);
        plant(room, ANNA, 40, 8, 1);
        plant(room, ANNA, 8, 40, 0);
        if (isUndone) before(stored);
        await ticks(90);
        if (isUndone) act(stored);
        await ticks(20);
        // What comes of the room's random numbers is the same afterwards.
        room.enqueue(3, { what: 'plant', by: ANNA, x: 24, y: 24, seed: { from: 'prior' } });
        await ticks(20);
        if (isUndone) {
          expect(turning(room)).toBe(1);
          const undoing = {
            store,
            world,
            journalWriter,
            room,
            hold: async () => {},
            resume: () => {},
          };
          await undo(undoing, { since: 0, by: BERT.id });
        } else await stored.tick();
        await ticks(60);
        const {
          nextOrganism: _next,
          lastParticipant: _last,
          energy: _energy,
          ...state
        } = room.export();
        await stored.abandon();
        return { ...state, organisms: state.organisms.map(({ id: _id, ...one }) => one) };
      };
      const { planes, ...state } = await run(true);
      const { planes: wanted, ...never } = await run(false);
      expect(state).toEqual(never);
      expect(planes.rgba).toEqual(wanted.rgba);
    },
  );
});
