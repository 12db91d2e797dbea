/** Undo without a server: the room is as if the undone commands had never happened, or stays as it is. */
import { setImmediate } from 'node:timers/promises';
import { createEngine } from '../../server/engine/create-engine.ts';
import { EngineError } from '../../server/engine/engine.ts';
import { undoCommands } from '../../server/host/room-operations.ts';
import { speciesOf } from '../../server/rooms/loaded-checkpoint.ts';
import { openMemory, type Records, StoreError } from '../../server/storage/records.ts';
import { recover } from '../../server/storage/recovery.ts';
import { Store } from '../../server/storage/store.ts';
import { restoreSnapshot } from '../../server/storage/undo.ts';
import { lineageTree } from '../../server/world/organisms/family-tree.ts';
import type { Room } from '../../server/world/room.ts';
import { World } from '../../server/world/world.ts';
import type { Planes } from '../../shared/codec/chunks.ts';
import { HostRefusal } from '../../shared/host/reasons.ts';
import { createRandom, type Random } from '../../shared/random.ts';
import { HOUSE, type LifeEvent } from '../../shared/vocabulary.ts';
import { afterSuite } from '../support/closing.ts';
import { copyPlanes, equalPlanes } from '../support/compare.ts';
import { sharedEngine } from '../support/engine.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { isFull } from '../support/needs.ts';
import fc from '../support/property.ts';
import { ANNA, BERT } from '../support/rooms.ts';
import {
  brittle,
  type Lived,
  openStoredRoom,
  STEP,
  UNDO_MODEL,
  undoneRooms,
} from '../support/stored-room.ts';

const engine = await createEngine({ checkpoints: [UNDO_MODEL], backend: 'onnx', threads: 1 });
afterSuite(() => engine.close());
const { begin, never, expectKept } = undoneRooms(engine);
const species = speciesOf({ ...UNDO_MODEL, folder: '' });

/** Does something before each tick that an undo replays. */
function beforeReplayedTicks(world: World, work: () => Promise<void>): void {
  world.beside = () => {
    const beside = World.prototype.beside.call(world);
    const tick = beside.tick.bind(beside);
    beside.tick = async (...options) => {
      await work();
      return tick(...options);
    };
    return beside;
  };
}

/** One wish whose outcome does not hang on numbers or chance of others. */
function wish(random: Random, room: Room): void {
  const { width, height } = room.grid;
  const by = { ...ANNA, id: 1 + random.integer(3) };
  const [x, y] = [random.integer(width), random.integer(height)];
  const what = random.integer(9);
  if (what < 2) {
    const index = random.integer(species.gallery.length);
    room.enqueue(1, { what: 'plant', by, x, y, seed: { from: 'gallery', index } });
  } else if (what < 4) {
    const seed = { from: 'prior', throw: random.integer(99) } as const;
    room.enqueue(2, { what: 'plant', by, x, y, seed });
  } else if (what < 7) {
    const points = [x, y, random.integer(width), random.integer(height)];
    room.enqueue(3, { what: 'damage', by, points, radius: 0.5 + random.uniform() * 6 });
  } else if (what === 7) {
    room.enqueue(5, { what: 'thin', by: { ...ANNA, id: 4 } });
  } else {
    const area = { x: 0, y: 0, width: 1 + random.integer(12), height: 1 + random.integer(12) };
    room.enqueue(4, { what: 'clear', by: HOUSE, area });
  }
}

const hasDeparted = (event: LifeEvent): event is LifeEvent & { what: 'died' } =>
  event.what === 'died' && event.cause === 'departed';

/**
 * All that can be seen of a room, with organisms named by their order: those that never were have
 * no numbers.
 */
function seen(room: Room) {
  const { organisms, energy, planes, attendance } = room.export();
  const order = new Map(organisms.map(({ id }, i) => [id, i + 1]));
  return {
    rgba: planes.rgba,
    owner: planes.owner.map((id) => (id === 0 ? 0 : order.get(id)!)),
    organisms: organisms.map(({ id: _, ...organism }) => organism),
    energy: [1, 2, 3].map((id) => room.energyOf(id)),
    settings: energy.settings,
    attendance,
  };
}

