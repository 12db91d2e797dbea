/** Organisms whose latent changes, by idle life or by transforming, with the real automaton and the real store. */
import { createEngine } from '../../server/engine/create-engine.ts';
import { speciesOf } from '../../server/rooms/loaded-checkpoint.ts';
import { openMemory } from '../../server/storage/records.ts';
import { undo } from '../../server/storage/undo.ts';
import { meanSquare } from '../../server/training/pictures/sheet.ts';
import { growToRest, isSafe, roundTrips } from '../../server/training/relatives/find-relatives.ts';
import { loadRelatives } from '../../server/vnca/relatives.ts';
import type { Room } from '../../server/world/room.ts';
import { World } from '../../server/world/world.ts';
import { afterSuite, afterTest } from '../support/closing.ts';
import { mortalEngine, startEngine } from '../support/engine.ts';
import { isFull } from '../support/needs.ts';
import { ANNA, BERT } from '../support/rooms.ts';
import { openStoredRoom, playTicks, type StoredRoom } from '../support/stored-room.ts';
import { calmUpdate, tinyModel } from '../unit/vnca/tiny-model.ts';

describe('on the shipped checkpoint', () => {
  test('IDL-6: pairs come home twenty times in a row, and none flashes', async () => {
    const { engine, checkpoint } = await startEngine();
    afterTest(() => engine.close());
    const { of, ...round } = (await loadRelatives(checkpoint))!;
    const all = of.flatMap((some, own) => some.map((relative) => ({ own, relative })));
    const every = isFull ? 1 : Math.ceil(all.length / 4);
    const pairs = all.filter((_, i) => i % every === 0);
    const owners = [...new Set(pairs.map(({ own }) => own))];
    const resting = await growToRest(engine, checkpoint, owners);
    const trips = await roundTrips(engine, checkpoint, resting, pairs, round);
    expect(pairs.filter((_, i) => !isSafe(trips[i]))).toEqual([]);
  });

  /** Pairs of unlike creatures, in columns and rows. */
  const [COLUMNS, ROWS] = isFull ? [19, 11] : [4, 3];

  test('TRF-7: whatever turns looks like what it turns into, rests, and does not flash', async () => {
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
        ...{ name, species, seed: 3, maxOrganisms: count },
        ...{ width: COLUMNS * side, height: ROWS * side },
        life: { birth: 1, healing: 1, expressing: 1 },
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
    const windowOf = ({ grid }: Room, x: number, y: number): Uint8Array => {
      const shown: number[] = [];
      const window = { x: x - side / 2, y: y - side / 2, width: side, height: side };
      grid.each(window, (place) => {
        shown.push(...grid.planes.rgba.subarray(4 * place, 4 * place + 4));
      });
      return Uint8Array.from(shown);
    };
    const errors = room.organisms.map(({ x, y }) =>
      meanSquare(windowOf(room, x, y), windowOf(grown, x, y)),
    );
    expect(Math.max(...errors)).toBeLessThan(0.002);
  });
});

