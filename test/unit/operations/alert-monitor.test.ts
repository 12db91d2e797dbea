import {
  type AlertMessage,
  AlertMonitor,
  MAX_WAITING,
  openAlerts,
  type PostResult,
  type Problem,
  problemFinder,
  raised,
  Webhook,
  wallProblems,
} from '../../../server/operations/alerts.ts';
import { silentLog } from '../../../server/platform/log.ts';
import { WallSeats } from '../../../server/realtime/policy/wall-seats.ts';
import type { WelcomeBuilder } from '../../../server/realtime/sessions/room-admission.ts';
import type { RoomClient } from '../../../server/realtime/sessions/room-client.ts';
import type { RoomContext } from '../../../server/realtime/sessions/room-context.ts';
import { SEATS } from '../../../server/realtime/sessions/seats.ts';
import { RoomWalls } from '../../../server/realtime/sessions/walls.ts';
import { openMemory } from '../../../server/storage/records.ts';
import { Store } from '../../../server/storage/store.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const SECOND = 1_000;
const NOT_KEPT: Problem = { alert: 'not-kept', text: 'The disk is full.' };
const slow = (room: string): Problem => ({ alert: 'slow', room, text: 'slow' });

function watch(open: readonly AlertMessage[] = []) {
  const clock = new FakeClock();
  let problems: Problem[] = [];
  const messages: AlertMessage[] = [];
  const monitor = new AlertMonitor(
    { clock, date: () => 1e12 + clock.now(), problems: () => problems },
    (message) => messages.push(message),
    open,
  );
  /** Has problems for some seconds. @returns what is announced meanwhile */
  const during = async (seconds: number, ...now: Problem[]): Promise<string[]> => {
    problems = now;
    await clock.advance(seconds * SECOND);
    return messages
      .splice(0)
      .map(({ alert, state, severity, room = '', wall = '' }) =>
        `${state} ${alert} ${severity} ${room} ${wall}`.trim(),
      );
  };
  return { clock, monitor, during };
}

test('a problem is announced once, and once more when it is over', async () => {
  const { clock, monitor, during } = watch();
  expect(await during(60)).toEqual([]);
  expect(await during(3_600, NOT_KEPT)).toEqual(['raised not-kept critical']);
  expect(monitor.open).toHaveLength(1);
  // It is not over while it comes and goes.
  for (let i = 0; i < 20; i++) {
    expect(await during(5, ...(i % 2 === 0 ? [NOT_KEPT] : []))).toEqual([]);
  }
  expect(await during(3_600)).toEqual(['cleared not-kept critical']);
  expect(monitor.open).toEqual([]);
  monitor.stop();
  expect(clock.waiting).toBe(0);
});

test('while it recovers, it is neither over nor announced, and the time does not count', async () => {
  const { during } = watch();
  const recovering = { ...slow('garden'), isRecovering: true };
  expect(await during(3_600, recovering)).toEqual([]);
  for (let i = 0; i < 11; i++) {
    expect(await during(5, slow('garden'))).toEqual([]);
    expect(await during(20, recovering)).toEqual([]);
  }
  expect(await during(6, slow('garden'))).toEqual(['raised slow warning garden']);
  expect(await during(3_600, recovering)).toEqual([]);
  expect(await during(20)).toEqual(['cleared slow warning garden']);
});

test('a room is slow when it has been slow for a whole minute; rooms are told apart', async () => {
  const { during } = watch();
  expect(await during(55, slow('garden'))).toEqual([]);
  expect(await during(2)).toEqual([]);
  expect(await during(55, slow('garden'), slow('attic'))).toEqual([]);
  const raised = ['raised slow warning garden', 'raised slow warning attic'];
  expect(await during(10, slow('garden'), slow('attic'))).toEqual(raised);
  expect(await during(20, slow('attic'))).toEqual(['cleared slow warning garden']);
});

