/** Damaged, full or foreign data folders: the server never opens a wrong room, and always explains itself. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEngine } from '../../server/engine/create-engine.ts';
import { type Engine, EngineError } from '../../server/engine/engine.ts';
import { speciesOf } from '../../server/rooms/species.ts';
import { fingerprint } from '../../server/storage/checkpoint-fingerprint.ts';
import { JournalWriter, type StorageNotice } from '../../server/storage/journal-writer.ts';
import { openFolder, openSound } from '../../server/storage/lmdb/open.ts';
import { openMemory } from '../../server/storage/memory-records.ts';
import { openRoom } from '../../server/storage/open-room.ts';
import { checksumOf } from '../../server/storage/plane-checksums.ts';
import { encodeRecord } from '../../server/storage/record-codec.ts';
import type { Records, Write } from '../../server/storage/records.ts';
import { Store } from '../../server/storage/store.ts';
import { StoreError, type StoreReason } from '../../server/storage/store-error.ts';
import type { RoomEvent } from '../../server/world/events.ts';
import type { Room } from '../../server/world/room.ts';
import { World } from '../../server/world/world.ts';
import { DEFAULTS } from '../../shared/defaults.ts';
import { createRandom } from '../../shared/random.ts';
import { sharedEngine } from '../support/engine.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ANNA } from '../support/rooms.ts';
import { command } from '../support/wishes.ts';
import { tinyModel } from '../unit/vnca/tiny-model.ts';

const model = tinyModel();
const other = tinyModel({ name: 'other' }, 9);
const full = process.env.VIVARIUM_TEST_FULL === '1';
let engine: Engine;
let scratch: string;

beforeAll(async () => {
  engine = await createEngine({ checkpoints: [model, other], backend: 'onnx', threads: 1 });
  scratch = mkdtempSync(join(tmpdir(), 'vivarium-damage-'));
});

afterAll(async () => {
  await engine.close();
  rmSync(scratch, { recursive: true });
});

interface Open {
  readonly room: Room;
  readonly world: World;
  readonly store: Store;
  readonly said: string[];
  readonly troubles: StorageNotice[];
  readonly journalWriter: JournalWriter;
  tick(): Promise<void>;
  /** Advances the time, ms. */
  pass(ms?: number): Promise<void>;
  /** Stops without a clean shutdown, like `kill -9`. */
  abandon(): Promise<void>;
}

