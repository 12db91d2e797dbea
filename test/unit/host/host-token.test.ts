/** The host's token, of servers with one store. */
import { HostToken } from '../../../server/host/host-sessions.ts';
import { openMemory } from '../../../server/storage/records.ts';
import { Store } from '../../../server/storage/store.ts';

const newHouse = () => {
  const store = new Store(openMemory());
  return { store, open: (renew = false) => HostToken.open(store, renew, () => 1e12) };
};

test('of servers that start together, one shows a token, and all take it', async () => {
  const { open } = newHouse();
  const all = [await open(), await open(), await open()];
  const drafts = all.map(({ fresh }) => fresh!);
  expect(new Set(drafts).size).toBe(3);
  for (const one of [all[1], all[0], all[2]]) await one.keep();
  expect(all.map(({ fresh }) => fresh)).toEqual([undefined, drafts[1], undefined]);
  for (const one of [...all, await open()]) {
    expect(drafts.map((draft) => one.is(draft))).toEqual([false, true, false]);
    expect(one.mark).toBe(all[1].mark);
  }
});

test('a token that was not shown is not kept', async () => {
  const { open } = newHouse();
  const { fresh } = await open();
  const second = await open();
  await second.keep();
  expect((await open()).is(fresh!)).toBe(false);
  expect((await open()).is(second.fresh!)).toBe(true);
});

test('a new token replaces the old one, on the other servers too once they hear of it', async () => {
  const { open } = newHouse();
  const a = await open();
  await a.keep();
  const old = a.fresh!;
  const b = await open(true);
  // Until it is kept, it takes no other one.
  expect(await b.reload()).toBe(false);
  await b.keep();
  expect(b.is(old)).toBe(false);
  expect(a.is(old)).toBe(true);
  expect(await a.reload()).toBe(true);
  expect([a.is(old), a.is(b.fresh!), a.fresh]).toEqual([false, true, undefined]);
  expect(await a.reload()).toBe(false);
});
