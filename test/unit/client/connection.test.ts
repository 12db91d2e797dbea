/** How a page connects and joins, and what becomes of its commands when their answers are lost. */
import type { Socket } from 'socket.io-client';
import {
  BUSY_INTERVAL,
  BusyReporter,
  Connection,
  RequestTracker,
  WallConnection,
} from '../../../client/room/connection.ts';
import { ENGLISH, refusedText } from '../../../client/wall/text.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeSocket, WELCOME } from '../../support/fake-server.ts';
import { WatchedStream } from '../../support/watched-stream.ts';

/** A line to a server that is this test, and what a connection needs besides. */
function lay(random = () => 0) {
  const line = new FakeSocket();
  const clock = new FakeClock();
  const means = {
    dial: ({ auth }: { auth?: unknown }) => {
      line.auth = auth;
      return line as unknown as Socket;
    },
    random,
    after: (ms: number, call: () => void) => clock.after(ms, call),
  };
  /** The page connects, or joins, again after this time, and no sooner. */
  const comesBack = async (by: 'dialled' | 'joins', wait: number): Promise<void> => {
    const before = line[by];
    await clock.advance(wait - 1);
    expect(line[by]).toBe(before);
    await clock.advance(1);
    expect(line[by]).toBe(before + 1);
  };
  return { line, clock, means, comesBack };
}

function open(random = () => 0, kept: { mark: string | null } = { mark: null }) {
  const { line, clock, means, comesBack } = lay(random);
  let token: string | null = null;
  const seat = { read: () => token, write: (given: string) => void (token = given) };
  const mark = { read: () => kept.mark, write: (given: string) => void (kept.mark = given) };
  const connection = new Connection(
    'garden',
    { name: null, watches: false },
    { seat, mark },
    means,
  );
  line.connected = true;
  return { line, clock, connection, comesBack, model: connection.model };
}

test('a device sends the mark that it was given, and nothing malformed', () => {
  const kept: { mark: string | null } = { mark: null };
  const { line } = open(undefined, kept);
  expect(line.greeting()).not.toHaveProperty('mark');
  line.say('welcome', { ...WELCOME, mark: 'a-mark' });
  expect(kept.mark).toBe('a-mark');
  expect(line.greeting()).toMatchObject({ mark: 'a-mark' });
  // A device that has a mark is given no other.
  line.say('welcome', WELCOME);
  expect(open(undefined, kept).line.greeting()).toMatchObject({ mark: 'a-mark' });
  for (const broken of ['', 'a mark', 'x'.repeat(65)]) {
    expect(open(undefined, { mark: broken }).line.greeting()).not.toHaveProperty('mark');
  }
});

test('a page comes back to its place in line, and to its place in the room', () => {
  const { line } = open();
  line.say('waiting', { ahead: 3, resume: 'third' });
  line.say('waiting', { ahead: 2 });
  line.drop('transport close');
  expect(line.greeting()).toMatchObject({ resume: 'third' });
  line.say('welcome', WELCOME);
  expect(line.greeting()).toMatchObject({ resume: WELCOME.resume });
});

test.each(['room-full', 'too-many-joins', 'not-here'] as const)(
  'after a temporary refusal (%s) the page joins again over the same connection, with longer and longer delays',
  async (reason) => {
    const { line, clock, comesBack } = open();
    for (const wait of [2_000, 4_000]) {
      line.refuse(reason);
      await comesBack('joins', wait);
    }
    line.say('waiting', { ahead: 3 });
    // A visitor in line does not ask again; the refusal concerns another request.
    line.refuse('too-fast');
    await clock.advance(60_000);
    expect([line.joins, line.dialled, clock.waiting]).toEqual([2, 0, 0]);
  },
);

test('when the server says that it closes, the page connects again at once, and only this once', async () => {
  const { line, clock, comesBack } = open();
  line.say('welcome', WELCOME);
  line.refuse('shutting-down', true);
  await clock.advance(0);
  expect(line.dialled).toBe(1);
  line.drop('io server disconnect');
  await comesBack('dialled', 2_000);
});

test.each([
  ['is closed, the page reconnects less and less often', 'room-closed', [2, 4, 8, 16, 20, 20]],
  ['changes servers, the page reconnects as soon each time', 'elsewhere', Array(8).fill(2)],
] as const)('while a room %s; once let in, soon again', async (_, reason, waits) => {
  const { line, comesBack } = open();
  for (const seconds of waits) {
    line.refuse(reason, true);
    await comesBack('dialled', 1_000 * seconds);
  }
  line.say('waiting', { ahead: 0 });
  line.drop('io server disconnect');
  await comesBack('dialled', 2_000);
});

