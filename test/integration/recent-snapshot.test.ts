/** A busy room whose server is killed: it need not do again what it has done since it was stored. */
import { createEngine } from '../../server/engine/create-engine.ts';
import { RoomReplica } from '../../server/storage/open-room.ts';
import { openMemory, type Records } from '../../server/storage/records.ts';
import { Store } from '../../server/storage/store.ts';
import { checksumOf } from '../../server/storage/watched-room.ts';
import { World } from '../../server/world/world.ts';
import { afterSuite } from '../support/closing.ts';
import { sharedEngine } from '../support/engine.ts';
import { openStoredRoom, playTicks } from '../support/stored-room.ts';
import { tinyModel } from '../unit/vnca/tiny-model.ts';

const model = tinyModel();
const engine = await createEngine({ checkpoints: [model], backend: 'onnx', threads: 1 });
afterSuite(() => engine.close());

/** Stored each 600 s of the room's time; kept for a restart as often as may be. */
const open = (records: Records) =>
  openStoredRoom({ engine, records, model, snapshotLeast: 100_000, snapshotCells: 400 });

/** Plays until something was kept for a restart, and some ticks more. */
async function startBusily(records: Records) {
  const room = await open(records);
  const seen = await playTicks(room, 90, 1);
  await room.pass(100_000);
  for (let tick = 0; tick < 3; tick++) await room.tick();
  while (!(await records.getUnsynced('recent/a'))) await room.pass();
  for (const [tick, planes] of await playTicks(room, 40, 2)) seen.set(tick, planes);
  return { room, seen };
}

/** As `startBusily`, until it ends without a clean shutdown. */
async function playBusily(records: Records) {
  const { room, seen } = await startBusily(records);
  await room.abandon();
  return seen;
}

const replayed = (said: readonly string[]): number =>
  Number(/the last (\d+) ticks replayed/.exec(said.join())?.[1] ?? 0);

test('after a kill it replays only what came after its recent snapshot', async () => {
  const kept = new Map<string, Uint8Array>();
  const seen = await playBusily(openMemory(kept));
  const again = await open(openMemory(kept));
  expect(again.room.tick).toBeGreaterThan(100);
  expect(seen.get(again.room.tick)).toBe(checksumOf(again.room.grid.planes));
  expect(replayed(again.said)).toBeLessThanOrEqual(45);
  await again.abandon();
});

test('after a loss of power it replays more, and is the same', async () => {
  const kept = new Map<string, Uint8Array>();
  const seen = await playBusily(openMemory(kept));
  const again = await open(openMemory(new Map(kept)));
  expect(seen.get(again.room.tick)).toBe(checksumOf(again.room.grid.planes));
  expect(replayed(again.said)).toBeGreaterThan(100);
  await again.abandon();
});

test.each(['cut off', 'changed', 'of another room'])(
  'a recent snapshot that is %s is not used',
  async (how) => {
    const kept = new Map<string, Uint8Array>();
    const records = openMemory(kept);
    const seen = await playBusily(records);
    const spoilt = openMemory(kept);
    const parts = (await spoilt.getUnsynced('recent/a'))!;
    if (how === 'cut off') parts.pop();
    if (how === 'changed') parts[0][parts[0].length >> 1] ^= 1;
    if (how === 'of another room') parts[0] = parts[0].with(3, parts[0][3] ^ 1);
    await spoilt.putUnsynced('recent/a', parts);
    const again = await open(openMemory(kept));
    expect(seen.get(again.room.tick)).toBe(checksumOf(again.room.grid.planes));
    expect(replayed(again.said)).toBeGreaterThan(100);
    await again.abandon();
  },
);

test.each([true, false])(
  'a follower begins there, if nobody replaces it meanwhile: %s',
  async (stays) => {
    const records = openMemory();
    const { room, seen } = await startBusily(records);
    let reads = 0;
    const getUnsynced: Records['getUnsynced'] = async (key) => {
      const parts = (await records.getUnsynced(key))!;
      if (reads++ > 0 && !stays) parts[0][parts[0].length >> 1] ^= 1;
      return parts;
    };
    const { place, checkpoint } = room;
    const world = new World(sharedEngine(engine));
    const store = new Store({ ...records, getUnsynced });
    const follower = await RoomReplica.open(store, world, { ...place, checkpoint });
    expect(await follower.catchUp(45)).toBe(stays);
    while (!(await follower.catchUp(45)));
    const { room: followed } = await follower.handOver(world);
    expect(checksumOf(followed.grid.planes)).toBe(seen.get(followed.tick));
    await world.close(followed);
    await room.abandon();
  },
);

test('a stored snapshot takes its place, and a room that is removed leaves none', async () => {
  const kept = new Map<string, Uint8Array>();
  await playBusily(openMemory(kept));
  const again = await open(openMemory(kept));
  expect(await again.store.records.getUnsynced('recent/a')).toBeUndefined();
  await again.store.records.putUnsynced('recent/a', [Uint8Array.of(1)]);
  await again.store.forget('a');
  expect(await again.store.records.getUnsynced('recent/a')).toBeUndefined();
  await again.abandon();
});
