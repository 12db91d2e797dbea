/** One address cannot take a room: its places, its line, or its ground. */

import type { VivariumServer } from '../../server/composition/create-server.ts';
import { SEATS } from '../../server/realtime/sessions/seats.ts';
import type { Event } from '../../shared/protocol/events.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/reasons.ts';
import { suiteFolder } from '../support/closing.ts';
import { ShiftedClock } from '../support/fake-clock.ts';
import { HostClient } from '../support/host-client.ts';
import { SMALL } from '../support/organisms.ts';
import { flagsOf } from '../support/process.ts';
import { ALL_EQUAL, replayed } from '../support/replay.ts';
import { startServer } from '../support/server.ts';
import { Visitor } from '../support/visitor.ts';

const CAPACITY = 8;
const [A, B, C] = ['192.0.2.1', '192.0.2.2', '192.0.2.3'];

let server: VivariumServer;
const clock = new ShiftedClock();
const visitors: Visitor[] = [];

/** Asks for a place from an address; it may have to wait. */
function come(address: string, more: object = {}): Visitor {
  const greeting = { protocol: PROTOCOL_VERSION, room: 'garden', ...more };
  const headers = { 'x-forwarded-for': address };
  const visitor = new Visitor(server.port, headers, { join: greeting });
  visitors.push(visitor);
  return visitor;
}

const count = (many: number, address: string) => Array.from({ length: many }, () => come(address));
const waits = (visitor: Visitor) => visitor.heard.some(({ name }) => name === 'waiting');
const settled = (some: readonly Visitor[]) =>
  Promise.all(some.map((one) => one.until(() => one.welcome !== undefined || waits(one))));
const gone = (visitor: Visitor) =>
  visitor.heard.some(
    ({ name, message }) =>
      name === 'rejected' && (message as Event<'rejected'>).reason === 'gave-way',
  );
const has = (some: readonly Visitor[]) => some.filter((one) => one.welcome && !gone(one)).length;
const inRoom = (visitor: Visitor) => visitor.until(() => visitor.welcome !== undefined);
/** As long as it takes the room to tick some times. */
async function ticks(many = 10): Promise<void> {
  const room = server.world.rooms.get('garden')!;
  const until = room.tick + many;
  while (room.tick < until) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await ticks(1);
}

async function open(settings: Record<string, string | number> = {}): Promise<void> {
  server = await startServer(
    {
      ...{ ...SMALL, size: '160x96', 'tick-rate': 60, capacity: CAPACITY, 'trust-proxy': 1 },
      ...settings,
    },
    { clock },
  );
}

afterEach(async () => {
  for (const visitor of visitors.splice(0)) visitor.leave();
  await server.close();
  clock.ahead = 0;
});

test('one address keeps all places while nobody else wants one', async () => {
  await open();
  const many = count(CAPACITY + 4, A);
  await settled(many);
  await ticks();
  expect(has(many)).toBe(CAPACITY);
  expect(many.filter(gone)).toEqual([]);
});

test('an address that fills room and line gives up one place for each newcomer of others, down to its share', async () => {
  await open();
  const first = count(3 * CAPACITY, A);
  await settled(first);
  const newcomer = come(B);
  await inRoom(newcomer);
  const another = come(C);
  await inRoom(another);
  await until(() => has(first) === CAPACITY - 2);
  const rivals = count(2 * CAPACITY, B);
  await settled(rivals);
  // As equal as eight places are: C wants no more than its one.
  await until(() => has(first) === 4 && has([newcomer, ...rivals]) === 3);
  await ticks();
  expect([has(first), has([newcomer, ...rivals]), has([another])]).toEqual([4, 3, 1]);
  expect(gone(another)).toBe(false);
});

test('who has been idle gives up their place to those who wait, and can come back as the same person', async () => {
  await open({ capacity: 2 });
  const plant = { seed: { from: 'gallery', index: 3 }, y: 40 };
  const [idle, busy] = count(2, A);
  await settled([idle, busy]);
  expect(await idle.ask('plant', { ...plant, x: 30 })).not.toHaveProperty('reason');
  const { resume, you } = idle.welcome!;
  clock.ahead += SEATS.idleYields - 5_000;
  await busy.ask('plant', { ...plant, x: 90 });
  const next = come(A);
  await next.until(() => waits(next));
  await ticks();
  expect([has([idle, busy]), has([next])]).toEqual([2, 0]);
  clock.ahead += 5_000;
  await inRoom(next);
  await until(() => gone(idle));
  expect(gone(busy)).toBe(false);
  expect(server.world.rooms.get('garden')!.organisms.map(({ planter }) => planter.id)).toContain(
    you.id,
  );
  // Their place is not kept for them, or they would be one too many.
  const again = come(A, { resume });
  await again.until(() => waits(again));
  busy.leave();
  await inRoom(again);
  expect(again.welcome?.you.id).toBe(you.id);
});

test('DEP-6, DMG-3: a newcomer plants among fresh organisms of another address; a protected organism is left alone; replay is exact', async () => {
  const data = suiteFolder();
  await open({ data, 'max-organisms': 3, energy: 'off' });
  const plant = (who: Visitor, x: number) =>
    who.ask('plant', { x, y: 40, seed: { from: 'gallery', index: 3 } });
  const crowd = count(3, A);
  await settled(crowd);
  for (const [i, who] of crowd.entries()) await plant(who, 20 + 40 * i);
  const newcomer = come(B);
  await inRoom(newcomer);
  expect(await plant(newcomer, 140)).not.toHaveProperty('reason');
  const room = server.world.rooms.get('garden')!;
  const own = room.organisms.at(-1)!;
  expect(own.planter.id).toBe(newcomer.welcome!.you.id);
  // However often the others plant on.
  for (const x of [100, 60, 100]) await plant(crowd[0], x);
  expect(room.organisms.map(({ id }) => id)).toContain(own.id);

  // One that is still growing has few cells, and would die of its wound.
  await newcomer.until(() =>
    newcomer.life.some((event) => event.what === 'grown' && event.id === own.id),
  );
  const host = await HostClient.login(server.port, server.hostToken!);
  await host.call('changeSettings', { protect: 60 }, { room: 'garden' });
  const cut = (who: Visitor, y: number) =>
    who.ask('damage', { points: [134, y, 146, y], radius: 2 });
  expect(await cut(crowd[0], 38)).not.toHaveProperty('reason');
  // Where it still has cells.
  expect(await cut(crowd[1], 45)).toMatchObject({ reason: 'protected' });
  await crowd[1].ask('damage', { points: [140, 40, 20, 40], radius: 2 });
  expect(crowd[1].heard).toContainEqual({ name: 'notice', message: { notice: 'some-protected' } });
  await ticks(20);
  for (const visitor of visitors.splice(0)) visitor.leave();
  await server.close();
  const { code, output } = await replayed('garden', ...flagsOf({ data, ...SMALL }));
  expect(code).toBe(0);
  expect(output).toMatch(ALL_EQUAL);
  await open({ data, 'max-organisms': 3, energy: 'off' });
  expect(server.world.rooms.get('garden')!.protectSeconds).toBe(60);
  await server.close();
});
