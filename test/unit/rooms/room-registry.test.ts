/** Concurrent operations on rooms, with a store that is slow or fails. */

import { Bans } from '../../../server/realtime/policy/bans.ts';
import { RoomRegistry, type RoomRegistryOptions } from '../../../server/rooms/room-registry.ts';
import { JournalWriter } from '../../../server/storage/journal-writer.ts';
import type { PlanRecord } from '../../../server/storage/record-schemas.ts';
import { openMemory } from '../../../server/storage/records.ts';
import { Store } from '../../../server/storage/store.ts';
import { ROOM_DEFAULTS } from '../../../shared/host/room-settings.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { IDLE_ENGINE, registryOptions } from '../../support/registry-options.ts';
import { Listener } from '../../support/remote-rooms.ts';

/** A store that writes plans when the test lets it, or fails. */
class SlowStore extends Store {
  private readonly waiting: { go(): void; fail(): void }[] = [];
  /** Plans wait to be let through. */
  slow = false;
  onWait = (): void => {};

  override async putPlan(plan: PlanRecord): Promise<void> {
    if (this.slow) {
      await new Promise<void>((resolve, reject) => {
        this.waiting.push({ go: resolve, fail: () => reject(new Error('the disk is full')) });
        this.onWait();
      });
    }
    await super.putPlan(plan);
  }

  /** Resolves when a plan waits. */
  waits(): Promise<void> {
    if (this.waiting.length > 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.onWait = resolve;
    });
  }

  async let(how: 'go' | 'fail'): Promise<void> {
    await this.waits();
    this.waiting.shift()![how]();
  }
  /** Does work whose plan cannot be stored. */
  async refuses(work: () => Promise<unknown>): Promise<void> {
    this.slow = true;
    const done = reasonOf(work());
    await this.let('fail');
    expect(await done).toBe('the disk is full');
    this.slow = false;
  }
}

const WISH = { name: 'attic', width: 32, height: 24, seed: 1, checkpoint: 'hand', change: {} };

/** @param isStored whether the rooms are stored too, not only their plans */
function open(isStored = false) {
  const clock = new FakeClock();
  const ticked: string[] = [];
  const store = new SlowStore(openMemory());
  const options: RoomRegistryOptions = registryOptions(store, clock, async (due) => {
    for (const { name } of due) ticked.push(name);
  });
  const { world, ticker, date } = options;
  const writing = {
    ...{ store, engine: IDLE_ENGINE, clock, date, snapshotLeast: 10_000 },
    warn: () => {},
  };
  const storage = { store, journalWriter: new JournalWriter(writing), aside: undefined };
  const bans = new Bans({ secret: new Uint8Array(32), date: () => 0, clock });
  const rooms = new RoomRegistry({ ...options, bans, ...(isStored && { storage }) });
  return { rooms, bans, store, world, ticker, clock, ticked };
}

const reasonOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: { reason?: string; message: string }) => error.reason ?? error.message,
  );

test('two settings changed at once are both applied and stored', async () => {
  const { rooms, store } = open();
  await rooms.create(WISH);
  store.slow = true;
  const both = [rooms.change('attic', { tickRate: 20 }), rooms.change('attic', { capacity: 7 })];
  await store.let('go');
  await store.let('go');
  await Promise.all(both);
  expect(rooms.settingsOf('attic')).toMatchObject({ tickRate: 20, capacity: 7 });
  expect(rooms.summary('attic').pace.tickRate).toBe(20);
  expect((await store.plans())[0].change).toEqual({ tickRate: 20, capacity: 7 });
});

test('a setting that could not be stored stays as it was, and the next change is applied', async () => {
  const { rooms, store } = open();
  await rooms.create(WISH);
  store.slow = true;
  const first = reasonOf(rooms.change('attic', { tickRate: 20 }));
  const second = rooms.change('attic', { capacity: 7 });
  await store.let('fail');
  await store.let('go');
  expect(await first).toBe('the disk is full');
  await second;
  expect(rooms.settingsOf('attic')).toMatchObject({
    tickRate: ROOM_DEFAULTS.tickRate,
    capacity: 7,
  });
  expect((await store.plans())[0].change).toEqual({ capacity: 7 });
});