describe('replaying without the undone commands', () => {
  test('TIM-7, DEP-5: two undos of any commands give the room in which these never happened', async () => {
    let undos = 0;
    let departed = 0;
    let closing = 0;
    let waiting = 0;
    const anUndo = fc.record({
      back: fc.integer({ min: 1, max: 80 }),
      by: fc.constantFrom(0, 1, 2, 3, null),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          seed: fc.nat(),
          before: fc.integer({ min: 20, max: 110 }),
          between: fc.integer({ min: 0, max: 30 }),
          first: anUndo,
          second: anUndo,
        }),
        async ({ seed, before, between, first, second }) => {
          const life = { birth: 4, healing: 10, expressing: 10 };
          const here = await begin(seed, openMemory(), 2, life);
          const { room, lived } = here;
          const random = createRandom(seed);
          const taken: { since: number; to: number; by: number | null }[] = [];
          const isDone = ({ tick, at }: Lived, by: number): boolean =>
            !taken.some((one) => {
              const meets = one.by === null ? by !== 0 : by === one.by;
              return meets && at >= one.since && tick <= one.to;
            });
          for (const [ticks, { back, by }] of [
            [before, first],
            [between, second],
          ] as const) {
            for (let i = 0; i < ticks; i++) {
              if (random.uniform() < 0.3) wish(random, room);
              if (random.uniform() < 0.03) room.enter(1 + random.integer(3));
              if (random.uniform() < 0.03) room.leave(1 + random.integer(3));
              await here.tick();
            }
            const to = room.tick;
            const since = here.now() - back * STEP;
            const had = copyPlanes(room.grid.planes);
            const was = room.export().organisms;
            try {
              const { backup: kept } = await here.undo(back, by);
              const organisms = [...was, ...room.export().organisms];
              closing += organisms.filter((one) => one.closed).length;
              waiting += organisms.filter((one) => one.woundMask).length;
              taken.push({ since, to, by });
              undos++;
              expect(room.tick).toBe(to + 1);
              expect(kept.tick).toBe(to);
              const { state } = await here.store.moment('a', kept.tick);
              expect(equalPlanes(state.planes, had)).toBe(true);
            } catch (error) {
              if (!(error instanceof HostRefusal)) throw error;
              expect(error.reason).toBe('nothing-to-undo');
              expect(equalPlanes(room.grid.planes, had)).toBe(true);
              await here.tick();
            }
            const other = await never(here.place, lived, room.tick, isDone);
            expect(seen(room)).toEqual(seen(other.room));
            await other.close();
          }
          departed += here.life.filter(hasDeparted).length;
          await here.world.close(room);
        },
      ),
      { numRuns: isFull ? 100 : 30, seed: 20261125 },
    );
    expect(undos).toBeGreaterThan(8);
    expect(departed).toBeGreaterThan(8);
    // Wounds that were closing, and some whose organism had not stepped yet.
    expect(closing).toBeGreaterThan(0);
    expect(waiting).toBeGreaterThan(0);
  });

  test('TIM-7: random seeds of others, and their numbers, stay the same', async () => {
    const here = await begin(7);
    const { room } = here;
    const enqueue = (id: number, x: number, y: number) => {
      const seed = { from: 'prior' } as const;
      room.enqueue(1, { what: 'plant', by: { ...ANNA, id }, x, y, seed });
    };
    await here.tick(20);
    enqueue(1, 10, 10);
    await here.tick();
    enqueue(1, 26, 10);
    enqueue(2, 10, 10);
    enqueue(2, 30, 27);
    await here.tick();
    const before = room.export().organisms;
    expect(before.map(({ planter }) => planter.id)).toEqual([1, 1, 2]);
    expect((await here.undo(30, 1)).commands).toBe(2);
    // Bo's seed was refused because of Ada's organism; Bo was told so, and undo does not change it.
    expect(room.export().organisms).toMatchObject([{ id: before[2].id, latent: before[2].latent }]);
    await expect(here.undo(30, 1)).rejects.toThrow('nothing-to-undo');
    // Restored, they are there again, with their numbers; and new ones have new numbers.
    await here.restore();
    expect(room.export().organisms.map(({ id }) => id)).toEqual(before.map(({ id }) => id));
    enqueue(2, 14, 26);
    await here.tick();
    expect(room.organisms.at(-1)!.id).toBeGreaterThan(before[2].id);
    await expect(here.undo(100, 1)).rejects.toThrow('undo-too-far');
    await here.world.close(room);
  });

  test('TIM-7: a room that leaves the replay no time has to wait for it', async () => {
    const here = await begin(5);
    const { room, world } = here;
    await here.tick(20);
    await here.plant(ANNA.id, 20, 16, 20);
    let isHeld = false;
    let ticks = 0;
    // Before each tick of the replay, the room runs a tick, too.
    beforeReplayedTicks(world, async () => {
      if (isHeld) return;
      if (++ticks > 400) throw new Error('it never ends');
      await here.tick();
    });
    here.ticker.hold = async () => void (isHeld = true);
    const { commands } = await here.undo(25, ANNA.id);
    expect(commands).toBe(1);
    expect(isHeld).toBe(true);
    expect(room.size).toBe(0);
    await world.close(room);
  });

  test('TIM-7: after the clock was set back, an undo covers no more ticks than fit its duration', async () => {
    const here = await begin(6);
    const { room } = here;
    await here.tick(5);
    await here.plant(ANNA.id, 10, 16, 40);
    here.setBack(40 * STEP);
    await here.plant(ANNA.id, 34, 16, 15);
    // By the clock that was set back, both are of the last 25 ticks.
    const { commands } = await here.undo(25, ANNA.id);
    expect(commands).toBe(1);
    for await (const { jump } of here.store.journal('a', 0, room.tick)) {
      if (jump) expect(jump).toMatchObject({ why: 'undo', from: 46 });
    }
    await here.world.close(room);
  });

  test.each([
    ['an hour', 3_600_000],
    ['800 days', 800 * 86_400_000],
  ])(
    'TIM-7: after a clock was %s ahead, the host can undo what was done some time ago',
    async (_, ahead) => {
      const clock = new FakeClock();
      let moved = 0;
      const date = (): number => 1_790_000_000_000 + moved + clock.now();
      const here = await openStoredRoom({
        ...{ engine, records: openMemory(), model: UNDO_MODEL, clock, date },
        // A tick is a second long.
        ...{ place: { tickRate: 1 }, snapshotLeast: 1e9 },
      });
      const { room, world, store, journalWriter } = here;
      const seed = { from: 'gallery', index: 0 } as const;
      for (let tick = 0; tick < 300; tick++) {
        if (tick === 30) moved = ahead;
        if (tick === 150) moved = 0;
        if (tick === 100) room.enqueue(3, { what: 'plant', by: ANNA, x: 10, y: 38, seed });
        if (tick === 200) room.enqueue(1, { what: 'plant', by: ANNA, x: 10, y: 16, seed });
        if (tick === 290) room.enqueue(2, { what: 'plant', by: ANNA, x: 34, y: 16, seed });
        await here.tick();
        await here.pass(950);
        if (room.tick % 60 === 0) await journalWriter.saveAll();
      }
      const [first, , later] = room.organisms;
      expect(here.troubles).toEqual(['clock-set-back']);
      expect(journalWriter.setBackAt).toBeGreaterThan(date() - 151_000);
      const snapshots = journalWriter.snapshotsOf(room);
      // The latest has the right time, and none is lost that was stored while the clock was wrong, or before.
      expect(snapshots[0]).toMatchObject({ tick: 300, at: date() });
      expect(snapshots.map(({ tick }) => tick)).toEqual([300, 240, 180, 120, 60, 0]);
      const live = { room, server: { refresh: { request: () => {} } } };
      const during = (_: string, __: string, work: () => unknown) => work();
      const host = {
        ...{ world, ticker: here.ticker, storage: { store, journalWriter } },
        ...{ rooms: { requireOpen: () => live, during }, farewells: { stop: async () => {} } },
      };
      const undo = (seconds: number, ago: number) =>
        undoCommands(host as never, { seconds, ago, participant: ANNA.id }, { room: 'a' });
      expect(await undo(70, 60)).toMatchObject({ undone: 1 });
      expect(room.organisms.map(({ id }) => id)).toEqual([first.id, later.id]);
      // While the clock was ahead.
      await expect(undo(60, 120)).rejects.toThrow('nothing-to-undo');
      expect(await undo(60, 170)).toMatchObject({ undone: 1 });
      expect(room.organisms.map(({ id }) => id)).toEqual([later.id]);
      await here.abandon();
    },
  );
});

