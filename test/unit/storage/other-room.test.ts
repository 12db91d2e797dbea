/** Rooms of one server in a cluster: one whose lease ends does not harm what is stored of another. */
import { createEngine } from '../../../server/engine/create-engine.ts';
import { openMemory, StoreError, type Write } from '../../../server/storage/records.ts';
import { afterSuite } from '../../support/closing.ts';
import { ANNA } from '../../support/rooms.ts';
import { openStoredRoom } from '../../support/stored-room.ts';
import { tinyModel } from '../vnca/tiny-model.ts';

const model = tinyModel();
const engine = await createEngine({ checkpoints: [model], backend: 'onnx', threads: 1 });
afterSuite(() => engine.close());

test('a snapshot does not move the stored end of a journal back when another room ends', async () => {
  const memory = openMemory(new Map());
  let isLost = false;
  let mayStore = Promise.resolve();
  const write = async ({ put = [], remove = [] }: Write): Promise<void> => {
    if (put.some(({ key }) => key.startsWith('state/b/'))) await mayStore;
    const isMine = ({ key }: { readonly key: string }) => !isLost || !/^\w+\/a(\/|$)/.test(key);
    await memory.write({ put: put.filter(isMine), remove });
    if (!put.every(isMine)) throw new StoreError('not-owner', 'Another server owns the room.');
  };
  const a = await openStoredRoom({ engine, model, records: { ...memory, write } });
  const b = await a.openAlso('b');
  let release!: () => void;
  mayStore = new Promise((resolve) => {
    release = resolve;
  });
  const snapshot = a.journalWriter.takeSnapshot(b, {});
  isLost = true;
  for (const room of [a.room, b])
    room.enqueue(1, {
      ...{ what: 'plant', by: ANNA, x: 20, y: 20 },
      seed: { from: 'gallery', index: 0 },
    });
  await a.world.tick([a.room, b]);
  const end = await a.store.tail('b');
  expect(end).toEqual({ tick: b.tick, seq: 1 });
  release();
  await snapshot;
  expect(await a.store.tail('b')).toEqual(end);
  await a.abandon();
});
