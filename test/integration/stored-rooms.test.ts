/**
 * Rooms that are stored, damaged, foreign or killed: the server never opens a wrong room, always
 * explains itself, and replays no more than it must.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createEngine } from '../../server/engine/create-engine.ts';
import { EngineError } from '../../server/engine/engine.ts';
import { openFolder, openSound } from '../../server/storage/lmdb/open.ts';
import {
  encodeRecord,
  openMemory,
  type Records,
  StoreError,
  type StoreReason,
} from '../../server/storage/records.ts';
import { RoomReplica } from '../../server/storage/recovery.ts';
import { Store } from '../../server/storage/store.ts';
import { restoreSnapshot } from '../../server/storage/undo.ts';
import { checksumOf } from '../../server/storage/watched-room.ts';
import { World } from '../../server/world/world.ts';
import { createRandom } from '../../shared/random.ts';
import { afterSuite, suiteFolder } from '../support/closing.ts';
import { sharedEngine } from '../support/engine.ts';
import { isFull } from '../support/needs.ts';
import { ANNA } from '../support/rooms.ts';
import {
  expectSeen,
  openStoredRoom,
  playTicks,
  type StoredRoomOptions,
} from '../support/stored-room.ts';
import { tinyModel } from '../unit/vnca/tiny-model.ts';

const model = tinyModel();
const other = tinyModel({ name: 'other' }, 9);
const engine = await createEngine({ checkpoints: [model, other], backend: 'onnx', threads: 1 });
afterSuite(() => engine.close());
const scratch = suiteFolder();

const open = (records: Records, options: Partial<StoredRoomOptions> = {}) =>
  openStoredRoom({ engine, records, model, ...options });

const reasonOf = (opening: Promise<unknown>): Promise<StoreReason> =>
  opening.then(
    () => {
      throw new Error('it was opened');
    },
    (error: unknown) => {
      expect(error).toBeInstanceOf(StoreError);
      expect((error as StoreError).message).toMatch(/^[A-Z].*\.$/);
      return (error as StoreError).reason;
    },
  );

describe('a stored room', () => {
  test('refused commands are not in the journal; the room is the same', async () => {
    const kept = new Map<string, Uint8Array>();
    const first = await open(openMemory(kept), { snapshotLeast: 1e9 });
    const points = Array.from({ length: 128 }, () => 24.123_456);
    const seen = new Map<number, number>();
    const seed = { from: 'prior' } as const;
    for (let tick = 0; tick < 30; tick++) {
      // Off the grid, and of an organism that is not there: refused.
      first.room.enqueue(1, { what: 'damage', by: ANNA, points: [...points, 999, 999], radius: 2 });
      first.room.enqueue(2, { what: 'cross', by: ANNA, a: 998, b: 999, mix: 0.5 });
      if (tick % 10 === 3) first.room.enqueue(3, { what: 'plant', by: ANNA, x: 24, y: 24, seed });
      await first.tick();
      seen.set(first.room.tick, checksumOf(first.room.grid.planes));
    }
    const journal = [...kept].filter(([key]) => key.startsWith('journal'));
    expect(journal.reduce((sum, [, { length }]) => sum + length, 0)).toBeLessThan(600);
    await first.abandon();
    expect((await expectSeen(open(openMemory(kept)), seen)).room.size).toBe(1);
  });

  test('its last snapshot keeps its name, or what it is for, when the server starts again', async () => {
    const kept = new Map<string, Uint8Array>();
    const first = await open(openMemory(kept));
    await playTicks(first, 30, 1);
    const { tick } = await first.journalWriter.takeSnapshot(first.room, { name: 'Monday' });
    await first.abandon();
    const again = await open(openMemory(kept));
    const named = again.journalWriter.snapshotsOf(again.room);
    expect(named.filter((one) => one.tick === tick)).toMatchObject([{ name: 'Monday' }]);
    await restoreSnapshot(again, tick);
    await again.abandon();
    const third = await open(openMemory(kept));
    expect(third.room.tick).toBe(tick + 1);
    const [latest, before] = third.journalWriter.snapshotsOf(third.room);
    expect(latest).toMatchObject({ tick: tick + 1, jump: true });
    expect(before).toMatchObject({ tick, name: 'Monday', before: 'restore' });
    await third.abandon();
  });

  test('a damaged snapshot is skipped, and the room is the same', async () => {
    const kept = new Map<string, Uint8Array>();
    const first = await open(openMemory(kept));
    const seen = await playTicks(first, 100, 3);
    await first.abandon();
    const snapshots = [...kept.keys()].filter((key) => key.startsWith('snapshot/')).sort();
    expect(snapshots.length).toBeGreaterThan(1);
    const state = snapshots.at(-1)!.replace('snapshot/', 'state/');
    kept.get(state)![200] ^= 4;
    const { said } = await expectSeen(open(openMemory(kept)), seen);
    expect(said[0]).toMatch(/snapshot of tick \d+ is damaged and was skipped/);
  });

  test.each([
    ['a journal entry that is damaged', /^journal\//, 'change'],
    ['a journal entry that is missing', /^journal\//, 'remove'],
    ['all snapshots damaged', /^snapshot\//, 'change all'],
    ['where it stands damaged', /^tail\//, 'change'],
    ['what it is damaged', /^room\//, 'change'],
  ])('with %s it is refused with a sentence', async (_, kind, what) => {
    const kept = new Map<string, Uint8Array>();
    const first = await open(openMemory(kept), { snapshotLeast: 1e9 });
    await playTicks(first, 60, 4);
    await first.journalWriter.saveAll();
    await playTicks(first, 30, 5);
    await first.abandon();
    const keys = [...kept.keys()].filter((key) => kind.test(key)).sort();
    for (const key of what.endsWith('all') ? keys : keys.slice(-2)) {
      if (what.startsWith('remove')) kept.delete(key);
      else kept.get(key)![7] ^= 16;
    }
    expect(await reasonOf(open(openMemory(kept)))).toBe('damaged');
  });

  test('is refused by an engine without memory for what was planted in it', async () => {
    const kept = new Map<string, Uint8Array>();
    const first = await open(openMemory(kept), { snapshotLeast: 1e9 });
    first.plant(24);
    await first.tick();
    expect(first.room.size).toBe(1);
    await first.abandon();
    const plant: typeof engine.plant = async (patches) => {
      if (patches.length > 0) throw new EngineError('out-of-memory');
    };
    const opening = open(openMemory(kept), { engine: { ...engine, plant } });
    await expect(opening).rejects.toThrow('memory');
  });

  test('is refused with other weights, another size, or a later format version', async () => {
    const kept = new Map<string, Uint8Array>();
    await (await open(openMemory(kept))).abandon();
    expect(await reasonOf(open(openMemory(kept), { model: other }))).toBe('other-checkpoint');
    const retrained = tinyModel({}, 77);
    expect(await reasonOf(open(openMemory(kept), { model: retrained }))).toBe('other-checkpoint');
    const place = { width: 64, height: 64 };
    expect(await reasonOf(open(openMemory(kept), { place }))).toBe('other-size');
    const [state] = [...kept.keys()].filter((key) => key.startsWith('state/'));
    const whole = kept.get(state)!;
    kept.set(state, encodeRecord(state, { version: 99 }));
    expect(await reasonOf(open(openMemory(kept)))).toBe('other-version');
    kept.set(state, whole.with(0, 2));
    expect(await reasonOf(open(openMemory(kept)))).toBe('other-version');
  });

  test('a clock that is set back changes no cell, and each entry has the time of its day', async () => {
    const kept = new Map<string, Uint8Array>();
    const dates = [1_790_000_000_000, 1_790_000_000_000 - 3 * 86_400_000];
    let seen = new Map<number, number>();
    for (const [i, date] of dates.entries()) {
      // All entries come after its first snapshot.
      const room = await open(openMemory(kept), { date: () => date, snapshotLeast: 1e9 });
      if (i > 0) expect(seen.get(room.room.tick)).toBe(checksumOf(room.room.grid.planes));
      seen = await playTicks(room, 60, 8 + i);
      await room.abandon();
    }
    const store = new Store(openMemory(kept));
    const times: number[] = [];
    for await (const { at } of store.journal('a', 0, 1e6)) times.push(at);
    expect([...new Set(times)]).toEqual(dates);
    await expectSeen(open(openMemory(kept), { date: () => dates[1] }), seen);
  });
});

test('a room at rest is stored once an hour, so that a restart does not replay days', async () => {
  const room = await open(openMemory(new Map()));
  const latest = (): number => room.journalWriter.snapshotsOf(room.room)[0].tick;
  for (let hour = 0; hour < 5; hour++) {
    for (let tick = 0; tick < 100; tick++) await room.tick();
    await room.pass(3_600_000);
    await room.tick();
    while (room.room.tick - latest() > 1) await engine.exportStates([]);
  }
  await room.abandon();
});

describe('a busy room that is killed', () => {
  /** Stored each 600 s of the room's time; kept for a restart as often as may be. */
  const openBusy = (records: Records) =>
    open(records, { snapshotLeast: 100_000, snapshotCells: 400 });

  /** Plays until something was kept for a restart, and some ticks more. */
  async function startBusily(records: Records) {
    const room = await openBusy(records);
    const seen = await playTicks(room, 90, 1);
    for (let tick = 0; tick < 30; tick++) {
      if (tick % 10 === 0) room.plant(24);
      // From then on a recent snapshot is due.
      if (tick === 26) await room.pass(100_000);
      await room.tick();
      seen.set(room.room.tick, checksumOf(room.room.grid.planes));
    }
    await room.journalWriter.flushed();
    expect(await records.getUnsynced('recent/a')).toBeDefined();
    for (const [tick, planes] of await playTicks(room, 40, 2)) seen.set(tick, planes);
    return { room, seen };
  }

  /** As `startBusily`, until it ends without a clean shutdown. */
  async function playBusily(records: Records) {
    const { room, seen } = await startBusily(records);
    await room.abandon();
    return seen;
  }

  /** How many ticks are replayed when the room is opened, which is then as it was seen. */
  async function replayed(records: Records, seen: ReadonlyMap<number, number>): Promise<number> {
    const { said } = await expectSeen(openBusy(records), seen);
    return Number(/the last (\d+) ticks replayed/.exec(said.join())?.[1] ?? 0);
  }

  test('replays only what came after its recent snapshot; after a loss of power it replays more', async () => {
    const kept = new Map<string, Uint8Array>();
    const seen = await playBusily(openMemory(kept));
    const rest = new Map(kept);
    expect(await replayed(openMemory(kept), seen)).toBeLessThanOrEqual(45);
    expect(await replayed(openMemory(rest), seen)).toBeGreaterThan(100);
  });

  test.each<[string, (parts: Uint8Array[]) => unknown]>([
    ['cut off', (parts) => parts.pop()],
    ['changed', ([first]) => (first[first.length >> 1] ^= 1)],
    ['of another room', (parts) => (parts[0] = parts[0].with(3, parts[0][3] ^ 1))],
  ])('does not use a recent snapshot that is %s', async (_, spoil) => {
    const kept = new Map<string, Uint8Array>();
    const seen = await playBusily(openMemory(kept));
    const spoilt = openMemory(kept);
    const parts = (await spoilt.getUnsynced('recent/a'))!;
    spoil(parts);
    await spoilt.putUnsynced('recent/a', parts);
    expect(await replayed(openMemory(kept), seen)).toBeGreaterThan(100);
  });

  test.each([true, false])(
    'has followers that begin at its recent snapshot, if nobody replaces it meanwhile: %s',
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

  test('keeps no recent snapshot beside a stored one, nor when it is removed', async () => {
    const kept = new Map<string, Uint8Array>();
    await playBusily(openMemory(kept));
    const { store, abandon } = await openBusy(openMemory(kept));
    expect(await store.records.getUnsynced('recent/a')).toBeUndefined();
    await store.records.putUnsynced('recent/a', [Uint8Array.of(1)]);
    await store.forget('a');
    expect(await store.records.getUnsynced('recent/a')).toBeUndefined();
    await abandon();
  });
});