test('after a power failure during an undo, the room is in the state before it or after it', async () => {
  const outcomes = new Set<string>();
  for (let writes = 0; !outcomes.has('all written'); writes++) {
    const disk = new Map<string, Uint8Array>();
    const records = openMemory(disk);
    let left = Infinity;
    const failing: Records = {
      ...records,
      async write(write) {
        if (left-- <= 0) throw new StoreError('write-failed', 'The power is off.');
        await records.write(write);
      },
    };
    const here = await begin(3, failing);
    const random = createRandom(5);
    /** What the room showed, by tick: the last ticks without events are not on the disk yet. */
    const showed = new Map<number, Planes>();
    for (let i = 0; i < 40; i++) {
      if (random.uniform() < 0.5) wish(random, here.room);
      await here.tick();
      showed.set(here.room.tick, copyPlanes(here.room.grid.planes));
    }
    await here.journalWriter.flushed();
    left = writes;
    await here.undo(30, null).then(
      () => left >= 0 && outcomes.add('all written'),
      // Or a snapshot failed before it could begin, after which the journal may lack entries.
      ({ reason }) => expect(['write-failed', 'undo-too-far']).toContain(reason),
    );
    // The power is back: another process reads the same disk.
    const world = new World(sharedEngine(engine));
    const again = await recover(new Store(openMemory(disk)), world, {
      ...{ name: 'a', width: 44, height: 36, species },
      checkpoint: here.checkpoint,
    });
    expect(again.unequal).toBe(0);
    const { room } = again;
    const before = showed.get(room.tick);
    outcomes.add(before ? 'before' : 'after');
    const { planes } = here.room.grid;
    expect(equalPlanes(room.grid.planes, before ?? planes)).toBe(true);
  }
  expect([...outcomes].sort()).toEqual(['after', 'all written', 'before']);
});

