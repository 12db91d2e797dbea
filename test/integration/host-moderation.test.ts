/**
 * What a host does about what visitors do: pausing is in host-rooms; here removing, clearing,
 * muting, banning.
 */

import type { Command } from '../../shared/protocol/commands.ts';
import { unpackPointer } from '../../shared/protocol/pointers.ts';
import { SMALL } from '../support/organisms.ts';
import { hostOf, suiteServer } from '../support/suite.ts';
import { Visitor } from '../support/visitor.ts';

const { server, room, join } = await suiteServer({
  ...{ ...SMALL, size: '160x96', 'tick-rate': 30, energy: 'off', 'trust-proxy': 1 },
});
const host = await hostOf(server);

const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });

/** The answer to a join. */
const knock = (address: string, wishes?: Partial<Command<'join'>>) =>
  Visitor.knock(server.port, wishes, from(address).headers);

test('LIF-8: an organism is removed, everybody sees it go, and its ground is bare', async () => {
  const ada = await join();
  const id = await ada.plant(30, 30);
  await host.call('removeOrganism', { organism: id });
  await ada.until(() => ada.life.some((event) => event.what === 'died' && event.id === id));
  expect(ada.life).toContainEqual({ what: 'died', id, cause: 'removed' });
  expect(room.grid.planes.owner.includes(id)).toBe(false);
  await ada.sees(room.grid.planes);
  expect(await host.refusal('removeOrganism', { organism: id })).toBe('no-such-organism');
});

test('LIF-8: an area is cleared of all that hold a place in it, and of nobody else', async () => {
  const ada = await join();
  const [left, right] = [await ada.plant(30, 30), await ada.plant(120, 60)];
  const area = { x: 20, y: 20, width: 30, height: 30 };
  expect(await host.call('clearArea', area)).toMatchObject({ removed: 1 });
  expect(room.viewOf(left)).toBeUndefined();
  expect(room.viewOf(right)).toBeDefined();
  expect(await host.call('clearArea', area)).toMatchObject({ removed: 0 });
  expect(await host.refusal('clearArea', { ...area, x: 150 })).toBe('off-grid');
  expect(await host.refusal('clearArea', { ...area, width: 0 })).toBe('bad-call');
});

test('a muted visitor only watches: no command, no cursor and no name, until unmuted', async () => {
  const [ada, bo] = [await join('Ada'), await join('Bo')];
  const { id } = ada.welcome!.you;
  const { visitors } = await host.call('room', {});
  expect(
    visitors.map(({ name, muted, acts, neighbours }) => ({ name, muted, acts, neighbours })),
  ).toEqual([
    { name: 'Ada', muted: false, acts: 0, neighbours: 1 },
    { name: 'Bo', muted: false, acts: 0, neighbours: 1 },
  ]);
  await host.call('mute', { participant: id, muted: true });
  /** Who is there when all are named anew, Ada as told; those who left something that lives are named too. */
  const naming = async (visitor: Visitor, called: string) => {
    const all = () =>
      visitor.all('people').find(({ joined }) => joined.length > 1 && joined[0].name === called);
    await visitor.until(() => all() !== undefined);
    const { joined, left } = all()!;
    return joined.filter((one) => !left.includes(one.id)).map(({ name }) => name);
  };
  const sees = (name: string) =>
    ada.until(() => JSON.stringify(ada.all('people').at(-1)).includes(name));
  expect(await naming(bo, '')).toEqual(['', 'Bo']);
  // Ada still sees their own name.
  await naming(ada, '');
  await sees('Ada');

  // Others do not see a new name either.
  expect(await ada.ask('name', { name: 'Adaline' })).not.toHaveProperty('reason');
  await sees('Adaline');
  expect(JSON.stringify(bo.heard)).not.toContain('Adaline');
  expect(await ada.ask('name', { name: 'Ada' })).not.toHaveProperty('reason');

  const seed = { from: 'gallery', index: 0 };
  expect(await ada.ask('plant', { x: 60, y: 40, seed })).toMatchObject({ reason: 'muted' });
  expect(await ada.ask('damage', { radius: 3, points: [60, 40] })).toMatchObject({
    reason: 'muted',
  });
  const own = room.organisms.find(({ planter }) => planter.id === id);
  if (own) expect(await ada.ask('beacon', { organism: own.id })).toMatchObject({ reason: 'muted' });
  bo.heard.length = 0;
  ada.send('cursor', { x: 10, y: 10, tool: 'look' });
  bo.send('cursor', { x: 20, y: 20, tool: 'look' });
  await bo.until(() => bo.all('cursors').length > 0);
  const places = bo
    .all('cursors')[0]
    .map(unpackPointer)
    .map(({ x }) => x);
  expect(places.filter((x) => x !== undefined)).toEqual([20]);
  // Ada still sees the whole room.
  await bo.plant(60, 40);
  await ada.until(() => ada.life.some(({ what }) => what === 'born'));

  await host.call('mute', { participant: id, muted: false });
  expect(await ada.ask('damage', { radius: 1, points: [5, 5] })).not.toHaveProperty('reason');
  expect(await naming(bo, 'Ada')).toEqual(['Ada', 'Bo']);
  expect(ada.all('welcome')).toHaveLength(1);
  expect(bo.all('welcome')).toEqual([]);
  expect(await host.refusal('mute', { participant: 9_999, muted: true })).toBe(
    'no-such-participant',
  );
});

