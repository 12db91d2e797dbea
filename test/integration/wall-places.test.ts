/** Walls with a place of their own, over real sockets: they get in, are seen by the host, and are missed when they are lost. */

import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { VivariumServer } from '../../server/composition/create-server.ts';
import { MAX_WALLS } from '../../server/realtime/sessions/room-walls.ts';
import type { WallState } from '../../shared/host/state.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/reasons.ts';
import { suiteFolder } from '../support/closing.ts';
import { FastClock } from '../support/fake-clock.ts';
import { HostClient } from '../support/host-client.ts';
import { SMALL } from '../support/organisms.ts';
import { flagsOf, ServerProcess } from '../support/process.ts';
import { AlertReceiver } from '../support/receivers.ts';
import { startServer } from '../support/server.ts';
import { Visitor } from '../support/visitor.ts';

const PLACE = { ...SMALL, size: '64x64' };
const GARDEN = { room: 'garden' };
const data = suiteFolder();
const everybody: Visitor[] = [];

afterEach(() => {
  for (const visitor of everybody.splice(0)) visitor.leave();
});

/** A wall that asks to come in; it may be refused. */
function hang(port: number, pass?: string): Visitor {
  const wall = new Visitor(port);
  everybody.push(wall);
  const wish = { protocol: PROTOCOL_VERSION, room: 'garden', as: 'wall' } as const;
  wall.send('join', { ...wish, ...(pass && { pass }) });
  return wall;
}

const isUp = (wall: Visitor) => () => wall.tick !== undefined;
const passOf = ({ path }: WallState): string =>
  new URLSearchParams(path.split('?')[1]).get('pass')!;

/** Fills the room's walls with those of somebody else. */
async function crowd(port: number): Promise<Visitor[]> {
  const walls = Array.from({ length: MAX_WALLS }, () => hang(port));
  await Promise.all(walls.map((wall) => wall.until(isUp(wall))));
  return walls;
}

async function wallList(host: HostClient): Promise<WallState[]> {
  return (await host.call('room', {}, GARDEN)).wallList;
}

test('a wall comes back after a restart of the server and of the wall, though others hold all places meanwhile', async () => {
  let pass = '';
  let token = '';
  for (const run of ['first', 'second']) {
    const settings = { ...PLACE, data, ...(token === '' && { rooms: 'garden' }) };
    const server: VivariumServer = await startServer(settings);
    token ||= server.hostToken!;
    const host = await HostClient.login(server.port, token);
    if (run === 'first') pass = passOf(await host.call('addWall', { name: 'Foyer' }, GARDEN));
    const others = await crowd(server.port);
    const plain = hang(server.port);
    await plain.next(({ name }) => name === 'rejected');
    for (let restart = 0; restart < 3; restart++) {
      const foyer = hang(server.port, pass);
      await foyer.until(isUp(foyer));
      expect(await wallList(host)).toContainEqual(
        expect.objectContaining({ name: 'Foyer', screens: 1, lost: null }),
      );
      foyer.leave();
      while ((await wallList(host))[0].upFor !== null) await pause(20);
      // Somebody takes the free place at once.
      const greedy = hang(server.port);
      await greedy.until(isUp(greedy));
    }
    expect(others.filter(({ heard }) => heard.some(({ name }) => name === 'rejected'))).not.toEqual(
      [],
    );
    await server.close();
  }
});