describe('an undo that cannot be done', () => {
  /** A room in which something was planted, some ticks after the snapshot from which that is undone. */
  async function planted() {
    const { disk, records } = brittle(new Map());
    const here = await begin(6, records);
    const { world, ticker } = here;
    await here.tick(24);
    await here.plant(ANNA.id, 8, 8);
    const holds = { count: 0 };
    ticker.hold = async () => void holds.count++;
    ticker.resume = () => void holds.count--;
    return {
      ...{ ...here, disk, holds },
      undoLast: (ticks = 10) => here.undo(ticks, ANNA.id),
      /** Does something before the replay's next tick. */
      meanwhile(work: () => Promise<void>): void {
        let isDone = false;
        beforeReplayedTicks(world, async () => {
          if (isDone) return;
          isDone = true;
          await work();
        });
      },
    };
  }

  test('TIM-7: an undo does not take away what could not be stored', async () => {
    const { room, disk, plant, tick, journalWriter, undoLast } = await planted();
    disk.full = true;
    await plant(ANNA.id, 34, 8);
    await plant(ANNA.id, 8, 27);
    await expect(undoLast()).rejects.toThrow('undo-too-far');
    expect(room.size).toBe(3);
    disk.full = false;
    while (!journalWriter.isPersisting) {
      await tick();
      // A snapshot is compressed by other threads; a room at rest waits for nothing.
      await setImmediate();
    }
    await expect(undoLast(1_000)).rejects.toThrow('undo-too-far');
    expect(room.size).toBe(3);
    await plant(ANNA.id, 34, 27);
    expect((await undoLast()).commands).toBe(1);
    expect(room.size).toBe(3);
  });

  test('TIM-7: nor what could not be stored while it replayed', async () => {
    const { room, disk, plant, meanwhile, undoLast, holds } = await planted();
    meanwhile(async () => {
      disk.full = true;
      await plant(ANNA.id, 34, 8);
    });
    await expect(undoLast()).rejects.toThrow('undo-too-far');
    expect(room.size).toBe(2);
    expect(holds.count).toBe(0);
  });

  test('one that fails while it replays does not release a room that others hold', async () => {
    const { room, meanwhile, undoLast, holds } = await planted();
    meanwhile(() => Promise.reject(new EngineError('bad-state')));
    await expect(undoLast()).rejects.toThrow(EngineError);
    expect(room.size).toBe(1);
    expect(holds.count).toBe(0);
  });

  test('TIM-7: nor does one happen for which the engine has no memory', async () => {
    const { room, world, plant, undoLast, holds } = await planted();
    await plant(BERT.id, 34, 8);
    const none: typeof world.engine.plant = async (patches) => {
      if (patches.length > 0) throw new EngineError('out-of-memory');
    };
    Object.assign(world.engine, { plant: none });
    await expect(undoLast()).rejects.toThrow('memory');
    expect(room.size).toBe(2);
    expect(holds.count).toBe(0);
  });
});