test('of two rooms of one name that are created at once, only the first is', async () => {
  const { rooms, world } = open();
  const both = [rooms.create(WISH), rooms.create(WISH)].map(reasonOf);
  expect(await Promise.all(both)).toEqual(['none', 'room-exists']);
  expect(rooms.names).toEqual(['attic']);
  expect([...world.rooms.keys()]).toEqual(['attic']);
  expect(rooms.requireOpen('attic').room).toBe(world.rooms.get('attic'));
});

test('a stored room that could not be created leaves its name to one of another size', async () => {
  const { rooms, store } = open(true);
  await store.refuses(() => rooms.create(WISH));
  expect(await store.rooms()).toEqual([]);
  // Another one never got as far as its first snapshot, and could not be removed either.
  const { change: _, ...place } = WISH;
  await store.createRoom({ ...place, checkpoint: { name: 'hand', hash: 'h' }, made: 0 });
  await rooms.create({ ...WISH, width: 48 });
  expect(await store.room('attic')).toMatchObject({ width: 48 });
});

test('a room whose plan cannot be stored is not created, and its name is free', async () => {
  const { rooms, store, world, clock, ticked } = open();
  await store.refuses(() => rooms.create(WISH));
  expect([...rooms.names, ...world.rooms.keys(), ...rooms.roomServers.keys()]).toEqual([]);
  await clock.advance(1_000);
  expect(ticked).toEqual([]);
  await rooms.create(WISH);
  expect(rooms.summary('attic')).toMatchObject({ open: true, busy: null });
});

test('a room that is closing is busy, and no other operation begins', async () => {
  const { rooms, store, clock, ticked } = open();
  await rooms.create(WISH);
  store.slow = true;
  const closing = rooms.close('attic');
  expect(rooms.summary('attic')).toMatchObject({ open: true, busy: 'closing' });
  expect(await reasonOf(rooms.during('attic', 'undoing', async () => {}))).toBe('room-busy');
  expect(await reasonOf(rooms.close('attic'))).toBe('room-busy');
  await store.let('go');
  await closing;
  expect(rooms.summary('attic')).toMatchObject({ open: false, busy: null });
  expect(rooms.roomServers.size).toBe(0);
  ticked.length = 0;
  await clock.advance(1_000);
  expect(ticked).toEqual([]);
});

test('a room that could not be stored as closed stays open and ticks', async () => {
  const { rooms, store, clock, ticked } = open();
  await rooms.create(WISH);
  await store.refuses(() => rooms.close('attic'));
  expect(rooms.summary('attic')).toMatchObject({ open: true, busy: null });
  expect(rooms.findServer('attic')).toBe(rooms.requireOpen('attic').server);
  ticked.length = 0;
  await clock.advance(1_000);
  expect(ticked).not.toEqual([]);
});

test('a setting changed while a room is removed does not restore its plan', async () => {
  const { rooms, store } = open();
  await rooms.create(WISH);
  await rooms.close('attic');
  let aside = (): void => {};
  const put = new Promise<void>((resolve) => {
    aside = resolve;
  });
  const removing = rooms.remove('attic', () => put);
  const change = reasonOf(rooms.change('attic', { capacity: 7 }));
  aside();
  await removing;
  expect(await change).toBe('no-such-room');
  expect(await store.plans()).toEqual([]);
});

test('a room whose data cannot be exchanged stays as it was, open or closed', async () => {
  const { rooms } = open();
  await rooms.create(WISH);
  const fails = () => Promise.reject(new Error('the disk is full'));
  expect(await reasonOf(rooms.exchange('attic', fails))).toBe('failed');
  expect(rooms.requireOpen('attic').server).toBe(rooms.findServer('attic'));
  await rooms.close('attic');
  expect(await reasonOf(rooms.exchange('attic', fails))).toBe('failed');
  expect([...rooms.roomServers.keys()]).toEqual([]);
});

test('whom another server has banned leaves, and newcomers of their address come in slowly', async () => {
  const { rooms, bans } = open();
  await rooms.create(WISH);
  const eve = new Listener('10.1.1.1');
  const { admission } = rooms.roomServers.get('attic')!;
  admission.join(eve, { name: 'Eve' });
  const { id: participant } = eve.welcome!.you;
  const kept = { device: null, address: null, since: 0, until: null };
  bans.replace([{ id: 1, room: 'attic', participant, name: 'Eve', ...kept }]);
  expect(eve.heard.at(-1)).toEqual({ name: 'disconnected', message: 'sent-away' });
  const knocks = [1, 2].map(() => bans.admitsUnmarked(eve.address));
  expect(knocks).toEqual([true, false]);
});