test('what an earlier process announced is not announced again, but is cleared', async () => {
  const first = watch();
  await first.during(1, NOT_KEPT, { alert: 'disk-low', text: 'The disk is full.' });
  const second = watch(first.monitor.open);
  expect(await second.during(60, NOT_KEPT)).toEqual(['cleared disk-low critical']);
});

test('what gets more severe is announced again, once, also after a restart; then it is over once', async () => {
  const started: Problem = { alert: 'server-restarted', text: 'started' };
  const crashed: Problem = { ...started, text: 'crashed', severity: 'warning' };
  const first = watch();
  expect(await first.during(1, started)).toEqual(['raised server-restarted info']);
  const second = watch(first.monitor.open);
  expect(await second.during(5, crashed)).toEqual(['raised server-restarted warning']);
  const third = watch(second.monitor.open);
  expect(await third.during(5, crashed)).toEqual([]);
  expect(await third.during(5, started)).toEqual([]);
  expect(await third.during(60)).toEqual(['cleared server-restarted warning']);
});

test('what is expected is not announced, and what is announced stays open meanwhile', async () => {
  const { during } = watch();
  const lost: Problem = { alert: 'wall-lost', room: 'garden', wall: 'Foyer', text: 'lost' };
  const expected = { ...lost, isExpected: true };
  expect(await during(3_600, expected)).toEqual([]);
  expect(await during(30, lost)).toEqual([]);
  expect(await during(31, lost)).toEqual(['raised wall-lost warning garden Foyer']);
  expect(await during(3_600, expected)).toEqual([]);
});

const MINUTE = 60_000;
const NO_DISK: Problem = { alert: 'disk-low', text: 'The disk is full.' };

/** Processes of one server, one after the other; what is stored outlives them. */
function newServer() {
  const clock = new FakeClock();
  const store = new Store(openMemory());
  const begin = (problems: Problem[] = [], record = 'alerts') =>
    openAlerts({
      ...{ clock, date: () => 1e12 + clock.now(), log: silentLog, store, record, url: undefined },
      problems: () => problems,
    });
  return { clock, store, begin };
}

test('a start after a stop is told from one after a crash, and is over after a minute', async () => {
  const { clock, begin } = newServer();
  const first = await begin();
  await clock.advance(0);
  expect(first.open).toMatchObject([
    { alert: 'server-restarted', severity: 'info', text: 'The server has started.' },
  ]);
  await clock.advance(2 * MINUTE);
  expect(first.open).toEqual([]);
  await first.close();
  expect(clock.waiting).toBe(0);

  const second = await begin();
  await clock.advance(0);
  expect(second.open).toMatchObject([{ severity: 'info' }]);
  await clock.advance(2 * MINUTE);
  // It ends without a word.
  const third = await begin();
  await clock.advance(0);
  expect(third.open).toMatchObject([
    { severity: 'warning', text: expect.stringContaining('crashed or was killed') },
  ]);
});

test('servers with one store do not take the alerts of each other for theirs', async () => {
  const { clock, begin } = newServer();
  const first = await begin([NO_DISK], 'alerts/hall:8080');
  const second = await begin([], 'alerts/hall:8081');
  await clock.advance(2 * MINUTE);
  await second.close();
  expect(first.open).toMatchObject([{ alert: 'disk-low' }]);
  const again = await begin([NO_DISK], 'alerts/hall:8080');
  expect(again.open).toEqual(first.open);
});

test('what cannot be read of earlier alerts does not keep the server from starting', async () => {
  const { clock, store, begin } = newServer();
  await store.putServerRecord('alerts', { open: 'all' });
  const alerts = await begin();
  await clock.advance(0);
  expect(alerts.open).toHaveLength(1);
});

const message = (room: string): AlertMessage => raised({ alert: 'slow', room, text: 'slow' }, 1e12);