test('TIM-7: what dissolves, is renewed or planted again is so after an undo of others, and not after one of its own', async () => {
  const here = await begin(10);
  const { room, ask, plant } = here;
  for (const id of [1, 2, 3]) room.enter(id);
  await plant(1, 8, 8);
  await plant(2, 34, 8);
  await plant(3, 8, 27, 60);
  room.change({ what: 'limit', maxOrganisms: 3 });
  // Ada's departs for Cleo's and is renewed; Bo's departs for it and is planted again.
  await plant(3, 34, 27);
  // From here the room is recovered, in mid-dissolving.
  expect(room.organisms[0].phase).toBe('departing');
  await here.journalWriter.takeSnapshot(room, {});
  await ask(1, { what: 'renew', organism: 1 });
  room.change({ what: 'limit', maxOrganisms: 4 });
  await ask(3, { what: 'cross', a: 1, b: 3, mix: 0.5 }, 3);
  await ask(2, { what: 'renew', organism: 2 }, 2);
  const ids = () => room.organisms.map(({ id, planter }) => [id, planter.id]);
  const kept = ids();
  expect(kept).toContainEqual([1, 1]);
  expect(kept.filter(([, planter]) => planter === 2)).toHaveLength(1);
  await expectKept(here);
  await here.undo(30, 1);
  // Without Ada's renewal, theirs is gone, and Bo's never departed: there is nothing to renew.
  expect(ids().filter(([, planter]) => planter === 1)).toEqual([]);
  expect(ids()).toContainEqual([2, 2]);
  await here.undo(30, 3);
  expect(ids()).toEqual([
    [1, 1],
    [2, 2],
    [3, 3],
  ]);
  await here.world.close(room);
});

test('TIM-7, DEP-13: what the host has depart is so after a recovery, and lives after an undo of that', async () => {
  const here = await begin(10);
  const { room } = here;
  room.enter(1);
  await here.plant(1, 8, 8, 60);
  await here.journalWriter.takeSnapshot(room, {});
  const before = here.now();
  await here.ask(HOUSE.id, { what: 'depart', organism: 1, seconds: 60 });
  expect(room.organisms[0].phase).toBe('departing');
  await expectKept(here);
  await here.undo((here.now() - before) / STEP, HOUSE.id);
  expect(room.organisms.map(({ id, phase }) => [id, phase])).toEqual([[1, 'asleep']]);
  await here.world.close(room);
});

