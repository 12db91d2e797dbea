/** A room that another server runs, followed by its journal until it is taken over. */

import { EngineError } from '../../server/engine/engine.ts';
import { JOURNAL } from '../../server/storage/journal-writer.ts';
import { openMemory, StoreError } from '../../server/storage/records.ts';
import { MAX_LAG, openRoom, RoomReplica, recover } from '../../server/storage/recovery.ts';
import { Store } from '../../server/storage/store.ts';
import { restoreSnapshot } from '../../server/storage/undo.ts';
import { checksumOf } from '../../server/storage/watched-room.ts';
import { World } from '../../server/world/world.ts';
import { afterSuite, afterTest } from '../support/closing.ts';
import { sharedEngine, startEngine } from '../support/engine.ts';
import { openStoredRoom, playTicks } from '../support/stored-room.ts';

const started = startEngine();
afterSuite(async () => (await started).engine.close());

/** A room that runs, and how another server follows it, by an engine of its own. */
async function openPair() {
  const { engine, checkpoint: model } = await started;
  const records = openMemory();
  const owner = await openStoredRoom({ engine, records, model });
  const store = new Store(records);
  const { place, checkpoint } = owner;
  const expected = { ...place, checkpoint };
  const engineOf = (device = engine.info.device) => {
    return sharedEngine({ ...engine, info: { ...engine.info, device } });
  };
  const follow = async (device?: string, from = store, world = new World(engineOf(device))) => {
    const follower = await RoomReplica.open(from, world, expected);
    afterTest(() => follower.close());
    return follower;
  };
  /** What a server finds that has not followed it. */
  const recovered = () => recover(store, new World(engineOf()), expected);
  const takeBack = (tick: number) => restoreSnapshot(owner, tick);
  /** A new owner of a room that its owner has run until now without stopping it in good order. */
  const takeOver = () => {
    const where = { store, world: new World(engineOf()), checkpoint };
    return openRoom(place, { ...where, date: () => 0, say: () => {}, isStored: false });
  };
  return { owner, store, records, engineOf, follow, recovered, takeBack, takeOver };
}

test('a follower is where a recovery would be, also after a restore, and proves it by checksums', async () => {
  const { owner, store, engineOf, follow, recovered, takeBack } = await openPair();
  await playTicks(owner, 40, 3);
  const world = new World(engineOf());
  const follower = await follow(undefined, store, world);
  await playTicks(owner, 5, 3);
  expect(await follower.catchUp(3)).toBe(false);
  while (!(await follower.catchUp(10))) await playTicks(owner, 1, 2);
  await playTicks(owner, 25, 3);
  const { tick } = await owner.journalWriter.takeSnapshot(owner.room, {});
  await playTicks(owner, 10, 4);
  await takeBack(tick);
  await playTicks(owner, 25, 5);
  // Its last snapshot is being written.
  await owner.journalWriter.close();
  const taken = await follower.handOver(world);
  const cold = await recovered();
  expect(taken.tail).toEqual(await store.tail('a'));
  expect(taken.room.tick).toBe(taken.tail.tick);
  expect(taken.equal).toBeGreaterThan(0);
  expect(taken.room.export()).toEqual(cold.room.export());
  expect(checksumOf(taken.room.grid.planes)).toBe(checksumOf(cold.room.grid.planes));
  expect(world.rooms.get('a')).toBe(taken.room);
  // What it has handed over is not its own any more.
  await follower.close();
  expect(world.rooms.get('a')).toBe(taken.room);
  await world.tick([taken.room]);
  await expect(follower.handOver(new World(engineOf()))).rejects.toThrow('closed');
});

