/** The host's token, and the hint for those who have lost it. */
import { HostToken, tokenRecoveryHint } from '../../../server/host/host-token.ts';
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
  expect(await b.reload()).toBe(false);
  await b.keep(1e12);
  expect(b.is(old)).toBe(false);
  expect(a.is(old)).toBe(true);
  expect(await a.reload()).toBe(true);
  expect([a.is(old), a.is(b.fresh!), a.fresh]).toEqual([false, true, undefined]);
  expect(await a.reload()).toBe(false);
});

const folder = '/opt/vivarium';

const HAND = { by: 'hand', folder } as const;
const SERVICE = { by: 'service', folder } as const;

test.each([
  [{ ...HAND, data: '.data' }, /^npm start -- --new-host-token$/],
  [
    { ...HAND, data: 'my rooms' },
    /^npm start -- --data '\/opt\/vivarium\/my rooms' --new-host-token$/,
  ],
  [
    { ...SERVICE, data: '/var/lib/vivarium', user: 'vivarium' },
    /^stop the service; in \/opt\/vivarium, .*: runuser -u vivarium -- env VIVARIUM_DATA=\/var\/lib\/vivarium npm start -- --new-host-token;.* start the service$/,
  ],
  [
    { ...SERVICE, data: '.data' },
    /: env VIVARIUM_DATA=\/opt\/vivarium\/\.data npm start -- --new-host-token;/,
  ],
  [
    { by: 'container', data: '/data', folder },
    /^stop the container; .* \/data .*: vivarium --new-host-token.* start the container$/,
  ],
] as const)('the hint for a lost token names the data of this server: %j', (start, hint) => {
  expect(tokenRecoveryHint(start)).toMatch(hint);
});

test.each(['hand', 'service', 'container'] as const)(
  'of several servers (%s), the hint names the setting without which the token would be another one',
  (by) => {
    for (const data of ['.data', 'none']) {
      const hint = tokenRecoveryHint({ by, data, folder, isShared: true });
      expect(hint).toMatch(/VIVARIUM_CLUSTER=\.\.\..*--new-host-token/);
    }
    // Without stored data, each start makes a new token.
    expect(tokenRecoveryHint({ by, data: 'none', folder })).toBe(
      'the next start creates a new token',
    );
  },
);