test('pages that were refused at the same time do not retry at the same time', async () => {
  const [early, late] = [open(() => 0.999), open(() => 0)];
  for (const { line, clock } of [early, late]) {
    line.refuse('room-full');
    await clock.advance(1_001);
  }
  expect([early.line.joins, late.line.joins]).toEqual([1, 0]);
});

test('a page whose connection breaks while it waits to retry joins with its handshake alone', async () => {
  const { line, clock, model } = open();
  line.refuse('room-full');
  line.drop('transport close');
  line.connect();
  await clock.advance(60_000);
  expect([line.joins, line.dialled]).toEqual([0, 1]);
  expect(model.connection).toBe('reconnecting');
});

test.each(['sent-away', 'replaced', 'no-such-room', 'protocol-version'] as const)(
  'after a final refusal (%s) the page does not join again',
  async (reason) => {
    const { line, clock, model } = open();
    line.refuse('room-full');
    line.refuse(reason, true);
    await clock.advance(600_000);
    expect([line.joins, line.dialled]).toEqual([0, 0]);
    expect(model.connection).not.toBe('live');
  },
);

test('a page that no connection lets in says so once, and not when it has been in the room', () => {
  const { line, connection, model } = open();
  let told = 0;
  connection.unreached = () => told++;
  const states: string[] = [];
  for (let i = 0; i < 9; i++) {
    line.fail();
    states.push(`${told} ${model.connection}`);
  }
  expect(states.slice(1, 4)).toEqual(['0 connecting', '1 connecting', '1 connecting']);
  expect(told).toBe(1);
  const other = open();
  other.connection.unreached = () => told++;
  other.line.say('welcome', WELCOME);
  for (let i = 0; i < 9; i++) other.line.fail();
  expect(told).toBe(1);
});

test('a page that hears nothing of its room for three seconds says so, and is live again with the next word', async () => {
  const { line, clock, model } = open();
  const hears = () =>
    line.say('pace', { tickRate: 15, actual: 15, slow: false, awake: 0, organisms: 0 });
  line.say('welcome', WELCOME);
  line.say('frame', new WatchedStream(64, 64).keyframe());
  for (let i = 0; i < 4; i++) {
    await clock.advance(2_999);
    expect(model.connection).toBe('live');
    hears();
  }
  const states: string[] = [];
  model.on('connection', (state) => states.push(state));
  await clock.advance(3_000);
  hears();
  expect(states).toEqual(['reconnecting', 'live']);
  // The connection may hold: the room may just be on its way to another server.
  expect([line.connected, line.dialled]).toEqual([true, 0]);
  // Before its first frame, a page that has come back shows nothing new.
  line.drop('transport close');
  line.connect();
  line.say('welcome', WELCOME);
  hears();
  await clock.advance(3_000);
  expect(states).toEqual(['reconnecting', 'live', 'reconnecting']);
});

test('a page names the session of its commands, the same at each join, and no other page has it', () => {
  const { line } = open(() => 0.5);
  const { session } = line.greeting();
  expect(session).toBeLessThan(2 ** 32);
  const opened = Date.now();
  while (Date.now() === opened);
  expect(open(() => 0.5).line.greeting().session).not.toBe(session);
  line.say('welcome', WELCOME);
  expect(line.greeting()).toMatchObject({ session });
});

test.each([
  ['no-such-room', 'There is no room with that name.'],
  [
    'too-many-walls',
    'Too many walls show this room. Add a wall on the host’s page, and open its address here.',
  ],
] as const)(
  'a wall that is refused (%s) says why, also when the server has hung up, until it is let in',
  async (reason, text) => {
    const { line, means, comesBack } = lay();
    const renew = (): void => undefined;
    const wall = { room: 'gardn', as: 'wall', pass: '', build: '', renew } as const;
    const connection = new WallConnection(wall, means);
    line.connected = true;
    const said = () => refusedText(ENGLISH.say, connection.refusal);
    expect(said()).toBe('');
    line.refuse(reason);
    expect(said()).toBe(text);
    await comesBack('joins', 3_000);
    line.refuse('join-timeout', true);
    expect(said()).toBe(text);
    await comesBack('dialled', 3_000);
    line.refuse('room-closed');
    expect(said()).toBe('');
    line.refuse(reason);
    const { room, checkpoint, organisms, participants, engine } = WELCOME;
    const shown = { room, checkpoint, organisms, participants, engine, origin: '', build: '' };
    line.say('wall', { ...shown, protocol: 1 });
    expect(connection.refusal).toBeUndefined();
  },
);

