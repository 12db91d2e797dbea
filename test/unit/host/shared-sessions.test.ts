/** Sessions of the host at several servers behind one balancer. */

import { HostSessions } from '../../../server/host/host-sessions.ts';
import { shareSessions } from '../../../server/host/shared-sessions.ts';
import { DEFAULTS } from '../../../shared/defaults.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { LocalBus } from '../../support/local-bus.ts';

const { idle, life } = DEFAULTS.session;

/** Delivers what `hold` has kept back once `go` is called. */
class SlowBus extends LocalBus {
  private held: (() => void)[] | undefined;
  losesAll = false;

  override publish(...message: Parameters<LocalBus['publish']>): void {
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
    const sessions = new HostSessions(() => clock.now() - begun);
    const close = await shareSessions(sessions, bus, () => token, clock);
    await clock.advance(0);
    return { sessions, close };
  };
  return { clock, bus, server };
}

test('a session that began at one server holds at all, until it ends at one', async () => {
  const { clock, server } = open();
  const [a, b] = [await server(), await server()];
  const { word, session } = a.sessions.begin();
  await clock.advance(0);
  expect(b.sessions.find(word, false)?.key).toBe(session.key);
  expect(b.sessions.find('another', false)).toBeUndefined();
  b.sessions.end(word);
  await clock.advance(0);
  expect(a.sessions.find(word, false)).toBeUndefined();
});

test('a server that waits for news knows a session that began before, however late the news come', async () => {
  const { clock, bus, server } = open();
  const [a, b] = [await server(), await server()];
  bus.hold();
  const { word } = a.sessions.begin();
  let isOver = false;
  const wait = b.sessions.caughtUp().then(() => {
    isOver = true;
  });
  await clock.advance(0);
  expect([isOver, b.sessions.find(word, false)]).toEqual([false, undefined]);
  bus.go();
  await wait;
  expect(b.sessions.find(word, false)).toBeDefined();
});

test('the wait for news ends when messages are lost', async () => {
  const { clock, bus, server } = open();
  const { sessions } = await server();
  bus.losesAll = true;
  const wait = sessions.caughtUp();
  await clock.advance(DEFAULTS.cluster.answer);
  await wait;
});

test('a server that starts later knows the sessions, and which have ended', async () => {
  const { clock, server } = open();
  const a = await server();
  const [kept, left] = [a.sessions.begin().word, a.sessions.begin().word];
  a.sessions.end(left);
  const b = await server();
  expect(b.sessions.find(kept, false)).toBeDefined();
  expect(b.sessions.find(left, false)).toBeUndefined();
  a.close();
  const c = await server();
  await clock.advance(0);
  expect(c.sessions.find(kept, false)).toBeDefined();
});

test('a server that has missed the end of a session does not bring it back', async () => {
  const { clock, server } = open();
  const [a, b] = [await server(), await server()];
  const { word } = a.sessions.begin();
  await clock.advance(0);
  const missed = b.sessions.news;
  a.sessions.end(word);
  await clock.advance(0);
  for (const { sessions } of [a, b]) {
    sessions.hear(missed);
    expect(sessions.find(word, false)).toBeUndefined();
  }
});

test('it lasts while the host acts at any server, and no longer than at one', async () => {
  const { clock, server } = open();
  const [a, b] = [await server(), await server()];
  const { word } = a.sessions.begin();
  const begun = clock.now();
  while (clock.now() - begun < life - idle) {
    await clock.advance(idle / 2);
    expect(b.sessions.find(word, true)).toBeDefined();
    await clock.advance(0);
    expect(a.sessions.find(word, false)).toBeDefined();
  }
  await clock.advance(idle);
  expect(a.sessions.find(word, true)).toBeUndefined();
  expect(b.sessions.find(word, true)).toBeUndefined();
});

test('sessions of a token that has been replaced are not taken', async () => {
  const { clock, server } = open();
  const a = await server();
  const { word } = a.sessions.begin();
  const b = await server('new');
  await clock.advance(0);
  expect(b.sessions.find(word, false)).toBeUndefined();
});

test('what is no message changes nothing', async () => {
  const { clock, bus, server } = open();
  const { sessions } = await server();
  const { word } = sessions.begin();
  for (const bytes of [[], [0xc1], [0x80]]) bus.publish('host:sessions', Uint8Array.from(bytes));
  await clock.advance(0);
  expect(sessions.find(word, false)).toBeDefined();
});
