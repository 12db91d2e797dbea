/** Rooms whose storage or engine cannot keep them for a while: what is lost, and what is not. */
import { setTimeout as pause } from 'node:timers/promises';
import { createEngine } from '../../server/engine/create-engine.ts';
import { EngineError } from '../../server/engine/engine.ts';
import { JOURNAL } from '../../server/storage/journal-writer.ts';
import { openMemory, type Records, type Write } from '../../server/storage/records.ts';
import { Store } from '../../server/storage/store.ts';
import { checksumOf } from '../../server/storage/watched-room.ts';
import type { RoomEvent } from '../../server/world/commands.ts';
import type { Room } from '../../server/world/room.ts';
import { afterSuite } from '../support/closing.ts';
import {
  brittle,
  expectSeen,
  openStoredRoom,
  playTicks,
  type StoredRoomOptions,
} from '../support/stored-room.ts';
import { tinyModel } from '../unit/vnca/tiny-model.ts';

const model = tinyModel();
const engine = await createEngine({ checkpoints: [model], backend: 'onnx', threads: 1 });
afterSuite(() => engine.close());

const open = (records: Records, options: Partial<StoredRoomOptions> = {}) =>
  openStoredRoom({ engine, records, model, ...options });

/** Plays on until the room is stored again: its snapshot is compressed meanwhile. */
async function playUntilKept(
  stored: Awaited<ReturnType<typeof open>>,
  ticks: number,
  seed: number,
): Promise<Map<number, number>> {
  const seen = new Map(await playTicks(stored, ticks, seed));
  while (stored.troubles.at(-1) !== 'kept-again') {
    await pause(5);
    for (const [tick, sum] of await playTicks(stored, 5, seed)) seen.set(tick, sum);
  }
  return seen;
}

const copyOf = (kept: ReadonlyMap<string, Uint8Array>) =>
  new Map([...kept].map(([key, bytes]) => [key, bytes.slice()]));