test('a visitor is busy while a panel is open and they touch it; an abandoned page says no more', () => {
  const busyInterval = BUSY_INTERVAL;
  const told: boolean[] = [];
  const reporter = new BusyReporter(({ busy }) => told.push(busy));
  reporter.touch(0);
  reporter.change(true, 1_000);
  reporter.change(true, 1_500);
  reporter.touch(2_000);
  expect(told).toEqual([true]);
  reporter.touch(1_000 + busyInterval);
  reporter.touch(1_001 + busyInterval);
  expect(told).toEqual([true, true]);
  reporter.change(false, 2_000 + busyInterval);
  reporter.touch(9 * busyInterval);
  expect(told).toEqual([true, true, false]);
});

const PLANT = { x: 8, y: 8, seed: { from: 'gallery', index: 0 } } as const;

function track() {
  const sent: string[] = [];
  const told: string[] = [];
  let now = 1e12;
  const requests = new RequestTracker(
    (name, command) => sent.push(`${name} ${(command as { id: number }).id}`),
    () => now,
  );
  requests.resume(5);
  const answers = (what: string) => ({
    accepted: () => told.push(`${what} accepted`),
    rejected: (reason: string) => told.push(`${what} ${reason}`),
  });
  return {
    ...{ requests, sent, told, answers },
    pass: (ms: number) => {
      now += ms;
    },
  };
}

test('after a lost connection, unanswered commands are sent again in their order, under their ids', () => {
  const { requests, sent, told, answers } = track();
  requests.ask('plant', PLANT, answers('first'));
  requests.ask('plant', PLANT, answers('second'));
  requests.ask('damage', { radius: 1, points: [1, 1] }, answers('third'));
  requests.ask('name', { name: 'Ada' }, answers('name'));
  requests.accepted({ id: 1 });
  expect(requests.isWaiting).toBe(true);
  sent.length = 0;
  requests.resume(5);
  expect(sent).toEqual(['plant 2', 'damage 3', 'name 4']);
  for (const id of [2, 3, 4]) expect(requests.accepted({ id })).toBe(true);
  // A command that was done is answered again when it arrives again.
  expect(requests.accepted({ id: 2 })).toBe(false);
  expect(told).toEqual(['first accepted', 'second accepted', 'third accepted', 'name accepted']);
  expect(requests.isWaiting).toBe(false);
});

test.each([
  ['too old to be wanted still', 5, 30_000],
  ['of another participant', 6, 0],
])('a command that is %s is not sent again, and the visitor is told', (_, you, age) => {
  const { requests, sent, told, answers, pass } = track();
  requests.ask('plant', PLANT, answers('plant'));
  pass(age);
  sent.length = 0;
  requests.resume(you);
  expect([sent, told]).toEqual([[], ['plant elsewhere']]);
});

test('a beacon is not shown twice, and what its sender repeats is dropped silently', () => {
  const { requests, sent, told, answers } = track();
  requests.ask('beacon', { organism: 1 }, answers('beacon'));
  for (const name of ['keep', 'follow', 'preview', 'draw'] as const) {
    requests.ask(name, {} as never, answers(name));
  }
  sent.length = 0;
  requests.resume(5);
  expect([sent, told]).toEqual([[], ['beacon elsewhere']]);
});

test('a drawing that is repeated over a connection that held is not sent twice', () => {
  const { requests, sent, answers } = track();
  const asked = answers('drawing');
  const draw = () => requests.ask('draw', { pixels: new Uint8Array(4) }, asked);
  draw();
  draw();
  expect(sent).toEqual(['draw 1']);
  requests.resume(5);
  draw();
  expect(sent).toEqual(['draw 1', 'draw 2']);
});

test('of more commands than a room remembers, the oldest is given up, and the visitor is told', () => {
  const { requests, sent, told, answers } = track();
  for (let i = 1; i <= 65; i++) requests.ask('plant', PLANT, answers(`${i}`));
  expect(told).toEqual(['1 elsewhere']);
  sent.length = 0;
  requests.resume(5);
  expect(sent).toHaveLength(64);
});
