/** What departs, is renewed or planted again, in rooms that are stored, replayed and undone. */
import { createEngine } from '../../server/engine/create-engine.ts';
import { EngineError } from '../../server/engine/engine.ts';
import { recover } from '../../server/storage/recovery.ts';
import { restoreSnapshot } from '../../server/storage/undo.ts';
import type { RoomCommand } from '../../server/world/commands.ts';
import { World } from '../../server/world/world.ts';
import { HOUSE } from '../../shared/vocabulary.ts';
import { afterSuite } from '../support/closing.ts';
import { sharedEngine } from '../support/engine.ts';
import { ANNA } from '../support/rooms.ts';
import { STEP, UNDO_MODEL, undoneRooms } from '../support/stored-room.ts';

const engine = await createEngine({ checkpoints: [UNDO_MODEL], backend: 'onnx', threads: 1 });
afterSuite(() => engine.close());
const { begin, never } = undoneRooms(engine);

test('TIM-7: what dissolves, is renewed or planted again is so after an undo of others, and not after one of its own', async () => {
  const here = await begin(10);
  const { room } = here;
  const ask = async (id: number, command: object, ticks = 1) => {
    room.enqueue(1, { ...command, by: { ...ANNA, id } } as RoomCommand);
    for (let i = 0; i < ticks; i++) await here.tick();
  };
  const plant = (id: number, x: number, y: number, ticks?: number) =>
    ask(id, { what: 'plant', x, y, seed: { from: 'gallery', index: 0 } }, ticks);
  for (const id of [1, 2, 3]) room.enter(id);
  await plant(1, 8, 8);
  await plant(2, 34, 8);
  await ask(3, { what: 'plant', x: 8, y: 27, seed: { from: 'gallery', index: 0 } }, 60);
  room.setMaxOrganisms(3);
  // Ada's departs for Cleo's and is renewed; Bo's departs for it and is planted again.
  await plant(3, 34, 27);
  // From here the room is recovered, in mid-dissolving.
  expect(room.organisms[0].phase).toBe('departing');
  await here.journalWriter.takeSnapshot(room, {});
  await ask(1, { what: 'renew', organism: 1 });
  room.setMaxOrganisms(4);
  await ask(3, { what: 'cross', a: 1, b: 3, mix: 0.5 }, 3);
  await ask(2, { what: 'renew', organism: 2 }, 2);
  const ids = () => room.organisms.map(({ id, planter }) => [id, planter.id]);
  const kept = ids();
  expect(kept).toContainEqual([1, 1]);
  expect(kept.filter(([, planter]) => planter === 2)).toHaveLength(1);
  const replayed = await never(here.place, here.lived, room.tick, () => true);
  expect(replayed.room.export()).toEqual({ ...room.export(), acted: 0 });
  await replayed.close();
  await here.journalWriter.flushed();
  const world = new World(sharedEngine(engine));
  const recovered = await recover(here.store, world, {
    ...here.place,
    checkpoint: here.checkpoint,
  });
  // What is not journalled yet was without events.
  while (recovered.room.tick < room.tick) await world.tick([recovered.room]);
  expect(recovered.room.export()).toEqual({ ...room.export(), acted: 0 });
  await world.close(recovered.room);
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
  const { room, journalWriter } = here;
  room.enter(1);
  const seed = { from: 'gallery', index: 0 } as const;
  room.enqueue(1, { what: 'plant', by: ANNA, x: 8, y: 8, seed });
  for (let i = 0; i < 60; i++) await here.tick();
  await journalWriter.takeSnapshot(room, {});
  const before = here.now();
  room.enqueue(2, { what: 'depart', by: HOUSE, organism: 1, seconds: 60 });
  await here.tick();
  expect(room.organisms[0].phase).toBe('departing');
  const replayed = await never(here.place, here.lived, room.tick, () => true);
  expect(replayed.room.export()).toEqual({ ...room.export(), acted: 0 });
  await replayed.close();
  await here.undo((here.now() - before) / STEP, 0);
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
  const { room } = here;
  const plant = async (id: number, x: number) => {
    const seed = { from: 'prior' } as const;
    room.enqueue(1, { what: 'plant', by: { ...ANNA, id }, x, y: 8, seed });
    await here.tick();
  };
  for (const id of [1, 2, 3]) room.enter(id);
  await plant(1, 8);
  for (let i = 0; i < 60; i++) await here.tick();
  await here.journalWriter.takeSnapshot(room, {});
  room.enqueue(1, { what: 'damage', by: { ...ANNA, id: 3 }, points: [40, 30], radius: 0.5 });
  await here.tick();
  room.enqueue(2, { what: 'depart', by: HOUSE, organism: 1, seconds: 60 });
  await here.tick();
  isFull = true;
  await plant(2, 34);
  isFull = false;
  expect(here.life.at(-1)).toEqual({ what: 'died', id: 1, cause: 'departed' });
  await plant(2, 34);
  const seen = () => room.export().organisms.map(({ id, latent }) => ({ id, latent }));
  const before = seen();
  expect(before.map(({ id }) => id)).toEqual([3]);
  await here.undo(30, 3);
  expect(seen()).toEqual(before);
  await here.world.close(room);
});

test('TIM-7, DEP-10: what has departed and lives again by a restore cannot be planted again', async () => {
  const here = await begin(10, undefined, 1);
  const { room, journalWriter } = here;
  const plant = async (id: number, x: number, ticks: number) => {
    const seed = { from: 'gallery', index: 0 } as const;
    room.enqueue(1, { what: 'plant', by: { ...ANNA, id }, x, y: 8, seed });
    for (let i = 0; i < ticks; i++) await here.tick();
  };
  for (const id of [1, 2]) room.enter(id);
  await plant(1, 8, 60);
  const { tick } = await journalWriter.takeSnapshot(room, {});
  await plant(2, 34, 5);
  expect(room.organisms.map(({ id }) => id)).toEqual([2]);
  expect(room.renewable(1)).toHaveLength(1);
  await restoreSnapshot(here.undoing, tick);
  expect(room.organisms.map(({ id }) => id)).toEqual([1]);
  expect(room.renewable(1)).toEqual([]);
  await here.world.close(room);
});
