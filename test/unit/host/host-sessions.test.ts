/** The token of the host, the hint for those who have lost it, sessions, and guesses of its token, at several servers behind one balancer. */
import { HostSessions, SESSION } from '../../../server/host/host-sessions.ts';
import { HostToken, tokenRecoveryHint } from '../../../server/host/host-token.ts';
import { LOGIN, LoginThrottle } from '../../../server/host/login-throttle.ts';
import { openMemory } from '../../../server/storage/records.ts';
import { Store } from '../../../server/storage/store.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { LocalBus } from '../../support/local-bus.ts';

const { idle, life, most } = SESSION;
const { free, firstDelay } = LOGIN;
const MINUTE = 60_000;

/** Two servers with one store. */
function openTwo() {
  const store = new Store(openMemory());
  const time = { now: 1e12, token: 'token' };
  const server = () =>
    new HostSessions(
      store,
      () => time.now,
      () => time.token,
    );
  return { time, a: server(), b: server() };
}

test('a session that began at one server holds at all, until it ends at one', async () => {
  const { a, b } = openTwo();
  const { word, session } = await a.begin();
  expect(await b.find(word, false)).toEqual(session);
  for (const other of ['another', '', undefined]) {
    expect(await b.find(other, false)).toBeUndefined();
  }
  await b.end(word);
  expect(await a.find(word, false)).toBeUndefined();
});

test('it lasts while the host acts at any server, and no longer than at one', async () => {
  const { time, a, b } = openTwo();
  const { word } = await a.begin();
  for (let passed = 0; passed < life - idle; passed += idle / 2) {
    time.now += idle / 2;
    expect(await b.find(word, true)).toBeDefined();
    expect(await a.find(word, false)).toBeDefined();
  }
  time.now += idle;
  expect(await a.find(word, true)).toBeUndefined();
  const unused = await a.begin();
  time.now += idle - MINUTE;
  expect(await b.find(unused.word, false)).toBeDefined();
  time.now += MINUTE;
  expect(await b.find(unused.word, true)).toBeUndefined();
});

test('a session ends with its token, when the clock is set back, and when there are too many', async () => {
  const { time, a } = openTwo();
  const first = await a.begin();
  time.token = 'new';
  expect(await a.find(first.word, false)).toBeUndefined();
  const second = await a.begin();
  time.now -= 2 * MINUTE;
  expect(await a.find(second.word, false)).toBeUndefined();
  const words: string[] = [];
  for (let i = 0; i <= most; i++) {
    time.now += 1_000;
    words.push((await a.begin()).word);
  }
  const found = await Promise.all(words.map((word) => a.find(word, false)));
  expect(found.map(Boolean)).toEqual(words.map((_, i) => i > 0));
});

async function throttles() {
  const clock = new FakeClock();
  const bus = new LocalBus();
  const [a, b] = [await LoginThrottle.open(clock, bus), await LoginThrottle.open(clock, bus)];
  const fail = async (one: LoginThrottle): Promise<number> => {
    const delay = one.fail('guesser');
    await clock.advance(0);
    return delay;
  };
  return { clock, a, b, fail };
}

test('wrong tokens count at all servers, and each only once', async () => {
  const { a, b, fail } = await throttles();
  for (let i = 1; i < free; i++) expect(await fail(i % 2 ? a : b)).toBe(0);
  expect(await fail(a)).toBe(firstDelay);
  expect([a, b].map((one) => one.wait('guesser'))).toEqual([firstDelay, firstDelay]);
  expect(b.wait('somebody else')).toBe(0);
});

test('a correct token clears an address at all servers', async () => {
  const { clock, a, b, fail } = await throttles();
  for (let i = 0; i < free; i++) await fail(a);
  b.succeed('guesser');
  await clock.advance(0);
  expect(a.wait('guesser')).toBe(0);
});

test('a server that shares no more counts alone', async () => {
  const { a, b, fail } = await throttles();
  b.close();
  for (let i = 0; i < free; i++) await fail(a);
  expect(b.wait('guesser')).toBe(0);
});

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