describe('a data folder', () => {
  const folderOf = (name: string): string => join(scratch, name);

  test('that cannot be written to is named', async () => {
    writeFileSync(folderOf('file'), '');
    expect(await reasonOf(openFolder(join(folderOf('file'), 'below')))).toBe('not-writable');
    const locked = folderOf('locked');
    mkdirSync(locked, { mode: 0o555 });
    const root = process.geteuid?.() === 0;
    // Root may write anywhere; nobody may not.
    if (root) process.seteuid!(65_534);
    try {
      expect(await reasonOf(openFolder(locked))).toBe('not-writable');
    } finally {
      if (root) process.seteuid!(0);
    }
    expect(existsSync(join(locked, 'data.mdb'))).toBe(false);
  });

  test('truncated or with flipped bits is never read as another room', async () => {
    const whole = folderOf('whole');
    const first = await open(await openFolder(whole));
    const seen = await playTicks(first, 150, 20);
    const last = [...seen.keys()].at(-1)!;
    await first.abandon();
    const random = createRandom(20261125);
    const outcomes = { same: 0, refused: 0 };
    const rounds = isFull ? 300 : 6;
    for (let round = 0; round < rounds; round++) {
      const folder = folderOf(`damaged-${round}`);
      cpSync(whole, folder, { recursive: true, filter: (path) => !path.endsWith('.sock') });
      const file = join(folder, 'data.mdb');
      const bytes = readFileSync(file);
      if (round % 3 === 0) truncateSync(file, random.integer(bytes.length));
      else {
        for (let flips = 1 + random.integer(round % 3 === 1 ? 3 : 400); flips > 0; flips--) {
          bytes[random.integer(bytes.length)] ^= 1 << random.integer(8);
        }
        writeFileSync(file, bytes);
      }
      const again = await openSound(folder)
        .then((records) => open(records))
        .catch((error: unknown) => {
          expect(error).toBeInstanceOf(StoreError);
          expect((error as StoreError).message).toMatch(/^(The|Room) .*\.$/);
          outcomes.refused++;
        });
      if (again) {
        const { room } = again;
        expect([round, seen.get(room.tick)]).toEqual([round, checksumOf(room.grid.planes)]);
        expect(room.tick).toBeGreaterThan(last - 16);
        outcomes.same++;
        await again.abandon();
      }
      rmSync(folder, { recursive: true });
    }
    expect(outcomes.refused).toBeGreaterThan(0);
  });
});
