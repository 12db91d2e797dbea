/** What departs, is renewed, planted again or remembered, in rooms that are stored, replayed and undone. */
import { createEngine } from '../../server/engine/create-engine.ts';
import { EngineError } from '../../server/engine/engine.ts';
import { restoreSnapshot } from '../../server/storage/undo.ts';
import { lineageTree } from '../../server/world/organisms/lineage-tree.ts';
import { HOUSE } from '../../shared/vocabulary.ts';
import { afterSuite } from '../support/closing.ts';
import { STEP, UNDO_MODEL, undoneRooms } from '../support/stored-room.ts';

const engine = await createEngine({ checkpoints: [UNDO_MODEL], backend: 'onnx', threads: 1 });
afterSuite(() => engine.close());
const { begin, expectKept } = undoneRooms(engine);

test('TIM-7: what dissolves, is renewed or planted again is so after an undo of others, and not after one of its own', async () => {
  const here = await begin(10);
  const { room, ask, plant } = here;
  for (const id of [1, 2, 3]) room.enter(id);
  await plant(1, 8, 8);
  await plant(2, 34, 8);
  await plant(3, 8, 27, 60);
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
  await restoreSnapshot(here.undoing, tick);
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