describe('when the disk is full', () => {
  /** Records whose snapshots of a room wait from when they are held until they are freed. */
  function holdable(records: Records, room: string) {
    const held = { isHeld: false, free: (): void => {}, onWait: (): void => {} };
    const gate = new Promise<void>((resolve) => {
      held.free = resolve;
    });
    const write = async (what: Write): Promise<void> => {
      const isSnapshot = what.put?.some(({ key }) => key.startsWith(`snapshot/${room}/`));
      if (held.isHeld && isSnapshot) {
        held.onWait();
        await gate;
      }
      await records.write(what);
    };
    return { held, records: { ...records, write } };
  }

  test('the room goes on, reports it, loses nothing stored, and is stored again when there is space', async () => {
    const kept = new Map<string, Uint8Array>();
    const { disk, records } = brittle(kept);
    const first = await open(records);
    const seen = await playTicks(first, 60, 10);
    disk.full = true;
    await playTicks(first, 30, 11);
    expect(first.room.tick).toBe(90);
    expect(first.troubles).toEqual(['not-kept']);
    expect(first.journalWriter.isPersisting).toBe(false);
    const { room } = await expectSeen(open(openMemory(copyOf(kept))), seen);
    expect(room.tick).toBeGreaterThan(40);

    disk.full = false;
    const later = await playUntilKept(first, 150, 12);
    expect(first.troubles).toEqual(['not-kept', 'kept-again']);
    await first.abandon();
    const again = await expectSeen(open(openMemory(kept)), later);
    expect(again.room.tick).toBeGreaterThan(200);
  });

  test('a crash while the snapshot that ends the trouble is written loses nothing stored', async () => {
    const kept = new Map<string, Uint8Array>();
    const { disk, records } = brittle(kept);
    const { held, records: holding } = holdable(records, 'a');
    const first = await open(holding);
    const ticks = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) await first.tick();
    };
    first.plant(10);
    await ticks(3);
    disk.full = true;
    first.plant(36);
    await ticks(20);
    disk.full = false;
    held.isHeld = true;
    // Nobody does anything, but the organisms move.
    await ticks(150);
    expect(first.troubles).toEqual(['not-kept']);
    const back = await open(openMemory(copyOf(kept)));
    expect(back.room.organisms).toHaveLength(1);
    await back.abandon();
    held.free();
    await first.abandon();
  });

  test('naming a snapshot does not end the trouble: it stores nothing of the room', async () => {
    const { disk, records } = brittle(new Map());
    const first = await open(records);
    await playTicks(first, 60, 10);
    disk.full = true;
    await playTicks(first, 5, 11);
    disk.full = false;
    const [{ tick }] = first.journalWriter.snapshotsOf(first.room);
    await first.journalWriter.renameSnapshot(first.room, tick, 'Monday');
    expect(first.troubles).toEqual(['not-kept']);
    await playUntilKept(first, 150, 12);
    expect(first.troubles).toEqual(['not-kept', 'kept-again']);
    await first.abandon();
  });

  test('nor does a new one with a name that was taken before and had to wait', async () => {
    const { disk, records } = brittle(new Map());
    const { held, records: holding } = holdable(records, 'a');
    const first = await open(holding, { snapshotLeast: 1e9 });
    const { room, journalWriter } = first;
    await playTicks(first, 20, 10);
    held.isHeld = true;
    const waits = new Promise<void>((resolve) => {
      held.onWait = resolve;
    });
    const snapshots = [journalWriter.takeSnapshot(room, {})];
    await waits;
    snapshots.push(journalWriter.takeSnapshot(room, { name: 'Monday' }));
    disk.full = true;
    first.plant(9);
    await first.tick();
    disk.full = false;
    held.free();
    await Promise.all(snapshots);
    expect(first.troubles).toEqual(['not-kept']);
    await first.abandon();
  });

  test('a room that is stored again stores its commands while another room still waits', async () => {
    const kept = new Map<string, Uint8Array>();
    const { disk, records } = brittle(kept);
    const { held, records: holding } = holdable(records, 'b');
    const first = await open(holding);
    const { room, world, journalWriter } = first;
    const also = await first.openAlso('b');
    const both = async (ticks: number): Promise<void> => {
      for (let i = 0; i < ticks; i++) {
        journalWriter.ticked(await world.tick([room, also]));
        await first.pass();
      }
    };
    disk.full = true;
    first.plant(10);
    await both(10);
    expect(first.troubles).toEqual(['not-kept']);
    disk.full = false;
    held.isHeld = true;
    await both(150);
    // One of the two is kept again.
    expect(first.troubles).toEqual(['not-kept']);
    first.plant(36);
    await both(3);
    const { tick } = room;
    held.free();
    // The snapshot takes its time: it is compressed.
    while (first.troubles.length < 2) {
      await pause(5);
      await both(1);
    }
    expect(first.troubles).toEqual(['not-kept', 'kept-again']);
    const then = copyOf(kept);
    await first.abandon();
    const done: number[] = [];
    for await (const { events } of new Store(openMemory(then)).journal('a', 0, tick)) {
      for (const event of events as RoomEvent[]) {
        if (event.what === 'command' && event.command.what === 'plant') done.push(event.command.x);
      }
    }
    expect(done).toEqual([36]);
    const again = await open(openMemory(then));
    expect(again.said.join()).not.toMatch(/lost|could not/);
    expect(again.room.tick).toBeGreaterThanOrEqual(tick - 2);
    await again.abandon();
  });

  test('a slow room is stored again after its own next tick, whichever rooms tick at the retry', async () => {
    const { disk, records } = brittle(new Map());
    const first = await open(records, { snapshotLeast: 1e9 });
    const { room, world, journalWriter } = first;
    const slow = await first.openAlso('b');
    const tick = async (...rooms: Room[]): Promise<void> => {
      journalWriter.ticked(await world.tick(rooms));
      await first.pass(1);
    };
    const isKept = async (one: Room): Promise<void> => {
      while (journalWriter.snapshotsOf(one)[0].tick === 0) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    disk.full = true;
    first.plant(9);
    await tick(room);
    expect(first.troubles).toEqual(['not-kept']);
    disk.full = false;
    await first.pass(JOURNAL.retry);
    // The slow one is not among those that tick just then.
    await tick(room);
    await isKept(room);
    expect(first.troubles).toEqual(['not-kept']);
    await tick(slow);
    await isKept(slow);
    expect(first.troubles).toEqual(['not-kept', 'kept-again']);
    await first.abandon();
  });

  test('after a kill before the next snapshot, the room is as before the gap', async () => {
    const kept = new Map<string, Uint8Array>();
    const { disk, records } = brittle(kept);
    const first = await open(records, { snapshotLeast: 1e9 });
    const seen = await playTicks(first, 60, 13);
    disk.full = true;
    await playTicks(first, 30, 14);
    disk.full = false;
    await playUntilKept(first, 90, 15);
    await first.abandon();
    for (const key of kept.keys()) {
      // The snapshot that made good for it.
      if (/^(snapshot|state)\//.test(key) && !key.endsWith('/000000000000')) kept.delete(key);
    }
    const again = await open(openMemory(kept));
    expect(again.said[0]).toMatch(/could not be stored and are lost/);
    expect(seen.get(again.room.tick)).toBe(checksumOf(again.room.grid.planes));
    const on = await playTicks(again, 40, 16);
    await again.abandon();
    await expectSeen(open(openMemory(kept)), on);
  });
});

describe('a room that has become another while the engine had no memory to read it', () => {
  test.each([
    ['before it is kept again, is as of before', 30, true],
    ['once it is kept again, is as it was at the end', 400, false],
  ])('killed %s', async (_, ticks, isLost) => {
    const kept = new Map<string, Uint8Array>();
    const first = await open(openMemory(kept), { snapshotLeast: 1_000 });
    await playTicks(first, 60, 17);
    const { room, world, journalWriter } = first;
    const state = room.export();
    const states = await world.engine.exportStates(
      state.organisms.map(({ id }) => room.patchOf(id)!),
    );
    const before = await playTicks(first, 10, 18);
    const { exportStates } = world.engine;
    const none = async () => {
      throw new EngineError('out-of-memory');
    };
    Object.assign(world.engine, { exportStates: none });
    const from = { ...state, tick: room.tick + 1 };
    await world.replaceState(room, from, states);
    await expect(journalWriter.recordJump(room, { why: 'restore', tick: 60 })).rejects.toThrow(
      'memory',
    );
    expect(first.troubles).toContain('not-kept');
    if (!isLost) Object.assign(world.engine, { exportStates });
    const after = await (isLost ? playTicks : playUntilKept)(first, ticks, 19);
    expect(first.troubles.includes('kept-again')).toBe(!isLost);
    await first.abandon();
    await expectSeen(open(openMemory(kept)), isLost ? before : after);
  });
});