describe('what is stored', () => {
  /** What is planted lives, as every cell counts as alive. */
  const model = tinyModel(
    { trustedSteps: 12, presence: { channel: 3, threshold: 0 }, update: calmUpdate(7) },
    4,
  );
  const species = speciesOf({ ...model, folder: '' });
  const relatives = { lentSteps: 5, homeSteps: 6, of: [[1], [0]] };
  const created = createEngine({ checkpoints: [model], backend: 'onnx', threads: 1 });
  afterSuite(async () => (await created).close());

  /** Opens a room whose organisms change in one way. */
  async function open(
    how: 'expression' | 'transforming' | 'grafts',
    records = openMemory(),
    own = created,
  ) {
    const isLively = how === 'expression';
    const stored = await openStoredRoom({
      ...{ engine: await own, records, model },
      place: {
        species: isLively ? { ...species, relatives } : species,
        maxOrganisms: 6,
        life: { birth: isLively ? 1 : 3, healing: 2, expressing: 2 },
      },
    });
    if (isLively && stored.room.rules.liveliness === 0)
      stored.room.change({ what: 'liveliness', share: 1 });
    /** How many are changing. */
    const changing = () => stored.room.export().organisms.filter((one) => one[how]).length;
    return { ...stored, changing };
  }

  test.each(['expression', 'transforming', 'grafts'] as const)(
    'TIM-3, IDL-5: a room that is killed in the middle of any %s goes on as one that never was',
    async (how) => {
      const kept = new Map<string, Uint8Array>();
      const through = await open(how);
      let first = await open(how, openMemory(kept));
      let kills = 0;
      const most = isFull ? 24 : 4;
      for (let part = 0; part < 90 && kills < most; part++) {
        const wanted = await playTicks(through, 9, part);
        expect(await playTicks(first, 9, part)).toEqual(wanted);
        if (first.changing() === 0) continue;
        kills++;
        await first.abandon();
        first = await open(how, openMemory(kept));
        // Ticks without commands need not be stored: they are done again.
        while (first.room.tick < through.room.tick) await first.tick();
        expect(first.room.export()).toEqual(through.room.export());
      }
      expect(kills).toBeGreaterThanOrEqual(4);
      await first.abandon();
      await through.abandon();
    },
  );

  const plant = ({ room }: StoredRoom, by: typeof ANNA, x: number, y: number, index: number) =>
    room.enqueue(1, { what: 'plant', by, x, y, seed: { from: 'gallery', index } });
  const plantLast = (here: StoredRoom) => plant(here, BERT, 40, 40, 1);
  const turn = (organism: number) => (here: StoredRoom) =>
    here.room.enqueue(2, { what: 'transform', by: BERT, organism, seed: { from: 'prior' } });
  const graft = (here: StoredRoom, by: typeof ANNA, points: readonly number[], index: number) => {
    const seed = { from: 'gallery', index } as const;
    here.room.enqueue(4, { what: 'graft', by, points, radius: 5, seed, others: true });
  };
  const graftOne = (here: StoredRoom) => graft(here, BERT, [4, 8, 12, 8], 1);
  const nothing = () => {};

  test.each([
    ['a planting', 'expression', 1, nothing, plantLast],
    ['a turn of another’s organism', 'transforming', 1, nothing, turn(1)],
    ['one graft among others', 'grafts', 1, nothing, graftOne],
    ['a turn of one’s own, with its planting', 'transforming', 2, plantLast, turn(4)],
  ] as const)(
    'TIM-7, IDL-2, TRF-3: after an undo of %s, the room is byte for byte as if it had never been',
    async (_, how, undone, before, act) => {
      const run = async (isUndone: boolean) => {
        const stored = await open(how);
        const { room } = stored;
        const ticks = async (count: number) => {
          for (let tick = 0; tick < count; tick++) await stored.tick();
        };
        plant(stored, ANNA, 8, 8, 0);
        plant(stored, ANNA, 40, 8, 1);
        plant(stored, ANNA, 8, 40, 0);
        if (isUndone) before(stored);
        await ticks(90);
        if (how === 'grafts') graft(stored, ANNA, [8, 4, 8, 8], 1);
        await stored.tick();
        if (isUndone) act(stored);
        await ticks(1);
        if (isUndone && how !== 'expression') expect(stored.changing()).toBe(1);
        await ticks(19);
        if (how === 'grafts') graft(stored, ANNA, [10, 4, 10, 12], 1);
        // What comes of the room's random numbers is the same afterwards.
        room.enqueue(3, { what: 'plant', by: ANNA, x: 24, y: 24, seed: { from: 'prior' } });
        await ticks(20);
        if (isUndone) {
          const { commands } = await undo(stored, { seconds: 60, ago: 0, participant: BERT.id });
          expect(commands).toBe(undone);
        } else await stored.tick();
        await ticks(60);
        const { nextOrganism: _, lastParticipant: __, energy: ___, ...state } = room.export();
        await stored.abandon();
        return { ...state, organisms: state.organisms.map(({ id: _id, ...one }) => one) };
      };
      const { planes, ...state } = await run(true);
      const { planes: wanted, ...never } = await run(false);
      expect(state).toEqual(never);
      expect(planes.rgba).toEqual(wanted.rgba);
    },
  );

  test('an engine that loses threads in the middle of expressions goes on the same', async () => {
    const calm = await open('expression');
    const wanted = await playTicks(calm, 150, 4);
    await calm.abandon();
    const mortal = await mortalEngine({ checkpoints: [model], backend: 'onnx', threads: 1 });
    afterTest(() => mortal.engine.close());
    const stored = await open('expression', openMemory(), Promise.resolve(mortal.engine));
    let losses = 0;
    const { tick } = stored;
    stored.tick = () => {
      const isReplaced = mortal.threads.length > losses;
      if (losses < 3 && isReplaced && stored.changing() > 0) {
        losses++;
        mortal.lose();
      }
      return tick();
    };
    expect(await playTicks(stored, 150, 4)).toEqual(wanted);
    expect(losses).toBeGreaterThan(0);
    await stored.abandon();
  });
});