test('a new owner begins after all ticks that the one before may have shown without storing them', async () => {
  const { owner, store, takeOver } = await openPair();
  // What was planted grows on, and nobody does anything more.
  await playTicks(owner, 40, 3);
  const unstored = async () => owner.room.tick - (await store.tail('a'))!.tick;
  while ((await unstored()) < 5) await owner.tick();
  const taken = await takeOver();
  expect(taken.room.tick).toBeGreaterThan(owner.room.tick);
  expect(taken.tail.tick).toBe(taken.room.tick);
  // Whoever comes next begins after these, even if it has not stored a snapshot.
  expect((await store.tail('a'))!.tick).toBe(taken.room.tick);
  while (owner.room.tick < taken.room.tick) await owner.tick();
  expect(checksumOf(taken.room.grid.planes)).toBe(checksumOf(owner.room.grid.planes));
});

test('a room at rest goes on after all that its owner has shown, whose last checksum is long ago', async () => {
  const { owner, store, takeOver } = await openPair();
  const { idleMarkTicks } = JOURNAL;
  while (owner.room.tick < 2 * idleMarkTicks - 100) await owner.tick();
  expect((await store.tail('a'))!.tick).toBeLessThanOrEqual(idleMarkTicks + 1);
  const taken = await takeOver();
  expect(taken.room.tick).toBeGreaterThan(owner.room.tick);
  while (owner.room.tick < taken.room.tick) await owner.tick();
  expect(taken.room.export()).toEqual(owner.room.export());
});

test('a follower whose engine has no memory for what was planted does not go on from there', async () => {
  const { owner, store, engineOf, follow } = await openPair();
  const engine = engineOf();
  const plant: typeof engine.plant = async (patches) => {
    if (patches.length > 0) throw new EngineError('out-of-memory');
  };
  const follower = await follow(undefined, store, new World({ ...engine, plant }));
  await playTicks(owner, 40, 3);
  expect(owner.room.size).toBeGreaterThan(0);
  await expect(follower.catchUp()).rejects.toThrow('memory');
});

test('a follower that cannot read a restored state stays where it is, and can try again', async () => {
  const { owner, records, follow, takeBack } = await openPair();
  class Away extends Store {
    isAway = false;
    override moment(...of: Parameters<Store['moment']>) {
      const away = new StoreError('unreachable', 'away');
      return this.isAway ? Promise.reject(away) : super.moment(...of);
    }
  }
  const away = new Away(records);
  const follower = await follow(undefined, away);
  await playTicks(owner, 20, 1);
  const { tick } = await owner.journalWriter.takeSnapshot(owner.room, {});
  await playTicks(owner, 10, 2);
  await takeBack(tick);
  await playTicks(owner, 20, 3);
  away.isAway = true;
  await expect(follower.catchUp()).rejects.toThrow('away');
  away.isAway = false;
  expect(await follower.catchUp()).toBe(true);
});

test('a follower that lies far behind the latest snapshot is not used', async () => {
  const { owner, engineOf, follow } = await openPair();
  const follower = await follow();
  await playTicks(owner, MAX_LAG + 1, 1);
  await owner.journalWriter.takeSnapshot(owner.room, {});
  // A checksum brings the end of the journal beyond it.
  await playTicks(owner, 20, 1);
  await expect(follower.handOver(new World(engineOf()))).rejects.toThrow('behind');
});

test('a room of another engine, and one whose cells come out differently, is not followed', async () => {
  const { owner, records, follow } = await openPair();
  await expect(follow('another device')).rejects.toThrow(/another device|computes cells with/);
  class Altered extends Store {
    override async *marks(...span: Parameters<Store['marks']>) {
      for await (const mark of super.marks(...span)) yield { ...mark, planes: mark.planes ^ 1 };
    }
  }
  // From the first snapshot on, so that checksums follow it.
  const follower = await follow(undefined, new Altered(records));
  await playTicks(owner, 40, 3);
  await expect(follower.catchUp()).rejects.toThrow(
    `this server and the server that runs the room have computed different cells`,
  );
});

test('a room that is made anew under its name is not taken for the one that was followed', async () => {
  const { owner, store, engineOf, follow } = await openPair();
  await playTicks(owner, 20, 1);
  const follower = await follow();
  const made = (await store.room('a'))!;
  await store.createRoom({ ...made, made: made.made + 1 });
  await expect(follower.handOver(new World(engineOf()))).rejects.toThrow(
    'a new room was created under the same name',
  );
});