/** A webhook whose receiver gives the answers one after the other, and the last of them for ever. */
function hook(...answers: PostResult[]) {
  const clock = new FakeClock();
  const posts: { at: number; room: string | undefined; id: string }[] = [];
  const warnings: string[] = [];
  const webhook = new Webhook({
    ...{ url: 'http://receiver.example/secret', clock, onChange: () => {} },
    log: { ...silentLog, warn: (event, text) => warnings.push(`${event} ${text}`) },
    post: async (_, body) => {
      const { room, id } = JSON.parse(body) as AlertMessage;
      posts.push({ at: clock.now(), room, id });
      return answers.length > 1 ? answers.shift()! : answers[0];
    },
  });
  return { clock, posts, warnings, webhook };
}

test('a message is repeated with growing pauses, the same each time, and those after it wait', async () => {
  const { clock, posts, warnings, webhook } = hook('ECONNREFUSED', 500, 429, 204);
  webhook.send(message('garden'));
  webhook.send(message('attic'));
  await clock.advance(60_000);
  expect(posts.map(({ room }) => room)).toEqual(['garden', 'garden', 'garden', 'garden', 'attic']);
  expect(new Set(posts.slice(0, 4).map(({ id }) => id)).size).toBe(1);
  expect(posts.slice(1, 4).map(({ at }, i) => at - posts[i].at)).toEqual([1_000, 2_000, 4_000]);
  expect(webhook.waiting).toEqual([]);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).not.toContain('secret');
});

test('a receiver that is away for a weekend is asked every five minutes, and then gets all that fits', async () => {
  const { clock, posts, warnings, webhook } = hook('ECONNREFUSED');
  for (let i = 0; i < MAX_WAITING + 3; i++) webhook.send(message(`room-${i}`));
  await clock.advance(3_600_000);
  const asked = posts.length;
  await clock.advance(3_600_000);
  expect(posts.length - asked).toBe(12);
  expect(webhook.waiting).toHaveLength(MAX_WAITING);
  expect(webhook.waiting[0].room).toBe('room-3');
  expect(warnings.filter((line) => line.startsWith('alert-dropped'))).toHaveLength(3);
});

test.each([302, 400, 404])('an answer of %i is final: the next message is sent', async (status) => {
  const { clock, posts, warnings, webhook } = hook(status, 200);
  webhook.send(message('garden'));
  webhook.send(message('attic'));
  await clock.advance(0);
  expect(posts.map(({ room }) => room)).toEqual(['garden', 'attic']);
  expect(warnings).toEqual([expect.stringContaining(`${status}`)]);
});

test('stopped, it asks no more, and what waits remains for the next process', async () => {
  const { clock, posts, webhook } = hook('ECONNREFUSED');
  webhook.send(message('garden'));
  await clock.advance(2_000);
  webhook.stop();
  const asked = posts.length;
  await clock.advance(3_600_000);
  expect(posts).toHaveLength(asked);
  expect(webhook.waiting).toHaveLength(1);
  expect(clock.waiting).toBe(0);
});

/** The walls of a room, whose messages go nowhere, and the alerts about them. */
function gallery() {
  const clock = new FakeClock();
  const wallSeats = new WallSeats(() => 1e12 + clock.now());
  const nothing = () => {};
  const context = {
    ...{ clock, wallSeats },
    room: { name: 'garden', grid: { planes: { width: 8, height: 8 } } },
    broadcaster: { add: nothing, remove: nothing },
  } as unknown as RoomContext;
  const walls = new RoomWalls(context, { sendWallWelcome: nothing } as unknown as WelcomeBuilder);
  const policy = { isDimmed: false } as never;
  const messages: AlertMessage[] = [];
  const problems = () => wallProblems('garden', { walls, policy });
  new AlertMonitor({ clock, date: () => 1e12 + clock.now(), problems }, (message) =>
    messages.push(message),
  );
  const hang = (pass?: string): RoomClient => {
    const wall = { address: 'here', send: nothing, disconnect: nothing } as unknown as RoomClient;
    walls.add(wall, { as: 'wall', name: '', pass });
    return wall;
  };
  /** A browser that is up for moments, again and again. */
  const crash = async (times: number, pass?: string): Promise<void> => {
    for (let i = 0; i < times; i++) {
      const wall = hang(pass);
      await clock.advance(20 * SECOND);
      walls.remove(wall);
      await clock.advance(5 * SECOND);
    }
  };
  const said = () =>
    messages.splice(0).map(({ state, wall = 'any' }) => {
      return `${state} ${wall}`;
    });
  return { clock, wallSeats, walls, hang, crash, said };
}