test('the host sees which walls are up, how fast they are, and which is lost; so do the metrics', async () => {
  const server = await startServer({ ...PLACE, 'tick-rate': 30, metrics: 'same' });
  const host = await HostClient.login(server.port, server.hostToken!);
  const figures = async () => {
    const response = await fetch(`http://127.0.0.1:${server.port}/metrics`);
    const lines = (await response.text()).match(/^vivarium_(wall|room_walls).*$/gm) ?? [];
    return Object.fromEntries(
      lines.map((line) => [line.split(' ')[0], Number(line.split(' ')[1])]),
    );
  };
  const foyer = await host.call('addWall', { name: 'Foyer' }, GARDEN);
  expect(foyer).toMatchObject({ name: 'Foyer', screens: 0, upFor: null, lost: null });
  const labels = '{room="garden",wall="Foyer"}';
  expect(await figures()).toEqual({
    [`vivarium_wall_up${labels}`]: 0,
    'vivarium_room_walls{room="garden"}': 0,
  });

  const wall = hang(server.port, passOf(foyer));
  const guest = hang(server.port);
  const view = new Visitor(server.port);
  everybody.push(view);
  view.send('join', { protocol: PROTOCOL_VERSION, room: 'garden', as: 'view' });
  await Promise.all([wall, guest, view].map((one) => one.until(isUp(one))));
  // Something that moves: frames come with each tick.
  const ada = await Visitor.join(server.port);
  everybody.push(ada);
  await ada.ask('plant', { x: 32, y: 32, seed: { from: 'gallery', index: 3 } });
  await wall.until(() => wall.heard.filter(({ name }) => name === 'frame').length > 30);
  const [own, other, ...more] = await wallList(host);
  expect(more).toEqual([]);
  expect(own).toMatchObject({ id: foyer.id, name: 'Foyer', screens: 1, lost: null });
  expect(own.upFor).toBeGreaterThan(0);
  expect(own.frameRate).toBeGreaterThan(1);
  expect(other).toMatchObject({ id: null, name: '', path: '', screens: 1 });
  expect(await figures()).toMatchObject({
    [`vivarium_wall_up${labels}`]: 1,
    [`vivarium_wall_up_seconds${labels}`]: expect.any(Number),
    [`vivarium_wall_frames_per_second${labels}`]: expect.any(Number),
    'vivarium_room_walls{room="garden"}': 2,
  });
  expect((await host.call('state')).rooms[0].walls).toMatchObject({ up: 2, lost: 0 });

  const before = Date.now();
  wall.leave();
  while ((await wallList(host))[0].lost === null) await pause(20);
  expect((await wallList(host))[0].lost).toBeGreaterThanOrEqual(before - 1);
  expect((await host.call('state')).rooms[0].walls).toMatchObject({ up: 1, lost: 1 });
  expect(await figures()).toMatchObject({
    [`vivarium_wall_up${labels}`]: 0,
    [`vivarium_wall_lost_timestamp_seconds${labels}`]: expect.any(Number),
  });
  await server.close();
});

test('names are unique, places are limited, and a place that is taken back is one no more', async () => {
  const server = await startServer(PLACE);
  const host = await HostClient.login(server.port, server.hostToken!);
  const foyer = await host.call('addWall', { name: 'Foyer' }, GARDEN);
  expect(await host.refusal('addWall', { name: 'Foyer' }, GARDEN)).toBe('wall-exists');
  expect(await host.refusal('addWall', { name: 'Foyer' }, { room: 'attic' })).toBe('no-such-room');
  for (let i = 1; i < MAX_WALLS; i++) {
    await host.call('addWall', { name: `Wall ${i}` }, GARDEN);
  }
  expect(await host.refusal('addWall', { name: 'more' }, GARDEN)).toBe('too-many-walls');
  const pass = passOf(foyer);
  const wall = hang(server.port, pass);
  await wall.until(isUp(wall));
  const stranger = new HostClient(server.port);
  expect(await stranger.refusal('addWall', { name: 'Mine' }, GARDEN)).toBe('no-session');

  await host.call('removeWall', {}, { ...GARDEN, wall: foyer.id! });
  expect(await host.refusal('removeWall', {}, { ...GARDEN, wall: foyer.id! })).toBe('no-such-wall');
  // It stays up, as any other wall, until others need its place.
  expect((await wallList(host)).at(-1)).toMatchObject({ id: null, screens: 1 });
  wall.leave();
  while ((await wallList(host)).some(({ screens }) => screens > 0)) await pause(20);
  await crowd(server.port);
  const late = hang(server.port, pass);
  expect(await late.next(({ name }) => name === 'rejected')).toMatchObject({
    reason: 'too-many-walls',
  });
  await server.close();
});

