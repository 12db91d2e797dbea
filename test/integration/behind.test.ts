/** An overloaded server: the next tick is due before the frames of the last one are sent. */

import { setTimeout as pause } from 'node:timers/promises';
import { SMALL } from '../support/organisms.ts';
import { suiteServer } from '../support/suite.ts';

/** ms; three times what a tick may take. */
const KEEPING = 50;
const TICK_RATE = 60;

const { server, room, join } = await suiteServer({ ...SMALL, size: '96x64', energy: 'off' });
// A disk this slow: no tick is in time.
server.world.journal = () => pause(KEEPING);
server.setTickRate(room, TICK_RATE);

test('frames are sent during the next tick, and show the room as it was after their own', async () => {
  const roomServer = server.roomServers.get('garden')!;
  const owners = new Map<number, Uint16Array | Uint32Array>();
  const course: string[] = [];
  const [tick, publish, show] = [
    server.world.tick.bind(server.world),
    roomServer.handleTick.bind(roomServer),
    roomServer.broadcast.bind(roomServer),
  ];
  server.world.tick = (rooms, meanwhile) => {
    course.push('begun');
    return tick(rooms, meanwhile).finally(() => course.push('stepped'));
  };
  roomServer.handleTick = (result, now) => {
    publish(result, now);
    owners.set(result.tick, room.grid.planes.owner.slice());
  };
  roomServer.broadcast = (now) => {
    course.push('shown');
    show(now);
  };
  const visitor = await join('Ada');
  const ticks: number[] = [];
  let unlike = 0;
  visitor.socket.on('frame', () => {
    const wanted = owners.get(visitor.tick!);
    if (!wanted) return;
    ticks.push(visitor.tick!);
    if (!Buffer.from(wanted.buffer).equals(Buffer.from(visitor.planes!.owner.slice().buffer)))
      unlike++;
  });
  // Seeds take their ground at the beginning of a tick, while the frames of the one before are
  // still to be sent: beside others, in chunks that are changing anyway.
  for (const [x, y] of [
    [20, 20],
    [40, 20],
    [20, 40],
    [40, 40],
    [60, 30],
    [76, 30],
  ]) {
    await visitor.ask('plant', { x, y, seed: { from: 'gallery', index: 3 } });
  }
  await visitor.until(() => ticks.length > 40);
  visitor.leave();

  expect({ unlike, lost: visitor.lost }).toEqual({ unlike: 0, lost: 0 });
  expect(ticks).toEqual([...ticks].sort((a, b) => a - b));
  expect(new Set(ticks).size).toBe(ticks.length);
  const meanwhile = course.filter((what, i) => what === 'shown' && course[i - 1] === 'begun');
  expect(meanwhile.length).toBeGreaterThan(20);
  const steps = course.filter((what) => what === 'stepped').length;
  const shown = course.filter((what) => what === 'shown').length;
  expect(Math.abs(steps - shown)).toBeLessThanOrEqual(1);
});
