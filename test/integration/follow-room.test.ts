/** A room that another server runs, followed by its journal until it is taken over. */

import { openMemory } from '../../server/storage/memory-records.ts';
import { checksumOf } from '../../server/storage/plane-checksums.ts';
import { recover } from '../../server/storage/recovery.ts';
import { restoreSnapshot } from '../../server/storage/restore-snapshot.ts';
import { RoomFollower } from '../../server/storage/room-follower.ts';
import { Store } from '../../server/storage/store.ts';
import { World } from '../../server/world/world.ts';
import { sharedEngine, startEngine } from '../support/engine.ts';
import { openStoredRoom, playTicks } from '../support/stored-room.ts';
import { afterSuite } from '../support/suite.ts';

const started = startEngine();
afterSuite(async () => (await started).engine.close());

/** A room that runs, and how another server follows it, by an engine of its own. */
async function openPair() {
  const { engine, checkpoint: model } = await started;
  const records = openMemory();
  const owner = await openStoredRoom({ engine, records, model });
  const store = new Store(records);
  const { room, place, checkpoint } = owner;
  const expected = { ...place, checkpoint };
  const engineOf = (device = engine.info.device) => {
    return sharedEngine({ ...engine, info: { ...engine.info, device } });
  };
  const follow = (device?: string, from = store) =>
    RoomFollower.open(from, new World(engineOf(device)), expected);
  /** What a server finds that has not followed it. */
  const recovered = () => recover(store, new World(engineOf()), expected);
  const takeBack = (tick: number) =>
    restoreSnapshot(
      {
        ...{ store, world: owner.world, journalWriter: owner.journalWriter, room },
        ...{ hold: async () => {}, resume: () => {} },
      },
      tick,
    );
  return { owner, store, records, engineOf, follow, recovered, takeBack };
}

test('a follower is where a recovery would be, also after a restore, and proves it by checksums', async () => {
  const { owner, store, engineOf, follow, recovered, takeBack } = await openPair();
  await playTicks(owner, 40, 1);
  const follower = await follow();
  expect(await follower.catchUp(3)).toBe(false);
  while (!(await follower.catchUp(10))) await playTicks(owner, 1, 2);
  await playTicks(owner, 25, 3);
  const { tick } = await owner.journalWriter.takeSnapshot(owner.room, {});
  await playTicks(owner, 10, 4);
  await takeBack(tick);
  await playTicks(owner, 25, 5);
  // Its last snapshot is being written.
  await owner.journalWriter.close();
  const world = new World(engineOf());
  // A world of another engine has no patches of this one, so that only the room is compared.
  const taken = await follower.handOver(world);
  const cold = await recovered();
  expect(taken.tail).toEqual(await store.tail('a'));
  expect(taken.room.tick).toBe(taken.tail.tick);
  expect(taken.equal).toBeGreaterThan(0);
  expect(taken.room.export()).toEqual(cold.room.export());
  expect(checksumOf(taken.room.grid.planes)).toBe(checksumOf(cold.room.grid.planes));
  expect(world.rooms.get('a')).toBe(taken.room);
});

test('a room of another engine, and one whose cells come out differently, is not followed', async () => {
  const { owner, records, follow } = await openPair();
  await expect(follow('another device')).rejects.toThrow(/another device|computes with/);
  class Altered extends Store {
    override async *marks(...span: Parameters<Store['marks']>) {
      for await (const mark of super.marks(...span)) yield { ...mark, planes: mark.planes ^ 1 };
    }
  }
  // From the first snapshot on, so that checksums follow it.
  const follower = await follow(undefined, new Altered(records));
  await playTicks(owner, 40, 1);
  await expect(follower.catchUp()).rejects.toThrow('computed differently');
  await follower.close();
});

test('a room that is made anew under its name is not taken for the one that was followed', async () => {
  const { owner, store, engineOf, follow } = await openPair();
  await playTicks(owner, 20, 1);
  const follower = await follow();
  const made = (await store.room('a'))!;
  await store.createRoom({ ...made, made: made.made + 1 });
  await expect(follower.handOver(new World(engineOf()))).rejects.toThrow('made anew');
  await follower.close();
});
