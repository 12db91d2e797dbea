/** The host's token, and the hint for those who have lost it. */
import { HostToken, tokenRecoveryHint } from '../../../server/host/tokens.ts';
import { openMemory } from '../../../server/storage/records.ts';
import { Store } from '../../../server/storage/store.ts';

const newServer = () => {
  const store = new Store(openMemory());
  return { store, open: (renew = false) => HostToken.open(store, renew) };
};

test('of servers that start together, one shows a token, and all take it', async () => {
  const { open } = newServer();
  const all = [await open(), await open(), await open()];
  const drafts = all.map(({ fresh }) => fresh!);
  expect(new Set(drafts).size).toBe(3);
  for (const one of [all[1], all[0], all[2]]) await one.keep(1e12);
  expect(all.map(({ fresh }) => fresh)).toEqual([undefined, drafts[1], undefined]);
  for (const one of [...all, await open()]) {
    expect(drafts.map((draft) => one.is(draft))).toEqual([false, true, false]);
    expect(one.mark).toBe(all[1].mark);
  }
});

test('a token that was not shown is not kept', async () => {
  const { open } = newServer();
  const { fresh } = await open();
  const second = await open();
  await second.keep(1e12);
  expect((await open()).is(fresh!)).toBe(false);
  expect((await open()).is(second.fresh!)).toBe(true);
});

test('a new token replaces the old one, on the other servers too once they hear of it', async () => {
  const { open } = newServer();
  const a = await open();
  await a.keep(1e12);
  const old = a.fresh!;
  const b = await open(true);
  // Until it is kept, it takes no other one.
  await b.reload();
  expect(b.is(old)).toBe(false);
  await b.keep(1e12);
  expect(a.is(old)).toBe(true);
  await a.reload();
  expect([a.is(old), a.is(b.fresh!), a.fresh]).toEqual([false, true, undefined]);
});

test.each([
  [
    '.data',
    false,
    /^stop the server and run: npm run host-token -- --data \/.*\/\.data; .*HOSTING/,
  ],
  ['my rooms', false, / --data '\/.*\/my rooms'; /],
  ['/data', true, /^run: VIVARIUM_CLUSTER=\.\.\. npm run host-token -- --data \/data; /],
  ['none', true, /^run: VIVARIUM_CLUSTER=\.\.\. npm run host-token; /],
  ['none', false, /^the next start creates a new token$/],
])(
  'the hint for a lost token names the data %j of this server (shared: %j)',
  (data, shared, hint) => {
    expect(tokenRecoveryHint(data, shared)).toMatch(hint);
  },
);