test('others at its address who join too often cannot keep it out', async () => {
  const server = await startServer({ ...PLACE, limits: 'joinsAtOnce=2,joinsPerSecond=0.001' });
  const host = await HostClient.login(server.port, server.hostToken!);
  const pass = passOf(await host.call('addWall', { name: 'Foyer' }, GARDEN));
  for (let i = 0; i < 2; i++) {
    const other = hang(server.port);
    await other.until(isUp(other));
  }
  const refused = { reason: 'too-many-joins' };
  for (const wrong of [undefined, 'a'.repeat(12)]) {
    const other = hang(server.port, wrong);
    expect(await other.next(({ name }) => name === 'rejected')).toMatchObject(refused);
  }
  const foyer = hang(server.port, pass);
  await foyer.until(isUp(foyer));
  await server.close();
});

test('an alert says that a wall is lost, and that it is back; not for a moment, nor for what others hang', async () => {
  const receiver = await AlertReceiver.open();
  const settings = { alerts: receiver.url, ...PLACE, 'tick-rate': 1 };
  const server = await startServer(settings, { clock: new FastClock(20) });
  const host = await HostClient.login(server.port, server.hostToken!);
  const pass = passOf(await host.call('addWall', { name: 'Foyer' }, GARDEN));
  for (let i = 0; i < 3; i++) {
    const wall = hang(server.port, pass);
    await wall.until(isUp(wall));
    wall.leave();
  }
  const guest = hang(server.port);
  await guest.until(isUp(guest));
  guest.leave();
  const lost = await receiver.hears('raised wall-lost garden Foyer');
  expect(lost.text).toContain('The wall "Foyer" of the room "garden" is lost.');
  const wall = hang(server.port, pass);
  await receiver.hears('cleared wall-lost garden Foyer');
  expect(wall.tick).toBeDefined();
  expect(receiver.heard.filter((short) => short.includes('wall-lost'))).toHaveLength(2);
  expect(receiver.faults).toEqual([]);
  await server.close();
  await receiver.close();
});

test('a room without such walls is missed when its last wall is gone', async () => {
  const receiver = await AlertReceiver.open();
  const settings = {
    alerts: receiver.url,
    ...PLACE,
    'tick-rate': 1,
    data: join(data, 'bare'),
  };
  const clock = new FastClock(30);
  const server = await startServer(settings, { clock });
  // A visitor's look at the wall's page is not missed: only one that was up for a minute.
  const wall = hang(server.port);
  await wall.until(isUp(wall));
  await new Promise<void>((resolve) => clock.after(61_000, resolve));
  wall.leave();
  const lost = await receiver.hears('raised wall-lost garden');
  expect(lost).not.toHaveProperty('wall');
  await receiver.hears('cleared server-restarted');
  await server.close();

  // It is not back because the server has restarted, which forgets who was there.
  receiver.messages.length = 0;
  const second = await startServer(settings, { clock });
  await receiver.hears('cleared server-restarted');
  expect(receiver.heard.filter((short) => short.includes('wall-lost'))).toEqual([]);
  hang(second.port);
  expect(await receiver.hears('cleared wall-lost garden')).toMatchObject({ since: lost.at });
  await second.close();
  await receiver.close();
});

test('a server that is killed remembers places', async () => {
  const folder = join(data, 'killed');
  const args = flagsOf({ ...PLACE, port: 0, host: '127.0.0.1', data: folder });
  const first = new ServerProcess(args);
  const port = await first.alive();
  const token = await first.hostToken();
  const host = await HostClient.login(port, token);
  const pass = passOf(await host.call('addWall', { name: 'Foyer' }, GARDEN));
  const wall = hang(port, pass);
  await wall.until(isUp(wall));
  // That it is up is stored without anybody waiting for it; what is stored after it, before the answer.
  const { schedule } = await host.call('state');
  await host.call('setSchedule', schedule);
  await first.end('SIGKILL');
  const second = new ServerProcess(args);
  const again = await second.alive();
  const later = await HostClient.login(again, token);
  expect((await wallList(later))[0]).toMatchObject({ name: 'Foyer', lost: expect.any(Number) });
  const back = hang(again, pass);
  await back.until(isUp(back));
  expect((await wallList(later))[0]).toMatchObject({ screens: 1, lost: null });
  await second.end();
});
