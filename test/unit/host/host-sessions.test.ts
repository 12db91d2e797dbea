/** Sessions of the host, and guesses of its token, at several servers behind one balancer. */
import { ANSWER_TIMEOUT } from '../../../server/cluster/bus/bus.ts';
import { HostSessions, LOGIN, LoginThrottle, SESSION } from '../../../server/host/host-sessions.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { LocalBus } from '../../support/local-bus.ts';

const { idle, life } = SESSION;
const { free, firstDelay } = LOGIN;

/** Delivers what `hold` has kept back once `go` is called. */
class SlowBus extends LocalBus {
  private held: (() => void)[] | undefined;
  losesAll = false;
  published = 0;

  override publish(...message: Parameters<LocalBus['publish']>): void {
    this.published++;
    if (this.losesAll) return;
    if (this.held) this.held.push(() => super.publish(...message));
    else super.publish(...message);
  }

  hold(): void {
    this.held = [];
  }

  go(): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const publish of held) publish();
  }
}

function open() {
  const clock = new FakeClock();
  const bus = new SlowBus();
  const server = async (token = 'token') => {
    // Clocks of servers begin at different times.
    const begun = clock.now() - 1_000 * Math.random();
    const own = {
      now: () => clock.now() - begun,
      after: (delay: number, call: () => void) => clock.after(delay, call),
    };
    const sessions = await HostSessions.open(own, bus, () => token);
    await clock.advance(0);
    return sessions;
  };
  return { clock, bus, server };
}

async function openTwo() {
  const { clock, bus, server } = open();
  return { clock, bus, a: await server(), b: await server() };
}
test('a session that began at one server holds at all, until it ends at one', async () => {
  const { clock, a, b } = await openTwo();
  const { word, session } = a.begin();
  await clock.advance(0);
  expect(b.find(word, false)?.key).toBe(session.key);
  expect(b.find('another', false)).toBeUndefined();
  b.end(word);
  await clock.advance(0);
  expect(a.find(word, false)).toBeUndefined();
});

test('a server that waits for news knows a session that began before, however late the news come', async () => {
  const { clock, bus, a, b } = await openTwo();
  bus.hold();
  const { word } = a.begin();
  let isOver = false;
  const wait = b.caughtUp().then(() => {
    isOver = true;
  });
  await clock.advance(0);
  expect([isOver, b.find(word, false)]).toEqual([false, undefined]);
  bus.go();
  await wait;
  expect(b.find(word, false)).toBeDefined();
});

test('waits that begin during another wait share one message, and end when messages are lost', async () => {
  const { clock, bus, a, b } = await openTwo();
  bus.hold();
  const before = bus.published;
  const first = b.caughtUp();
  const { word } = a.begin();
  const others = Promise.all([b.caughtUp(), b.caughtUp(), b.caughtUp()]);
  bus.go();
  await first;
  await clock.advance(0);
  await others;
  expect(b.find(word, false)).toBeDefined();
  // One of them is of the session that began.
  expect(bus.published - before).toBe(3);
  bus.losesAll = true;
  const lost = b.caughtUp();
  await clock.advance(ANSWER_TIMEOUT);
  await lost;
});

test('a server that starts later knows the sessions, and which have ended', async () => {
  const { clock, server } = open();
  const a = await server();
  const [kept, left] = [a.begin().word, a.begin().word];
  a.end(left);
  const b = await server();
  expect(b.find(kept, false)).toBeDefined();
  expect(b.find(left, false)).toBeUndefined();
  a.close();
  const c = await server();
  await clock.advance(0);
  expect(c.find(kept, false)).toBeDefined();
});

test('a server that has missed the end of a session does not bring it back', async () => {
  const { clock, a, b } = await openTwo();
  const { word } = a.begin();
  await clock.advance(0);
  const missed = b.news;
  a.end(word);
  await clock.advance(0);
  for (const sessions of [a, b]) {
    sessions.adopt(missed);
    expect(sessions.find(word, false)).toBeUndefined();
  }
});

test('it lasts while the host acts at any server, and no longer than at one', async () => {
  const { clock, a, b } = await openTwo();
  const { word } = a.begin();
  const begun = clock.now();
  while (clock.now() - begun < life - idle) {
    await clock.advance(idle / 2);
    expect(b.find(word, true)).toBeDefined();
    await clock.advance(0);
    expect(a.find(word, false)).toBeDefined();
  }
  await clock.advance(idle);
  expect(a.find(word, true)).toBeUndefined();
  expect(b.find(word, true)).toBeUndefined();
});

test('sessions of a token that has been replaced are not taken', async () => {
  const { clock, server } = open();
  const a = await server();
  const { word } = a.begin();
  const b = await server('new');
  await clock.advance(0);
  expect(b.find(word, false)).toBeUndefined();
});

test('what is no message changes nothing', async () => {
  const { clock, bus, server } = open();
  const sessions = await server();
  const { word } = sessions.begin();
  for (const bytes of [[], [0xc1], [0x80]]) bus.publish('host:sessions', Uint8Array.from(bytes));
  await clock.advance(0);
  expect(sessions.find(word, false)).toBeDefined();
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
