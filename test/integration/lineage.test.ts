/** The family tree of rooms that are stored, recovered and undone. */
import { createEngine } from '../../server/engine/create-engine.ts';
import { recover } from '../../server/storage/recovery.ts';
import type { RoomCommand } from '../../server/world/commands.ts';
import { lineageTree } from '../../server/world/organisms/lineage-tree.ts';
import { World } from '../../server/world/world.ts';
import { HOUSE } from '../../shared/vocabulary.ts';
import { afterSuite } from '../support/closing.ts';
import { sharedEngine } from '../support/engine.ts';
import { ANNA } from '../support/rooms.ts';
import { UNDO_MODEL, undoneRooms } from '../support/stored-room.ts';

const engine = await createEngine({ checkpoints: [UNDO_MODEL], backend: 'onnx', threads: 1 });
afterSuite(() => engine.close());
const { begin } = undoneRooms(engine);

test('GEN-1, TIM-6, TIM-7: the tree tells births, crosses and deaths, after a crash as before, and after an undo what is left', async () => {
  const here = await begin(10);
  const { room } = here;
  const treeOf = (which = room) => lineageTree(which, 15).organisms;
  const ask = async (id: number, command: object, ticks = 1) => {
    const by = id === HOUSE.id ? HOUSE : { ...ANNA, id };
    room.enqueue(1, { ...command, by } as RoomCommand);
    for (let i = 0; i < ticks; i++) await here.tick();
  };
  const gallery = { from: 'gallery', index: 0 };
  for (const id of [1, 2]) room.enter(id);
  await ask(1, { what: 'plant', x: 8, y: 8, seed: gallery });
  await ask(2, { what: 'plant', x: 34, y: 8, seed: gallery }, 60);
  await ask(2, { what: 'cross', a: 1, b: 2, mix: 0.5 });
  await ask(2, { what: 'plant', x: 8, y: 27, seed: { from: 'hand', seed: 1 } });
  await ask(0, { what: 'remove', organism: 1 });
  const [first, second, child] = treeOf();
  expect(first).toMatchObject({ id: 1, cause: 'removed', planter: { id: 1, name: 'Anna' } });
  expect(first.died).toBe(room.tick);
  expect(second).not.toHaveProperty('died');
  expect(child).toMatchObject({ id: 3, origin: 'cross', parents: [1, 2] });
  await here.journalWriter.flushed();
  const world = new World(sharedEngine(engine));
  const { room: recovered } = await recover(here.store, world, {
    ...here.place,
    checkpoint: here.checkpoint,
  });
  while (recovered.tick < room.tick) await world.tick([recovered]);
  expect(treeOf(recovered)).toEqual(treeOf());
  await world.close(recovered);
  // As if the second visitor had never planted, and nobody had removed anything.
  await here.undo(5, HOUSE.id);
  await here.undo(5, 2);
  expect(treeOf().map(({ id, died }) => [id, died])).toEqual([
    [1, undefined],
    [2, undefined],
  ]);
  await here.restore();
  expect(treeOf().map(({ id }) => id)).toEqual([1, 2, 3]);
  await here.world.close(room);
});
