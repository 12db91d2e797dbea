/** The end of a room's day: what lives goes, nobody acts, a new day begins, and it can be undone. */
import type { VivariumServer } from '../../server/composition/create-server.ts';
import type { LineagePage } from '../../shared/lineage.ts';
import type { Event } from '../../shared/protocol/events.ts';
import { afterSuite, afterTest, suiteFolder } from '../support/closing.ts';
import { FastClock } from '../support/fake-clock.ts';
import { HostClient } from '../support/host-client.ts';
import { SMALL } from '../support/organisms.ts';
import { LogRecorder, OscReceiver } from '../support/receivers.ts';
import { startServer } from '../support/server.ts';
import { hostOf } from '../support/suite.ts';
import { Visitor } from '../support/visitor.ts';

const box = await OscReceiver.open();
afterSuite(() => box.close());
const log = new LogRecorder();
/** A minute is twenty seconds. */
const clock = new FastClock(3);
const settings = () => ({
  ...{ ...SMALL, size: '160x96', 'tick-rate': 60, energy: 'off', data: suiteFolder(), snapshot: 1 },
  'osc-out': `127.0.0.1:${box.port}`,
});
let server: VivariumServer;
let host: HostClient;

async function start(on: ReturnType<typeof settings>): Promise<void> {
  server = await startServer(on, { log, clock });
  afterTest(() => server.close());
}

const room = () => server.world.rooms.get('garden')!;
const state = async () => (await host.call('state')).rooms[0];

async function join(as?: 'wall'): Promise<Visitor> {
  const name = as ? undefined : 'Ada';
  const visitor = await Visitor.join(server.port, 'garden', name, { ...(as && { as }) });
  afterTest(() => visitor.leave());
  return visitor;
}

/** Plants organisms of as many kinds, and waits until they are grown: a small organism dissolves at once. */
async function plantAll(visitor: Visitor, ...columns: number[]): Promise<void> {
  for (const [index, x] of columns.entries()) {
    await visitor.plant(x, 40, { from: 'gallery', index });
  }
  await visitor.until(() => room().organisms.every(({ phase }) => phase !== 'growing'));
}

const endsItsDay = (visitor: Visitor) => visitor.all('settings').at(-1)?.farewell === true;

/** The ticks at which organisms began to depart, or had departed. */
const ticksOf = (visitor: Visitor, what: 'departing' | 'died'): number[] =>
  visitor.all('life').flatMap(({ tick, events }) => {
    return events.flatMap((event) => (event.what === what ? [tick] : []));
  });

test('organisms dissolve one after another, nobody acts meanwhile, and the old day can be restored', async () => {
  await start(settings());
  host = await hostOf(server);
  const [ada, wall] = [await join(), await join('wall')];
  await plantAll(ada, 20, 50, 80, 110, 140);
  await host.call('spotlight', { x: 20, y: 40 });
  expect((await state()).walls.showing).toMatchObject({ what: 'closeUp' });
  const { kept } = await host.call('farewell', { seconds: 12 });
  expect((await state()).walls.showing).toBeNull();
  expect(kept).toMatchObject({ organisms: 5 });
  await wall.until(() => endsItsDay(wall));
  const cut = () => ada.ask('damage', { radius: 1, points: [5, 5] });
  expect(await cut()).toMatchObject({ reason: 'paused' });
  expect(await host.refusal('farewell')).toBe('room-busy');
  expect((await state()).farewell).toBe(true);
  // Before the new day begins, walls show who came of whom.
  await wall.until(() => wall.all('settings').at(-1)?.tree === true);
  expect(endsItsDay(wall)).toBe(true);
  expect(room().lineage.ended).toHaveLength(5);
  await wall.until(() => !endsItsDay(wall));
  expect(room().size).toBe(0);
  expect(room().grid.planes.owner.every((owner) => owner === 0)).toBe(true);
  await ada.until(() => ticksOf(ada, 'died').length === 5);
  const begun = ticksOf(ada, 'departing');
  expect(new Set(begun).size).toBeGreaterThan(2);
  // None in a blink: each dissolves for seconds.
  const gone = ticksOf(ada, 'died');
  expect(Math.min(...gone.map((tick, i) => tick - begun[i]))).toBeGreaterThan(60);
  // The day is over for its planters too.
  expect(ada.all('affected')).toEqual([]);
  expect(await ada.ask('renew', { organism: 5 })).toMatchObject({ reason: 'no-such-organism' });
  expect(await cut()).not.toHaveProperty('reason');
  await host.call('restore', {}, { tick: kept!.tick });
  expect(room().size).toBe(5);

  // A restore or the host stops the end of a day, and what still lives stays.
  const again = (await host.call('farewell', { seconds: 600 })).kept!;
  await host.call('restore', {}, { tick: again.tick });
  expect((await state()).farewell).toBe(false);
  expect(room().size).toBe(5);
  await host.call('farewell', { seconds: 600 });
  // An undo of nothing does not stop it; one of something does.
  expect(await host.refusal('undo', { seconds: 1, participant: 999 })).toBe('nothing-to-undo');
  expect((await state()).farewell).toBe(true);
  await host.call('stopFarewell');
  await ada.until(() => !endsItsDay(ada));
  expect(room().size).toBeGreaterThanOrEqual(3);
  expect(await host.refusal('farewell', { seconds: 0 })).toBe('bad-call');
});