test('a ban of a session ends the visit, its pass opens nothing, its neighbours stay', async () => {
  const [eve, fay] = [await join('Eve', from('10.1.1.1')), await join('Fay', from('10.1.1.1'))];
  const { you, resume } = eve.welcome!;
  const ban = await host.call('ban', { participant: you.id, address: false, minutes: null });
  expect(ban).toMatchObject({ name: 'Eve', address: false, until: null });
  expect(await eve.refusal()).toBe('sent-away');
  await eve.next(({ name }) => name === 'disconnect');
  expect(await knock('10.1.1.1', { resume })).toBe('sent-away');
  expect(fay.socket.connected).toBe(true);
  expect(await knock('10.1.1.1')).toBe('welcome');
  const again = { participant: you.id, address: false, minutes: 1 };
  expect(await host.refusal('ban', again)).toBe('no-such-participant');

  expect((await host.call('state')).bans).toEqual([ban]);
  await host.call('liftBan', {}, { ban: ban.id });
  expect(await host.refusal('liftBan', {}, { ban: ban.id })).toBe('no-such-ban');
  expect(await knock('10.1.1.1', { resume })).toBe('welcome');
});

test('a ban holds for the device; who has lost its mark comes in slowly, and others do not notice', async () => {
  const address = '10.4.4.4';
  const [eve, fay] = [await join('Eve', from(address)), await join('Fay', from(address))];
  const { you, mark } = eve.welcome!;
  const again = await join('Eve too', { ...from(address), mark: mark! });
  const ban = await host.call('ban', { participant: you.id, address: false, minutes: 10 });
  // All of its tabs.
  for (const one of [eve, again]) expect(await one.refusal()).toBe('sent-away');
  for (const from of [address, '10.4.4.5']) expect(await knock(from, { mark })).toBe('sent-away');
  expect(await knock(address)).toBe('welcome');
  expect(await knock(address)).toBe('too-many-joins');
  expect(await knock(address, { mark: 'forged' })).toBe('too-many-joins');
  expect(await knock(address, { mark: fay.welcome!.mark })).toBe('welcome');
  expect(await knock('10.4.4.5')).toBe('welcome');
  expect(fay.socket.connected).toBe(true);
  const { bans } = await host.call('state');
  expect(bans).toContainEqual(ban);
  expect(ban).not.toHaveProperty('device');
  await host.call('liftBan', {}, { ban: ban.id });
  expect(await knock(address, { mark })).toBe('welcome');
});

test('a ban of an address ends all visits from there, and lets nobody in from there, until it is over', async () => {
  const [gil, hal, ida] = [
    await join('Gil', from('10.2.2.2')),
    await join('Hal', from('10.2.2.2')),
    await join('Ida', from('10.3.3.3')),
  ];
  const { id: participant } = gil.welcome!.you;
  const ban = await host.call('ban', { participant, address: true, minutes: 10 });
  expect(ban.until! - ban.since).toBe(600_000);
  for (const one of [gil, hal]) expect(await one.refusal()).toBe('sent-away');
  expect(await knock('10.2.2.2')).toBe('sent-away');
  expect(await knock('10.2.2.2', { resume: hal.welcome!.resume })).toBe('sent-away');
  expect(await knock('10.3.3.3')).toBe('welcome');
  expect(ida.socket.connected).toBe(true);
  // Nobody's address is told or kept in clear.
  expect(JSON.stringify([await host.call('state'), await host.call('room', {})])).not.toContain(
    '10.2.2.2',
  );
  await host.call('liftBan', {}, { ban: ban.id });
  expect(await knock('10.2.2.2')).toBe('welcome');
});

test('what needs a store says so where nothing is kept', async () => {
  const ada = await join();
  await ada.plant(130, 20);
  expect(await host.refusal('undo', { seconds: 5, participant: null })).toBe('not-kept');
  expect(await host.refusal('takeSnapshot', { name: 'x' })).toBe('not-kept');
  expect(await host.call('snapshots', {})).toEqual([]);
});
