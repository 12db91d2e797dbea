/** A day that ends, and the next one, which begins with heirs where the host wants it. */
import type { VivariumServer } from '../../server/composition/create-server.ts';
import type { LineagePage } from '../../shared/lineage.ts';
import type { Event } from '../../shared/protocol/events.ts';
import { afterSuite, afterTest, suiteFolder } from '../support/closing.ts';
import { HostClient } from '../support/host-client.ts';
import { SMALL } from '../support/organisms.ts';
import { LogRecorder, OscReceiver } from '../support/receivers.ts';
import { startServer } from '../support/server.ts';
import { hostOf } from '../support/suite.ts';
import { Visitor } from '../support/visitor.ts';

const box = await OscReceiver.open();
afterSuite(() => box.close());
const SETTINGS = {
  ...{ ...SMALL, size: '160x96', 'tick-rate': 60, energy: 'off', data: suiteFolder(), snapshot: 1 },
  'osc-out': `127.0.0.1:${box.port}`,
};
const GARDEN = { room: 'garden' };

const roomOf = ({ world }: VivariumServer) => world.rooms.get('garden')!;

async function join(server: VivariumServer): Promise<Visitor> {
  const visitor = await Visitor.join(server.port, 'garden', 'Ada');
  afterTest(() => visitor.leave());
  return visitor;
}

/** Plants three of three kinds, which are grown then. */
async function plantThree(server: VivariumServer, visitor: Visitor): Promise<void> {
  const room = roomOf(server);
  for (const [index, x] of [20, 70, 120].entries()) {
    const wish = { x, y: 40, seed: { from: 'gallery', index } };
    expect(await visitor.ask('plant', wish)).not.toHaveProperty('reason');
  }
  await visitor.until(() => room.organisms.every(({ phase }) => phase !== 'growing'));
}

/** Ends the day. Resolves when nobody of it lives. */
async function endDay(server: VivariumServer, visitor: Visitor): Promise<void> {
  const host = await hostOf(server);
  const before = new Set(roomOf(server).organisms.map(({ id }) => id));
  const told = visitor.heard.length;
  await host.call('farewell', { seconds: 3 }, GARDEN);
  const isEnding = () =>
    visitor.heard.slice(told).flatMap(({ name, message }) => {
      return name === 'settings' ? [(message as Event<'settings'>).farewell === true] : [];
    });
  await visitor.until(() => isEnding().includes(true) && isEnding().at(-1) === false);
  expect(roomOf(server).organisms.every(({ id }) => !before.has(id))).toBe(true);
}

async function treeOf({ port }: VivariumServer): Promise<LineagePage> {
  return (await fetch(`http://127.0.0.1:${port}/lineage/garden`)).json() as Promise<LineagePage>;
}

test('GEN-2, GEN-3: a day begins bare, or with heirs of those before it, who are in the tree and in the journal', async () => {
  const log = new LogRecorder();
  let server = await startServer(SETTINGS, { log });
  afterTest(() => server.close());
  const { hostToken } = server;
  let visitor = await join(server);
  await plantThree(server, visitor);
  await endDay(server, visitor);
  expect(roomOf(server).organisms).toEqual([]);

  await (await hostOf(server)).call('changeSettings', { generations: true }, GARDEN);
  await plantThree(server, visitor);
  const [first, ...others] = roomOf(server).organisms.map(({ id }) => id);
  const { x, y } = roomOf(server).viewOf(first)!;
  const cut = { radius: 2, points: [x - 10, y, x + 10, y] };
  expect(await visitor.ask('damage', cut)).not.toHaveProperty('reason');
  await visitor.until(() => roomOf(server).viewOf(first)!.healed > 0);
  // Walls show the tree first.
  const wall = new Visitor(server.port);
  afterTest(() => wall.leave());
  wall.requestJoin({ as: 'wall' });
  await wall.next(({ name }) => name === 'wall');
  await endDay(server, visitor);
  await visitor.until(() => roomOf(server).size === 3);
  expect(wall.heard.some(({ message }) => (message as Event<'settings'>).tree)).toBe(true);
  const heirs = roomOf(server).organisms;
  // The one that has survived a wound is the best.
  const [b, c] = others;
  expect(heirs.map(({ parents }) => parents)).toEqual([
    [first, b],
    [b, c],
    [c, first],
  ]);
  for (const heir of heirs) expect(heir).toMatchObject({ origin: 'cross', planter: { id: 0 } });
  const { organisms } = await treeOf(server);
  const dead = organisms.filter(({ id }) => [first, b, c].includes(id));
  expect(dead.map(({ cause }) => cause)).toEqual(['departed', 'departed', 'departed']);
  expect(await box.next('/vivarium/garden/generation')).toEqual([2, 3]);

  await log.until('generation', '3 heirs');
  await server.close();
  server = await startServer(SETTINGS, { log });
  visitor = await join(server);
  expect(roomOf(server).organisms.map(({ id, parents }) => [id, parents])).toEqual(
    heirs.map(({ id, parents }) => [id, parents]),
  );
  expect((await treeOf(server)).organisms.map(({ id }) => id)).toEqual(
    organisms.map(({ id }) => id),
  );

  // Stopped, it has no heirs; nor has it when the server ends, which says so once.
  const host = await HostClient.login(server.port, hostToken!);
  await host.call('farewell', { seconds: 600 }, GARDEN);
  await host.call('stopFarewell', {}, GARDEN);
  await host.call('farewell', { seconds: 600 }, GARDEN);
  const known = new Set(heirs.map(({ id }) => id));
  for (const says of [false, true]) {
    expect(log.has('no-heirs')).toBe(says);
    log.lines.length = 0;
    await server.close();
    server = await startServer(SETTINGS, { log });
    expect(roomOf(server).organisms.every(({ id }) => known.has(id))).toBe(true);
  }
  expect(log.has('no-heirs')).toBe(false);
});
