/** Undo and restore through the host API: everybody sees them, and a replay matches. */

import type { Room } from '../../server/world/room.ts';
import { afterSuite, suiteFolder } from '../support/closing.ts';
import { HostClient } from '../support/host-client.ts';
import { SMALL } from '../support/organisms.ts';
import { flagsOf } from '../support/process.ts';
import { ALL_EQUAL, replayed } from '../support/replay.ts';
import { startServer } from '../support/server.ts';
import { hostOf } from '../support/suite.ts';
import { Visitor } from '../support/visitor.ts';

const SETTINGS = { ...SMALL, size: '128x96', 'tick-rate': 60, energy: 'off', snapshot: 0.2 };
const SEED = { from: 'gallery', index: 5 };
const data = suiteFolder();
const start = () => startServer({ ...SETTINGS, data }, { engineThreads: 2 });
let server = await start();
afterSuite(() => server.close());
const token = server.hostToken!;
let host = await hostOf(server);
const garden = (): Room => server.world.rooms.get('garden')!;

test('undo, restore and a restart are shown to everybody, and a replay matches', async () => {
  const [ada, bo] = [
    await Visitor.join(server.port, 'garden', 'Ada'),
    await Visitor.join(server.port, 'garden', 'Bo'),
  ];
  expect(await host.refusal('undo', { seconds: 600, participant: null })).toBe('nothing-to-undo');
  await bo.plant(40, 40, SEED);
  const born = bo.tick!;
  await bo.until(() => bo.tick! > born + 45);
  const named = await host.call('takeSnapshot', { name: 'Bo alone' });
  expect(named).toMatchObject({ name: 'Bo alone', before: null, organisms: 1 });
  await bo.until(() => bo.tick! > born + 75);
  await ada.ask('damage', { radius: 9, points: [40, 40] });
  await ada.plant(90, 50, SEED);
  // The same stroke goes on.
  await ada.ask('damage', { radius: 9, points: [40, 40, 42, 40] });
  await ada.until(() => ada.life.some(({ what }) => what === 'wounded'));
  const { visitors } = await host.call('room');
  expect(visitors.map(({ name, acts }) => [name, acts])).toEqual([
    ['Ada', 2],
    ['Bo', 1],
  ]);
  const wounded = ada.tick!;
  await ada.until(() => ada.tick! > wounded + 20);

  const { id } = ada.welcome!.you;
  const { undone, kept } = await host.call('undo', { seconds: 600, participant: id });
  expect(undone).toBe(2);
  expect(kept).toMatchObject({ before: 'undo', name: null, organisms: 2 });
  expect(garden().organisms.map(({ planter, wounds }) => [planter.name, wounds])).toEqual([
    ['Bo', 0],
  ]);
  for (const visitor of [ada, bo]) {
    await visitor.until(() => visitor.all('welcome').length === 2);
    expect(visitor.welcome!.organisms.map(({ planter }) => planter.name)).toEqual(['Bo']);
    await visitor.sees(garden().grid.planes);
    expect(visitor.welcome!.you.id).toBe(visitor === ada ? id : bo.welcome!.you.id);
  }
  // The room goes on, with both of them.
  await ada.plant(90, 50, SEED);

  // The house's own act is taken back alone.
  await host.call('clearArea', { x: 0, y: 0, width: 128, height: 96 });
  expect(garden().organisms).toHaveLength(0);
  expect((await host.call('undo', { seconds: 600, participant: 0 })).undone).toBe(1);
  expect(garden().organisms.map(({ planter }) => planter.name)).toEqual(['Bo', 'Ada']);

  // All is taken back, and that is taken back by a restore.
  const all = await host.call('undo', { seconds: 600, participant: null });
  expect(garden().organisms).toHaveLength(0);
  await host.call('restore', {}, { tick: all.kept!.tick });
  expect(garden().organisms.map(({ planter }) => planter.name)).toEqual(['Bo', 'Ada']);
  const { kept: before } = await host.call('restore', {}, { tick: named.tick });
  expect(before).toMatchObject({ before: 'restore', organisms: 2 });
  expect(garden().organisms.map(({ planter }) => planter.name)).toEqual(['Bo']);
  await bo.sees(garden().grid.planes);
  const list = await host.call('snapshots', {});
  expect(list.filter(({ name }) => name !== null).map(({ tick }) => tick)).toEqual([named.tick]);
  expect(list.filter((one) => one.before !== null).length).toBe(5);
  expect(await host.refusal('restore', {}, { tick: 1_000_000 })).toBe('no-such-snapshot');
  await host.call('unnameSnapshot', {}, { tick: named.tick });
  expect(await host.refusal('unnameSnapshot', {}, { tick: 1_000_000 })).toBe('no-such-snapshot');

  const { tick } = garden();
  await bo.until(() => bo.tick! > tick + 30);
  ada.leave();
  bo.leave();
  await server.close();
  const last = garden().export();
  const { code, output } = await replayed('garden', ...flagsOf({ data, ...SMALL }));
  expect(code).toBe(0);
  expect(output).toMatch(ALL_EQUAL);
  server = await start();
  const again = garden().export();
  expect(again.organisms.map(({ id: one }) => one)).toEqual(
    last.organisms.map(({ id: one }) => one),
  );
  expect(again.tick).toBeGreaterThanOrEqual(last.tick);
  host = await HostClient.login(server.port, token);
});

test('a lower pace in between does not shorten the time that an undo covers', async () => {
  await host.call('changeSettings', { tickRate: 60 });
  const cy = await Visitor.join(server.port, 'garden', 'Cy');
  await cy.plant(90, 50, SEED);
  const planted = cy.tick!;
  await cy.until(() => cy.tick! > planted + 180);
  await host.call('changeSettings', { tickRate: 15 });
  const wish = { seconds: 10, participant: cy.welcome!.you.id };
  expect((await host.call('undo', wish)).undone).toBe(1);
  cy.leave();
});
