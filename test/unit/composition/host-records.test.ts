/** Bans and seats of walls that two servers change, with one store. */
import { openHostRecords } from '../../../server/composition/open-storage.ts';
import { silentLog } from '../../../server/platform/log.ts';
import { openMemory } from '../../../server/storage/records.ts';
import { Store } from '../../../server/storage/store.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** A store that takes nothing while a test wants it. */
class FailingStore extends Store {
  isFull = false;

  override async putServerRecord(name: string, value: unknown): Promise<void> {
    if (this.isFull) throw new Error('the disk is full');
    await super.putServerRecord(name, value);
  }
}

let now = 1_000;

async function openTwo() {
  const store = new FailingStore(openMemory());
  const open = () =>
    openHostRecords(store, true, new Uint8Array(32), {
      ...{ clock: new FakeClock(), date: () => now++, log: silentLog },
    });
  return { store, open, a: await open(), b: await open() };
}

const ban = (name: string) => ({
  ...{ room: 'garden', participant: 7, name, device: name, address: '', wholeAddress: false },
});
const by = (device: string) => ({ participant: undefined, device, address: '' });

test('what one server bans and another bans or lifts at the same time all counts', async () => {
  const { a, b, open } = await openTwo();
  a.bans.add(ban('ann'));
  b.bans.add(ban('ben'));
  a.bans.add(ban('cem'));
  const walls = [a, b].map(({ wallSeats }, i) => wallSeats.add('garden', `Foyer ${i}`));
  for (const one of [a, b, a, b, a]) await one.refresh();
  a.bans.lift(a.bans.all.find(({ name }) => name === 'ann')!.id);
  b.bans.add(ban('dan'));
  for (const one of [a, b, a, b, a]) await one.refresh();
  const names = ['ben', 'cem', 'dan'];
  for (const { bans, wallSeats } of [a, b, await open()]) {
    expect(
      wallSeats
        .of('garden')
        .map(({ id }) => id)
        .sort(),
    ).toEqual(walls.map(({ id }) => id).sort());
    expect(bans.all.map(({ name }) => name).sort()).toEqual(names);
    expect(new Set(bans.all.map(({ id }) => id)).size).toBe(3);
    expect(bans.isBanned('attic', by('ben'))).toBe(true);
    expect(bans.isBanned('attic', by('ann'))).toBe(false);
  }
});

test('a server is told of those whom another one has banned, and once', async () => {
  const { a, b } = await openTwo();
  let told = 0;
  b.bans.on('added', () => {
    told++;
  });
  const { id } = a.bans.add(ban('ann'));
  for (const one of [a, b, b]) await one.refresh();
  expect(told).toBe(1);
  b.bans.add(ban('ben'));
  a.bans.lift(id);
  for (const one of [a, b, a, b]) await one.refresh();
  expect(told).toBe(2);
});

test('a ban that could not be stored holds, and is stored as soon as it can be', async () => {
  const { a, b, store } = await openTwo();
  store.isFull = true;
  a.bans.add(ban('ann'));
  await expect(a.refresh()).rejects.toThrow('the disk is full');
  expect(a.bans.isBanned('attic', by('ann'))).toBe(true);
  store.isFull = false;
  b.bans.add(ban('ben'));
  for (const one of [b, a, b, a, b]) await one.refresh();
  for (const { bans } of [a, b]) expect(bans.all.map(({ name }) => name)).toEqual(['ben', 'ann']);
});

test("a room's walls are lost when another server takes it over, and nobody else's are", async () => {
  const { a, b } = await openTwo();
  const foyer = a.wallSeats.add('garden', 'Foyer');
  const stairs = b.wallSeats.add('attic', 'Stairs');
  a.wallSeats.appeared(foyer.id);
  b.wallSeats.appeared(stairs.id);
  for (const one of [a, b, a, b, a]) await one.refresh();
  expect(a.wallSeats.of('attic')).toMatchObject([{ pass: stairs.pass, lost: null }]);
  await b.refresh('garden');
  await b.refresh();
  expect(b.wallSeats.of('garden')[0].lost).not.toBeNull();
  expect(b.wallSeats.of('attic')[0].lost).toBeNull();
  await a.refresh();
  expect(a.wallSeats.of('garden')).toEqual(b.wallSeats.of('garden'));
});