/** Ends the day. Resolves when nobody of it lives. */
async function endDay(visitor: Visitor): Promise<void> {
  const before = new Set(room().organisms.map(({ id }) => id));
  const told = visitor.all('settings').length;
  await host.call('farewell', { seconds: 3 });
  const isEnding = () =>
    visitor
      .all('settings')
      .slice(told)
      .map(({ farewell }) => farewell === true);
  await visitor.until(() => isEnding().includes(true) && isEnding().at(-1) === false);
  expect(room().organisms.every(({ id }) => !before.has(id))).toBe(true);
}

async function tree(): Promise<LineagePage['organisms']> {
  const page = await fetch(`http://127.0.0.1:${server.port}/lineage/garden`);
  return ((await page.json()) as LineagePage).organisms;
}

test('GEN-2, GEN-3: a day begins bare, or with heirs of those before it, who are in the tree and in the journal', async () => {
  const kept = settings();
  await start(kept);
  const { hostToken } = server;
  host = await hostOf(server);
  let visitor = await join();
  await plantAll(visitor, 20, 70, 120);
  await endDay(visitor);
  expect(room().organisms).toEqual([]);

  await host.call('changeSettings', { generations: true });
  await plantAll(visitor, 20, 70, 120);
  const [a, b, c] = room().organisms.map(({ id }) => id);
  const { x, y } = room().viewOf(a)!;
  const cut = { radius: 2, points: [x - 10, y, x + 10, y] };
  expect(await visitor.ask('damage', cut)).not.toHaveProperty('reason');
  await visitor.until(() => room().viewOf(a)!.healed > 0);
  // Walls show the tree first.
  const wall = await join('wall');
  await endDay(visitor);
  await visitor.until(() => room().size === 3);
  expect(wall.heard.some(({ message }) => (message as Event<'settings'>).tree)).toBe(true);
  const heirs = room().organisms;
  // The one that has survived a wound is the best.
  expect(heirs.map(({ parents }) => parents)).toEqual([
    [a, b],
    [b, c],
    [c, a],
  ]);
  for (const heir of heirs) expect(heir).toMatchObject({ origin: 'cross', planter: { id: 0 } });
  const organisms = await tree();
  const dead = organisms.filter(({ id }) => [a, b, c].includes(id));
  expect(dead.map(({ cause }) => cause)).toEqual(['departed', 'departed', 'departed']);
  expect(await box.next('/vivarium/garden/generation')).toEqual([2, 3]);

  await log.until('generation', '3 heirs');
  await server.close();
  await start(kept);
  visitor = await join();
  expect(room().organisms.map(({ id, parents }) => [id, parents])).toEqual(
    heirs.map(({ id, parents }) => [id, parents]),
  );
  expect((await tree()).map(({ id }) => id)).toEqual(organisms.map(({ id }) => id));

  // Stopped, it has no heirs; nor has it when the server ends, which says so once.
  host = await HostClient.login(server.port, hostToken!);
  await host.call('farewell', { seconds: 600 });
  await host.call('stopFarewell');
  await host.call('farewell', { seconds: 600 });
  const known = new Set(heirs.map(({ id }) => id));
  for (const says of [false, true]) {
    expect(log.has('no-heirs')).toBe(says);
    log.lines.length = 0;
    await server.close();
    await start(kept);
    expect(room().organisms.every(({ id }) => known.has(id))).toBe(true);
  }
  expect(log.has('no-heirs')).toBe(false);
});
