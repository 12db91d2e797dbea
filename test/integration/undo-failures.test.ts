/** Undos that cannot be done: the room stays as it is. */
import { setImmediate } from 'node:timers/promises';
import { createEngine } from '../../server/engine/create-engine.ts';
import { EngineError } from '../../server/engine/engine.ts';
import { undo } from '../../server/storage/undo.ts';
import { afterSuite } from '../support/closing.ts';
import { ANNA, BERT } from '../support/rooms.ts';
import { brittle, STEP, UNDO_MODEL, undoneRooms } from '../support/stored-room.ts';

const engine = await createEngine({ checkpoints: [UNDO_MODEL], backend: 'onnx', threads: 1 });
afterSuite(() => engine.close());
const { begin } = undoneRooms(engine);

/** A room in which something was planted, some ticks after the snapshot from which that is undone. */
async function planted() {
  const { disk, records } = brittle(new Map());
  const here = await begin(6, records);
  const { room, world, undoing } = here;
  const plant = async (x: number, y: number, by = ANNA): Promise<void> => {
    room.enqueue(1, { what: 'plant', by, x, y, seed: { from: 'gallery', index: 0 } });
    await here.tick();
  };
  for (let i = 0; i < 24; i++) await here.tick();
  await plant(8, 8);
  const holds = { count: 0 };
  const counting = {
    ...undoing,
    hold: async () => void holds.count++,
    resume: () => void holds.count--,
  };
  return {
    ...{ ...here, disk, plant, holds },
    undoLast: (ticks = 10) => undo(counting, { since: here.now() - ticks * STEP, by: ANNA.id }),
    /** Does something before the replay's next tick. */
    meanwhile(work: () => Promise<void>): void {
      const tick = world.tick.bind(world);
      world.tick = async (rooms) => {
        if (rooms.includes(room)) return tick(rooms);
        world.tick = tick;
        await work();
        return tick(rooms);
      };
    },
  };
}

test('TIM-7: an undo does not take away what could not be stored', async () => {
  const { room, disk, plant, tick, journalWriter, undoLast } = await planted();
  disk.full = true;
  await plant(34, 8);
  await plant(8, 27);
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
  await plant(34, 27);
  expect((await undoLast()).commands).toBe(1);
  expect(room.size).toBe(3);
});

test('TIM-7: nor what could not be stored while it replayed', async () => {
  const { room, disk, plant, meanwhile, undoLast, holds } = await planted();
  meanwhile(async () => {
    disk.full = true;
    await plant(34, 8);
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
  await plant(34, 8, BERT);
  const none: typeof world.engine.plant = async (patches) => {
    if (patches.length > 0) throw new EngineError('out-of-memory');
  };
  Object.assign(world.engine, { plant: none });
  await expect(undoLast()).rejects.toThrow('memory');
  expect(room.size).toBe(2);
  expect(holds.count).toBe(0);
});