for (const name of [undefined, 'Foyer']) {
  const wall = name ?? 'any';

  test(`a wall that crashes again and again is missed once, until it has settled: ${wall}`, async () => {
    const { clock, wallSeats, walls, hang, crash, said } = gallery();
    const pass = name && wallSeats.add('garden', name).pass;
    const first = hang(pass);
    await clock.advance(MINUTE);
    walls.remove(first);
    await crash(40, pass);
    expect(said()).toEqual([`raised ${wall}`]);
    hang(pass);
    await clock.advance(50 * SECOND);
    expect(said()).toEqual([]);
    await clock.advance(30 * SECOND);
    expect(said()).toEqual([`cleared ${wall}`]);
  });

  test(`a wall that is soon back is not missed: ${wall}`, async () => {
    const { clock, wallSeats, walls, hang, said } = gallery();
    const pass = name && wallSeats.add('garden', name).pass;
    for (let night = 0; night < 3; night++) {
      const first = hang(pass);
      await clock.advance(60 * MINUTE);
      walls.remove(first);
      await clock.advance(35 * SECOND);
    }
    hang(pass);
    await clock.advance(60 * MINUTE);
    expect(said()).toEqual([]);
  });
}

test('where one of two walls has settled, none is missed', async () => {
  const { clock, walls, hang, crash, said } = gallery();
  const old = hang();
  await clock.advance(MINUTE);
  await crash(40);
  expect(said()).toEqual([]);
  hang();
  await clock.advance(30 * SECOND);
  walls.remove(old);
  await clock.advance(60 * MINUTE);
  expect(said()).toEqual([]);
});

test('each part is looked at: full rooms, no connections, failing storage, too little space', () => {
  const room = {
    ...{ pace: { tickRate: 15, actual: 4, slow: true }, participants: 2 },
    ...{ waiting: SEATS.maxWaiting, settings: { capacity: 2 } },
  };
  const server = { walls: { states: [], isBare: false, upCount: 0 }, policy: {} };
  const parts = {
    rooms: { roomServers: new Map([['garden', server]]), summary: () => room } as never,
    http: { getConnections: () => {}, maxConnections: 9 } as never,
    ...{ connectionLimits: { open: 5 }, limits: { connections: 5 } },
    ...{ watchdog: { isTicking: true }, descriptors: { hasSome: true } },
    journalWriter: { isPersisting: false, isDiskFull: true },
    cluster: { refused: () => new Map([['pond', 'Room "pond" does not run here.']]) },
  };
  const texts = () =>
    problemFinder(parts)().map(({ alert, room: of = '', text }) => `${alert} ${of}: ${text}`);
  expect(texts().sort()).toEqual([
    'disk-low : The disk of the data folder is full. Free some space.',
    "nobody-can-join : Nobody can join: all connections are in use. Raise `connections` in --limits, or the system's limit of open files.",
    'nobody-can-join garden: Nobody can join the room "garden": the room and its queue are full.',
    'nobody-can-join pond: Room "pond" does not run here.',
    "not-kept : Changes are not stored and will be lost if the server restarts. The server's log names the cause.",
    'slow garden: Room "garden" is slow: it runs at 4.0 instead of 15 ticks per second.',
  ]);
});