/** A server's rooms without the server, on a clock that the test advances. */
async function open(
  records: Records,
  {
    clock = new FakeClock(),
    date = (): number => 1_790_000_000_000,
    size = 48,
    maxOrganisms = 5,
    grown = model,
    snapshotLeast = 100,
  } = {},
): Promise<Open> {
  const store = new Store(records);
  const mine = sharedEngine(engine);
  const world = new World(mine);
  const said: string[] = [];
  const troubles: StorageNotice[] = [];
  const journalWriter = new JournalWriter({
    store,
    engine: mine,
    clock,
    date,
    snapshotLeast,
    warn: (trouble) => troubles.push(trouble),
  });
  const species = speciesOf({ ...grown, folder: '' });
  const place = { name: 'a', width: size, height: size, maxOrganisms, seed: 5, species };
  const { name } = grown.card;
  const close = async (): Promise<void> => {
    await journalWriter.close();
    for (const room of world.rooms.values()) await world.close(room);
    await records.close();
  };
  try {
    const { room, tail } = await openRoom(place, {
      store,
      world,
      checkpoint: { name, hash: fingerprint(grown) },
      date,
      say: (remark) => said.push(remark),
    });
    await journalWriter.watch(room, tail);
    world.journal = journalWriter.record;
    return {
      room,
      world,
      store,
      said,
      troubles,
      journalWriter,
      abandon: close,
      async tick() {
        journalWriter.ticked(await world.tick([room]));
        await clock.advance(50);
      },
      pass: (ms = 50) => clock.advance(ms),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** @returns checksums of the planes after each tick */
async function live(room: Open, ticks: number, seed: number): Promise<Map<number, number>> {
  const random = createRandom(seed);
  const seen = new Map<number, number>();
  for (let tick = 0; tick < ticks; tick++) {
    if (random.uniform() < 0.4) command(random, room.room);
    await room.tick();
    seen.set(room.room.tick, checksumOf(room.room.grid.planes));
  }
  return seen;
}

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
  test('is restored at its last stored tick, and continues exactly as it would have', async () => {
    const kept = new Map<string, Uint8Array>();
    const first = await open(openMemory(kept));
    await live(first, 120, 1);
    first.room.leave(1);
    const seen = await live(first, 40, 2);
    await first.abandon();
    const again = await open(openMemory(kept));
    expect(seen.get(again.room.tick)).toBe(checksumOf(again.room.grid.planes));
    // At most the ticks since the last checksum, in which nothing has come in, are still to be done.
    for (const [tick, planes] of seen) {
      if (tick <= again.room.tick) continue;
      await again.tick();
      expect(checksumOf(again.room.grid.planes)).toBe(planes);
    }
    await again.abandon();
  });

  test('refused commands are counted, but not in the journal; the room is the same', async () => {
    const kept = new Map<string, Uint8Array>();
    const first = await open(openMemory(kept), { snapshotLeast: 1e9 });
    const points = Array.from({ length: 128 }, () => 24.123_456);
    const seen = new Map<number, number>();
    const journalBytes = (): number =>
      [...kept].reduce(
        (sum, [key, { length }]) => sum + (key.startsWith('journal') ? length : 0),
        0,
      );
    const seed = { from: 'prior' } as const;
    for (let tick = 0; tick < 30; tick++) {
      // Off the grid, and of an organism that is not there: refused.
      first.room.enqueue(1, { what: 'damage', by: ANNA, points: [...points, 999, 999], radius: 2 });
      first.room.enqueue(2, { what: 'cross', by: ANNA, a: 998, b: 999, mix: 0.5 });
      if (tick % 10 === 3) first.room.enqueue(3, { what: 'plant', by: ANNA, x: 24, y: 24, seed });
      await first.tick();
      seen.set(first.room.tick, checksumOf(first.room.grid.planes));
    }
    expect(journalBytes()).toBeLessThan(600);
    const [day] = await first.store.days('a');
    // They are stored with the next entry or checksum.
    expect(day.plant).toBe(3);
    expect(day.refused).toBeGreaterThanOrEqual(2 * 15);
    await first.abandon();
    const again = await open(openMemory(kept));
    expect(again.room.size).toBe(1);
    expect(seen.get(again.room.tick)).toBe(checksumOf(again.room.grid.planes));
    await again.abandon();
  });

  test('a damaged snapshot is skipped, and the room is the same', async () => {
    const kept = new Map<string, Uint8Array>();
    const first = await open(openMemory(kept));
    const seen = await live(first, 100, 3);
    await first.abandon();
    const snapshots = [...kept.keys()].filter((key) => key.startsWith('snapshot/')).sort();
    expect(snapshots.length).toBeGreaterThan(1);
    const state = snapshots.at(-1)!.replace('snapshot/', 'state/');
    kept.get(state)![200] ^= 4;
    const again = await open(openMemory(kept));
    expect(again.said[0]).toMatch(/snapshot of tick \d+ is damaged and was skipped/);
    expect(seen.get(again.room.tick)).toBe(checksumOf(again.room.grid.planes));
    await again.abandon();
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
    await live(first, 60, 4);
    await first.journalWriter.saveAll();
    await live(first, 30, 5);
    await first.abandon();
    const keys = [...kept.keys()].filter((key) => kind.test(key)).sort();
    for (const key of what.endsWith('all') ? keys : keys.slice(-2)) {
      if (what.startsWith('remove')) kept.delete(key);
      else kept.get(key)![7] ^= 16;
    }
    expect(await reasonOf(open(openMemory(kept)))).toBe('damaged');
  });

  test('is refused with other weights, another size, or a later format version', async () => {
    const kept = new Map<string, Uint8Array>();
    await (await open(openMemory(kept))).abandon();
    expect(await reasonOf(open(openMemory(kept), { grown: other }))).toBe('other-checkpoint');
    const retrained = tinyModel({}, 77);
    expect(await reasonOf(open(openMemory(kept), { grown: retrained }))).toBe('other-checkpoint');
    expect(await reasonOf(open(openMemory(kept), { size: 64 }))).toBe('other-size');
    const [state] = [...kept.keys()].filter((key) => key.startsWith('state/'));
    const whole = kept.get(state)!;
    kept.set(state, encodeRecord(state, { version: 99 }));
    expect(await reasonOf(open(openMemory(kept)))).toBe('other-version');
    kept.set(state, whole.with(0, 2));
    expect(await reasonOf(open(openMemory(kept)))).toBe('other-version');
  });

  test('the maximum number of organisms may change between two starts', async () => {
    const kept = new Map<string, Uint8Array>();
    const first = await open(openMemory(kept));
    await live(first, 50, 6);
    await first.abandon();
    const more = await open(openMemory(kept), { maxOrganisms: 9 });
    await more.tick();
    expect(more.room.maxOrganisms).toBe(9);
    const seen = await live(more, 50, 7);
    await more.abandon();
    const again = await open(openMemory(kept), { maxOrganisms: 9 });
    expect(seen.get(again.room.tick)).toBe(checksumOf(again.room.grid.planes));
    await again.abandon();
  });

  test('a clock that is set back changes nothing', async () => {
    const kept = new Map<string, Uint8Array>();
    const dates = [1_790_000_000_000, 1_790_000_000_000 - 3 * 86_400_000];
    let seen = new Map<number, number>();
    for (const [i, date] of dates.entries()) {
      const room = await open(openMemory(kept), { date: () => date });
      if (i > 0) expect(seen.get(room.room.tick)).toBe(checksumOf(room.room.grid.planes));
      seen = await live(room, 60, 8 + i);
      await room.abandon();
    }
    const store = new Store(openMemory(kept));
    const times: number[] = [];
    for await (const { at } of store.journal('a', 0, 1e6)) times.push(at);
    expect(times).toEqual([...times].sort());
    const again = await open(openMemory(kept), { date: () => dates[1] });
    expect(seen.get(again.room.tick)).toBe(checksumOf(again.room.grid.planes));
    await again.abandon();
  });
});

test('a room at rest is stored once an hour, so that a restart does not replay days', async () => {
  const room = await open(openMemory(new Map()));
  const latest = (): number => room.journalWriter.snapshotsOf(room.room)[0].tick;
  for (let hour = 0; hour < 5; hour++) {
    for (let tick = 0; tick < 100; tick++) await room.tick();
    await room.pass(3_600_000);
    await room.tick();
    for (let turn = 0; turn < 20; turn++) await engine.exportStates([]);
    expect(room.room.tick - latest()).toBeLessThanOrEqual(1);
  }
  await room.abandon();
});

describe('when the disk is full', () => {
  /** Memory that refuses to write while it is told so. */
  function brittle(kept: Map<string, Uint8Array>) {
    const records = openMemory(kept);
    const disk = { full: false };
    const write = async (what: Write): Promise<void> => {
      if (disk.full) throw new StoreError('disk-full', 'The disk takes no more.');
      await records.write(what);
    };
    return { disk, records: { ...records, write } };
  }

  test('the room goes on, reports it, loses nothing stored, and is stored again when there is space', async () => {
    const kept = new Map<string, Uint8Array>();
    const { disk, records } = brittle(kept);
    const first = await open(records);
    const seen = await live(first, 60, 10);
    disk.full = true;
    await live(first, 30, 11);
    expect(first.room.tick).toBe(90);
    expect(first.troubles).toEqual(['not-kept']);
    expect(first.journalWriter.isPersisting).toBe(false);
    const then = new Map([...kept].map(([key, bytes]) => [key, bytes.slice()]));
    const back = await open(openMemory(then));
    expect(back.room.tick).toBeGreaterThan(40);
    expect(seen.get(back.room.tick)).toBe(checksumOf(back.room.grid.planes));
    await back.abandon();

    disk.full = false;
    const later = await live(first, 150, 12);
    expect(first.troubles).toEqual(['not-kept', 'kept-again']);
    await first.abandon();
    const again = await open(openMemory(kept));
    expect(again.room.tick).toBeGreaterThan(200);
    expect(later.get(again.room.tick)).toBe(checksumOf(again.room.grid.planes));
    await again.abandon();
  });

  test('a room that is stored again stores its commands while another room still waits', async () => {
    const kept = new Map<string, Uint8Array>();
    const { disk, records } = brittle(kept);
    let free = (): void => {};
    let isHeld = false;
    const gate = new Promise<void>((resolve) => {
      free = resolve;
    });
    const write = async (what: Write): Promise<void> => {
      if (isHeld && what.put?.some(({ key }) => key.startsWith('snapshot/b/'))) await gate;
      await records.write(what);
    };
    const first = await open({ ...records, write });
    const { room, world, store, journalWriter } = first;
    const species = room.species;
    const place = { name: 'b', width: 48, height: 48, maxOrganisms: 5, seed: 6, species };
    const checkpoint = { name: model.card.name, hash: fingerprint(model) };
    const date = (): number => 1_790_000_000_000;
    const also = await openRoom(place, { store, world, checkpoint, date, say: () => {} });
    await journalWriter.watch(also.room, also.tail);
    const both = async (ticks: number): Promise<void> => {
      for (let i = 0; i < ticks; i++) {
        journalWriter.ticked(await world.tick([room, also.room]));
        await first.pass();
      }
    };
    const plant = (x: number): void => {
      room.enqueue(1, { what: 'plant', by: ANNA, x, y: 24, seed: { from: 'gallery', index: 0 } });
    };
    disk.full = true;
    plant(10);
    await both(10);
    expect(first.troubles).toEqual(['not-kept']);
    disk.full = false;
    isHeld = true;
    await both(150);
    // One of the two is kept again.
    expect(first.troubles).toEqual(['not-kept']);
    plant(36);
    await both(3);
    const { tick } = room;
    free();
    await both(3);
    expect(first.troubles).toEqual(['not-kept', 'kept-again']);
    const then = new Map([...kept].map(([key, bytes]) => [key, bytes.slice()]));
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
    const { room, world, store, journalWriter } = first;
    const place = {
      name: 'b',
      width: 48,
      height: 48,
      maxOrganisms: 5,
      seed: 6,
      species: room.species,
    };
    const checkpoint = { name: model.card.name, hash: fingerprint(model) };
    const date = (): number => 1_790_000_000_000;
    const slow = await openRoom(place, { store, world, checkpoint, date, say: () => {} });
    await journalWriter.watch(slow.room, slow.tail);
    const tick = async (...rooms: Room[]): Promise<void> => {
      journalWriter.ticked(await world.tick(rooms));
      await first.pass(1);
    };
    const isKept = async (one: Room): Promise<void> => {
      while (journalWriter.snapshotsOf(one)[0].tick !== one.tick) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    disk.full = true;
    room.enqueue(1, { what: 'plant', by: ANNA, x: 9, y: 24, seed: { from: 'gallery', index: 0 } });
    await tick(room);
    expect(first.troubles).toEqual(['not-kept']);
    disk.full = false;
    await first.pass(DEFAULTS.store.retry);
    // The slow one is not among those that tick just then.
    await tick(room);
    await isKept(room);
    expect(first.troubles).toEqual(['not-kept']);
    await tick(slow.room);
    await isKept(slow.room);
    expect(first.troubles).toEqual(['not-kept', 'kept-again']);
    await first.abandon();
  });

  test('after a kill before the next snapshot, the room is as before the gap', async () => {
    const kept = new Map<string, Uint8Array>();
    const { disk, records } = brittle(kept);
    const first = await open(records, { snapshotLeast: 1e9 });
    const seen = await live(first, 60, 13);
    disk.full = true;
    await live(first, 30, 14);
    disk.full = false;
    await live(first, 90, 15);
    expect(first.troubles.at(-1)).toBe('kept-again');
    await first.abandon();
    for (const key of kept.keys()) {
      // The snapshot that made good for it.
      if (/^(snapshot|state)\//.test(key) && !key.endsWith('/000000000000')) kept.delete(key);
    }
    const again = await open(openMemory(kept));
    expect(again.said[0]).toMatch(/could not be stored at the time and are lost/);
    expect(seen.get(again.room.tick)).toBe(checksumOf(again.room.grid.planes));
    const on = await live(again, 40, 16);
    await again.abandon();
    const third = await open(openMemory(kept));
    expect(on.get(third.room.tick)).toBe(checksumOf(third.room.grid.planes));
    await third.abandon();
  });
});

describe('a room that has become another while the engine had no memory to read it', () => {
  test.each([
    ['before it is kept again, is as of before', 30, true],
    ['once it is kept again, is as it was at the end', 400, false],
  ])('killed %s', async (_, ticks, isLost) => {
    const kept = new Map<string, Uint8Array>();
    const first = await open(openMemory(kept), { snapshotLeast: 1_000 });
    await live(first, 60, 17);
    const { room, world, journalWriter } = first;
    const state = room.export();
    const states = await world.engine.exportStates(
      state.organisms.map(({ id }) => room.patchOf(id)!),
    );
    const before = await live(first, 10, 18);
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
    const after = await live(first, ticks, 19);
    expect(first.troubles.includes('kept-again')).toBe(!isLost);
    await first.abandon();
    const again = await open(openMemory(kept));
    const lived = isLost ? before : after;
    expect(lived.get(again.room.tick)).toBe(checksumOf(again.room.grid.planes));
    await again.abandon();
  });
});

describe('a data folder', () => {
  const folderOf = (name: string): string => join(scratch, name);

  test('belongs to one server', async () => {
    const records = await openFolder(folderOf('one'));
    expect(await reasonOf(openFolder(folderOf('one')))).toBe('in-use');
    await records.close();
    await (await openFolder(folderOf('one'))).close();
  });

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
    const seen = await live(first, 150, 20);
    const last = [...seen.keys()].at(-1)!;
    await first.abandon();
    const random = createRandom(20261125);
    const outcomes = { same: 0, refused: 0 };
    const rounds = full ? 300 : 12;
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
  }, 600_000);
});
