/** Walls and the host's page on a network that comes up after the server, and changes. */

import { POLL_INTERVAL } from '../../server/composition/listen.ts';
import type { Event } from '../../shared/protocol/events.ts';
import { HeldClock } from '../support/fake-clock.ts';
import { SMALL } from '../support/organisms.ts';
import { hostOf, suiteServer } from '../support/suite.ts';
import type { Visitor } from '../support/visitor.ts';

const clock = new HeldClock(POLL_INTERVAL);
let addresses: string[] = [];
const { server, room, join } = await suiteServer(
  { ...SMALL, size: '64x64', host: '0.0.0.0', 'tick-rate': 60 },
  { clock, networkAddresses: () => addresses },
);

const origins = (wall: Visitor): string[] =>
  wall.heard
    .filter(({ name }) => name === 'wall')
    .map(({ message }) => (message as Event<'wall'>).origin);

test('a wall is told of a new address for phones, and keeps showing the room', async () => {
  const wall = await join(undefined, { as: 'wall' });
  expect(origins(wall)).toEqual(['']);
  const told = [''];
  const visitor = await join();
  for (const found of [['192.168.1.20', '10.0.0.5'], ['192.168.1.31'], []]) {
    addresses = found;
    // The change is announced once it has lasted.
    clock.pass();
    clock.pass();
    told.push(found.length > 0 ? `http://${found[0]}:${server.port}` : '');
    await wall.until(() => origins(wall).length === told.length);
    expect(origins(wall)).toEqual(told);
  }

  // Those on phones are where they are.
  expect(visitor.heard.filter(({ name }) => name === 'welcome')).toHaveLength(1);
  visitor.leave();

  const ada = await join();
  const seed = { from: 'gallery', index: 3 };
  expect(await ada.ask('plant', { x: 32, y: 32, seed })).not.toHaveProperty('reason');
  await wall.until(() => wall.life.some(({ what }) => what === 'asleep'));
  await wall.sees(room.grid.planes);
  expect(wall.lost).toBe(0);
  // Nothing has changed since: it is told nothing more.
  clock.pass();
  clock.pass();
  const { tick } = room;
  await wall.until(() => room.tick > tick + 3);
  expect(origins(wall)).toEqual(told);
});

test("terminal, wall and sign have the same address, and the host's page the others too", async () => {
  addresses = ['10.0.0.5', '172.17.0.1'];
  const all = addresses.map((address) => `http://${address}:${server.port}`);
  expect(server.networkOrigins()).toEqual(all);
  const wall = await join(undefined, { as: 'wall' });
  expect(origins(wall)).toEqual([all[0]]);
  const host = await hostOf(server);
  expect((await host.call('state')).addresses).toEqual(all);
});