test('TIM-7: ids, random numbers and what had to go at once stay as they were where memory was missing', async () => {
  let isFull = false;
  const small = {
    ...engine,
    plant: async (patches: Parameters<typeof engine.plant>[0]) => {
      if (isFull) throw new EngineError('out-of-memory');
      await engine.plant(patches);
    },
  };
  const here = await undoneRooms(small).begin(10);
  const { room, ask } = here;
  const throwAt = (id: number, x: number, ticks?: number) =>
    ask(id, { what: 'plant', x, y: 8, seed: { from: 'prior' } }, ticks);
  for (const id of [1, 2, 3]) room.enter(id);
  await throwAt(1, 8, 61);
  await here.journalWriter.takeSnapshot(room, {});
  await ask(3, { what: 'damage', points: [40, 30], radius: 0.5 });
  await ask(HOUSE.id, { what: 'depart', organism: 1, seconds: 60 });
  isFull = true;
  await throwAt(2, 34);
  isFull = false;
  expect(here.life.at(-1)).toEqual({ what: 'died', id: 1, cause: 'departed' });
  await throwAt(2, 34);
  const seen = () => room.export().organisms.map(({ id, latent }) => ({ id, latent }));
  const before = seen();
  expect(before.map(({ id }) => id)).toEqual([3]);
  await here.undo(30, 3);
  expect(seen()).toEqual(before);
  await here.world.close(room);
});

test('TIM-7, DEP-10: what has departed and lives again by a restore cannot be planted again', async () => {
  const here = await begin(10, undefined, 1);
  const { room } = here;
  for (const id of [1, 2]) room.enter(id);
  await here.plant(1, 8, 8, 60);
  const { tick } = await here.journalWriter.takeSnapshot(room, {});
  await here.plant(2, 34, 8, 5);
  expect(room.organisms.map(({ id }) => id)).toEqual([2]);
  expect(room.renewable(1)).toHaveLength(1);
  await restoreSnapshot(here, tick);
  expect(room.organisms.map(({ id }) => id)).toEqual([1]);
  expect(room.renewable(1)).toEqual([]);
  await here.world.close(room);
});

test('GEN-1, TIM-6, TIM-7: the tree tells births, crosses and deaths, after a crash as before, and after an undo what is left', async () => {
  const here = await begin(10);
  const { room, ask } = here;
  const tree = () => lineageTree(room, 15).organisms;
  for (const id of [1, 2]) room.enter(id);
  await here.plant(1, 8, 8);
  await here.plant(2, 34, 8, 60);
  await ask(2, { what: 'cross', a: 1, b: 2, mix: 0.5 });
  await ask(2, { what: 'plant', x: 8, y: 27, seed: { from: 'hand', seed: 1 } });
  await ask(HOUSE.id, { what: 'remove', organism: 1 });
  const [first, second, child] = tree();
  expect(first).toMatchObject({ id: 1, cause: 'removed', planter: { id: 1, name: 'Anna' } });
  expect(first.died).toBe(room.tick);
  expect(second).not.toHaveProperty('died');
  expect(child).toMatchObject({ id: 3, origin: 'cross', parents: [1, 2] });
  // The state has what the tree is made of.
  await expectKept(here);
  // As if the second visitor had never planted, and nobody had removed anything.
  await here.undo(5, HOUSE.id);
  await here.undo(5, 2);
  expect(tree().map(({ id, died }) => [id, died])).toEqual([
    [1, undefined],
    [2, undefined],
  ]);
  await here.restore();
  expect(tree().map(({ id }) => id)).toEqual([1, 2, 3]);
  await here.world.close(room);
});
