/**
 * Walls over real sockets: they receive the whole room, are no participants, and cannot send
 * commands.
 */

import { MAX_WALLS } from '../../server/realtime/sessions/room-walls.ts';
import { readHeader } from '../../shared/codec/frame.ts';
import type { Command } from '../../shared/protocol/commands.ts';
import type { Event } from '../../shared/protocol/events.ts';
import { unpackPointer } from '../../shared/protocol/pointers.ts';
import { SMALL } from '../support/organisms.ts';
import { suiteServer } from '../support/suite.ts';
import type { Visitor } from '../support/visitor.ts';

const CREATURE = { from: 'gallery', index: 3 } as const;

const { server, room, join, connect } = await suiteServer({
  ...{ ...SMALL, size: '160x96', 'tick-rate': 60, capacity: 2 },
});
const joinWall = (holds?: Command<'join'>['holds']) =>
  join(undefined, { as: 'wall', ...(holds && { holds }) });

/** A connection that asks to be a wall and may be refused. */
function ask(): Visitor {
  const visitor = connect();
  visitor.requestJoin({ as: 'wall' });
  return visitor;
}

const isRefusal = ({ name }: { name: string }): boolean => name === 'rejected';
const roomServer = () => server.roomServers.get('garden')!;

test('a wall receives organisms and participants, is no participant itself, and sees the room at the full tier', async () => {
  const ada = await join('Ada');
  const wall = await joinWall();
  const opening = (await wall.next(({ name }) => name === 'wall')) as Event<'wall'>;
  expect(opening).toMatchObject({
    room: { name: 'garden', width: 160, height: 96 },
    participants: [ada.welcome!.you],
    // This server listens to its own machine only, and serves no built pages.
    origin: '',
    build: '',
  });
  for (const key of ['you', 'resume', 'energy']) expect(opening).not.toHaveProperty(key);
  expect(roomServer().seats.size).toBe(1);

  expect(await ada.ask('plant', { x: 40, y: 40, seed: CREATURE })).not.toHaveProperty('reason');
  await wall.until(() => wall.life.some(({ what }) => what === 'asleep'));
  await ada.until(() => ada.life.some(({ what }) => what === 'asleep'));
  expect(wall.life.map(({ what }) => what)).toEqual(ada.life.map(({ what }) => what));
  await wall.sees(room.grid.planes);
  const tiers = wall.heard
    .filter(({ name }) => name === 'frame')
    .map(({ message }) => readHeader(message as Uint8Array).tier);
  expect(new Set(tiers)).toEqual(new Set(['full']));

  const bo = await join('Bo');
  const people = await wall.next(({ name, message }) => {
    return name === 'people' && (message as Event<'people'>).joined.length > 0;
  });
  expect(people).toMatchObject({ joined: [bo.welcome!.you] });
  expect(bo.welcome!.participants).toHaveLength(2);
});

test('it takes no slot in a full room, and is announced to nobody', async () => {
  const [ada, bo] = [await join('Ada'), await join('Bo')];
  const wall = await joinWall();
  expect(wall.tick).toBeDefined();
  bo.send('cursor', { x: 3, y: 4, tool: 'look' });
  await ada.next(({ name }) => name === 'cursors');
  const cursors = (await wall.next(({ name }) => name === 'cursors')) as Event<'cursors'>;
  expect(cursors.map(unpackPointer)).toMatchObject([{ x: 3, y: 4 }]);
  const told = ada.heard.filter(({ name }) => name === 'people');
  const joined = told.flatMap(({ message }) => (message as Event<'people'>).joined);
  expect(joined.map(({ name }) => name)).toEqual(['Bo']);
  expect(roomServer().seats.size).toBe(2);
  wall.leave();
  expect(ada.heard.some(({ name }) => name === 'waiting')).toBe(false);
});

test('every command of a wall is refused with a reason and changes nothing', async () => {
  const wall = await joinWall();
  const before = room.organisms.length;
  const wishes = {
    plant: { x: 100, y: 40, seed: CREATURE },
    damage: { radius: 4, points: [40, 40, 44, 44] },
    cross: { a: 1, b: 1, mix: 0.5 },
    beacon: { organism: 1 },
  } as const;
  for (const [name, wish] of Object.entries(wishes)) {
    expect(await wall.ask(name as keyof typeof wishes, wish)).toMatchObject({
      reason: 'only-watches',
      detail: name,
    });
  }
  const refusals = () => wall.heard.filter(({ name }) => name === 'rejected');
  wall.send('cursor', { x: 3, y: 4, tool: 'look' });
  await wall.until(() => refusals().length === 5);
  wall.requestJoin();
  await wall.until(() => refusals().length === 6);
  expect(refusals().at(-1)!.message).toMatchObject({ reason: 'already-joined' });
  expect(room.organisms).toHaveLength(before);

  // What it may do goes on as before.
  wall.send('look', { hidden: false, x: 0, y: 0, width: 64, height: 64, pixels: 4, best: 'full' });
  const chunks = [0];
  const frames = () => wall.heard.filter(({ name }) => name === 'frame').length;
  const had = frames();
  wall.send('resync', { chunks });
  await wall.until(() => frames() > had);
  expect(refusals().length).toBe(6);
});

test('a wall that reconnects reports what it still shows, and receives the rest', async () => {
  const ada = await join();
  const wall = await joinWall();
  await wall.sees(room.grid.planes);
  const holds = wall.decoder!.holds();
  const bytes = (visitor: Visitor): number =>
    (visitor.heard.find(({ name }) => name === 'frame')!.message as Uint8Array).length;
  const first = bytes(wall);
  wall.leave();
  const again = await joinWall(holds);
  expect(bytes(again)).toBeLessThan(first / 4);
  expect(ada.heard.some(({ name }) => name === 'disconnect')).toBe(false);
});

test('a room has a maximum number of walls; one that leaves makes room', async () => {
  const walls: Visitor[] = [];
  for (let i = 0; i < MAX_WALLS; i++) walls.push(await joinWall());
  const late = ask();
  expect(await late.refusal()).toBe('too-many-walls');
  walls[0].leave();
  let wall = late;
  // The server hears of a hang-up when it does: the refused one asks again until then, as a wall
  // does.
  while (wall.tick === undefined) {
    wall = ask();
    await wall.until(() => wall.tick !== undefined || wall.heard.some(isRefusal));
  }
  expect(wall.tick).toBeGreaterThan(0);
});

test("a wall's machine can check whether its wall is up; for a room that is not open there is no error", async () => {
  const ask = async (name: string): Promise<[number, unknown]> => {
    const response = await fetch(`http://127.0.0.1:${server.port}/wall/${name}/alive`);
    return [response.status, await response.json()];
  };
  expect(await ask('garden')).toEqual([503, { wall: false }]);
  const wall = await joinWall();
  expect(await ask('garden')).toEqual([200, { wall: true }]);
  expect(await ask('no-such-room')).toEqual([200, { wall: null }]);
  wall.leave();
  while ((await ask('garden'))[0] === 200);
  // A visitor is no wall.
  await join();
  expect(await ask('garden')).toEqual([503, { wall: false }]);
});
