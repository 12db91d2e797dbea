/** What alerts are about; when walls are missed, and when they are back. */

import {
  type AlertMessage,
  AlertMonitor,
  problemFinder,
  wallProblems,
} from '../../../server/operations/alerts.ts';
import { WallSeats } from '../../../server/realtime/policy/wall-seats.ts';
import type { WelcomeBuilder } from '../../../server/realtime/sessions/room-admission.ts';
import type { RoomClient } from '../../../server/realtime/sessions/room-client.ts';
import type { RoomContext } from '../../../server/realtime/sessions/room-context.ts';
import { SEATS } from '../../../server/realtime/sessions/seats.ts';
import { RoomWalls } from '../../../server/realtime/sessions/watchers.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const SECOND = 1_000;
const MINUTE = 60_000;

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
    'nobody-can-join : Nobody can join: all connections are in use. Raise connections in --limits, or the limit of open files.',
    'nobody-can-join garden: Nobody can join the room "garden": the room and its queue are full.',
    'nobody-can-join pond: Room "pond" does not run here.',
    'not-kept : Changes are not stored and will be lost if the server restarts. The log names the cause.',
    'slow garden: Room "garden" is slow: it runs at 4.0 instead of 15 ticks per second.',
  ]);
});
