/**
 * Rooms while the server runs: made, set, closed, opened, removed, and there again after a restart.
 */

import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { readBundle } from '../../server/replay/journal-range.ts';
import { png } from '../../server/replay/run-replay.ts';
import { afterSuite, suiteFolder } from '../support/closing.ts';
import { HostClient } from '../support/host-client.ts';
import { SMALL } from '../support/organisms.ts';
import { startServer } from '../support/server.ts';
import { hostOf } from '../support/suite.ts';
import { Visitor } from '../support/visitor.ts';

const data = suiteFolder();
/** Another checkpoint, `tiny`: the same weights with another card. */
const tiny = join(suiteFolder(), 'tiny');
cpSync(SMALL.checkpoint, tiny, { recursive: true });
const { identity: _, ...card } = JSON.parse(readFileSync(join(tiny, 'card.json'), 'utf8'));
writeFileSync(join(tiny, 'card.json'), JSON.stringify({ ...card, name: 'tiny', trustedSteps: 77 }));
const settings = { ...SMALL, checkpoints: tiny, data, size: '96x64', 'tick-rate': 30 };
let server = await startServer(settings);
afterSuite(() => server.close());
const token = server.hostToken!;
let host = await hostOf(server);

const come = (name?: string) => Visitor.join(server.port, 'garden', name);
const knock = (room: string) => Visitor.knock(server.port, { room });

async function restart(): Promise<void> {
  await server.close();
  server = await startServer(settings);
  expect(server.hostToken).toBeUndefined();
  host = await HostClient.login(server.port, token);
}

test('a room is made of another checkpoint, lives at once, and is there after a restart, as it is set', async () => {
  const wish = { name: 'attic', width: 80, height: 48, checkpoint: 'tiny' };
  const made = await host.call('createRoom', { ...wish, settings: { capacity: 7, tickRate: 20 } });
  expect(made).toMatchObject({ ...wish, open: true, fixed: false, participants: 0 });
  expect(await host.refusal('createRoom', wish)).toBe('room-exists');
  expect(await host.refusal('createRoom', { ...wish, name: 'b', checkpoint: 'no' })).toBe(
    'no-such-checkpoint',
  );

  const visitor = await Visitor.join(server.port, 'attic');
  expect(visitor.welcome!.checkpoint.name).toBe('tiny');
  expect(visitor.welcome!.room).toMatchObject({ width: 80, height: 48, tickRate: 20 });
  await visitor.plant(40, 24);
  const change = { languages: ['da', 'en'], maxOrganisms: 9 };
  await host.call('changeSettings', change, { room: 'attic' });
  await restart();
  const attic = (await host.call('state')).rooms.find(({ name }) => name === 'attic')!;
  expect(attic).toMatchObject({ ...wish, open: true, organisms: 1 });
  expect(attic.settings).toMatchObject({ capacity: 7, tickRate: 20, ...change });
  visitor.leave();
});

test('knobs act at once, and everybody is told', async () => {
  const [ada, bo] = [await come('Ada'), await come('Bo')];
  const told = () => ada.all('settings').at(-1)!;
  const usual = { names: true, paused: false, maxRadius: 12, cooldown: 0, dim: false };
  expect(told()).toMatchObject(usual);
  const turn = (change: object) => host.call('changeSettings', change);

  const costs = { plant: 2, damagePerCell: 0, wake: 0 };
  await turn({ energy: { capacity: 50, newcomer: 50, refillPerSecond: 1, ...costs } });
  await bo.until(() => bo.all('energy').at(-1)?.plant === 2);
  await turn({ tickRate: 40 });
  await bo.until(() => bo.all('pace').at(-1)?.tickRate === 40);

  await turn({ maxRadius: 2, cooldown: 600, paused: false });
  await ada.until(() => told().maxRadius === 2);
  const seed = { from: 'gallery', index: 1 };
  await ada.plant(20, 30, seed);
  expect(await ada.ask('plant', { x: 70, y: 30, seed })).toMatchObject({ reason: 'cooling-down' });
  await bo.plant(70, 30, seed);
  // A seed that was refused is none that one has to wait for.
  await turn({ cooldown: 0 });
  await turn({ cooldown: 600 });
  const cy = await come('Cy');
  expect(await cy.ask('plant', { x: 20, y: 30, seed })).toMatchObject({ reason: 'occupied' });
  await cy.plant(45, 30, seed);
  expect(await cy.ask('plant', { x: 45, y: 30, seed })).toMatchObject({ reason: 'cooling-down' });
  cy.leave();
  await turn({ cooldown: 0 });

  await turn({ paused: true });
  await ada.until(() => told().paused);
  for (const [name, wish] of [
    ['plant', { x: 70, y: 30, seed }],
    ['damage', { radius: 1, points: [20, 30] }],
    ['cross', { a: 1, b: 2, mix: 0.5 }],
  ] as const) {
    expect(await ada.ask(name, wish)).toMatchObject({ reason: 'paused' });
  }
  await turn({ paused: false });
  expect(await ada.ask('damage', { radius: 1, points: [48, 4] })).not.toHaveProperty('reason');

  // Pages are told of people alone, those too who have gone and left something that lives, and keep
  // their picture.
  const people = () => bo.all('people');
  const namings = () => people().filter(({ joined }) => joined.length > 1);
  const gone = [cy.welcome!.you.id];
  await turn({ names: false });
  await bo.until(() => namings().length === 1 && people().at(-1)!.joined.length === 1);
  expect(namings()[0].joined.map(({ name }) => name)).toEqual(['', '', '']);
  expect(namings()[0].left).toEqual(gone);
  expect(people().at(-1)).toMatchObject({ joined: [{ name: 'Bo' }], left: [] });
  const before = people().length;
  const cyd = await come('Cyd');
  expect(cyd.welcome!.participants.map(({ name }) => name)).toEqual(['', '', '']);
  expect(cyd.welcome!.organisms.map(({ planter }) => planter.name)).toEqual(['', '', '']);
  await bo.until(() => people().length > before);
  expect(JSON.stringify(people().at(-1))).not.toContain('Cyd');
  await turn({ names: true });
  await bo.until(() => namings().length === 2);
  expect(namings()[1].joined.map(({ name }) => name)).toEqual(['Ada', 'Bo', 'Cyd', 'Cy']);
  expect(namings()[1].left).toEqual(gone);
  expect(bo.all('welcome')).toHaveLength(1);
  await bo.sees(server.world.rooms.get('garden')!.grid.planes);

  await turn({ capacity: 3 });
  const dan = new Visitor(server.port);
  dan.requestJoin();
  await dan.until(() => dan.all('waiting').length > 0);
  await turn({ capacity: 4 });
  await dan.until(() => dan.welcome !== undefined);
  for (const visitor of [ada, bo, cyd, dan]) visitor.leave();
  expect(await host.refusal('changeSettings', { tickRate: 61 })).toBe('bad-call');
  expect(server.rooms.settingsOf('garden').tickRate).toBe(40);
});

test('a tick ends under the settings that it began with', async () => {
  // Without a store, a change would take effect at once.
  const other = await startServer({ ...SMALL, size: '96x64' });
  const room = other.world.rooms.get('garden')!;
  const visitor = await Visitor.join(other.port);
  await visitor.plant(48, 32);
  const [begin, end] = [room.beginTick.bind(room), room.endTick.bind(room)];
  const { healing } = room.rules.life;
  const seen: number[] = [];
  let changed: Promise<unknown> | undefined;
  await new Promise<void>((done) => {
    room.beginTick = () => {
      const work = begin();
      if (work.step.length === 0) return work;
      changed ??= other.rooms.change('garden', { healing: healing + 1 });
      seen.push(room.rules.life.healing);
      return work;
    };
    room.endTick = (readouts) => {
      if (changed) seen.push(room.rules.life.healing);
      if (seen.length >= 2) done();
      return end(readouts);
    };
  });
  Object.assign(room, { beginTick: begin, endTick: end });
  await changed;
  expect([...seen.slice(0, 2), room.rules.life.healing]).toEqual([healing, healing, healing + 1]);
  visitor.leave();
  await other.close();
});

test('a closed room tells visitors so, stands still, and goes on where it was', async () => {
  const visitor = await come();
  const wall = await Visitor.join(server.port, 'garden', undefined, { as: 'wall' });
  const before = server.world.rooms.get('garden')!;
  await host.call('closeRoom', {});
  for (const one of [visitor, wall]) {
    expect(await one.refusal()).toBe('room-closed');
    await one.next(({ name }) => name === 'disconnect');
  }
  expect(await knock('garden')).toBe('room-closed');
  expect(await knock('cellar')).toBe('no-such-room');
  expect(server.world.rooms.has('garden')).toBe(false);
  const nobody = { open: false, participants: 0, visitors: [] };
  expect(await host.call('room', {})).toMatchObject(nobody);
  expect(await host.refusal('removeOrganism', { organism: 1 })).toBe('room-closed');
  // How many live there is not told as none.
  expect((await host.call('state')).rooms[0].organisms).toBeNull();
  const picture = await (await host.fetch('/rooms/garden/picture.png')).arrayBuffer();
  const pixels = (file: ArrayBuffer | Uint8Array) => sharp(file).raw().toBuffer();
  expect(await pixels(picture)).toEqual(await pixels(await png(before.grid.planes)));
  await restart();
  expect(await knock('garden')).toBe('room-closed');

  await host.call('openRoom', {});
  expect(await knock('garden')).toBe('welcome');
  const after = server.world.rooms.get('garden')!;
  expect(after.tick).toBeGreaterThanOrEqual(before.tick);
  expect(after.organisms.map(({ id }) => id)).toEqual(before.organisms.map(({ id }) => id));
  // The ones after it tick on as well.
  const again = await come();
  const { tick } = after;
  await again.until(() => after.tick > tick + 5);
  again.leave();
});

test('a room is removed when it is closed and named, and what it was is put aside', async () => {
  const remove = (confirm: string) => host.refusal('removeRoom', { confirm }, { room: 'attic' });
  expect(await remove('attic')).toBe('room-open');
  await host.call('closeRoom', {}, { room: 'attic' });
  expect(await remove('garden')).toBe('not-confirmed');
  await host.call('removeRoom', { confirm: 'attic' }, { room: 'attic' });
  expect(await knock('attic')).toBe('no-such-room');
  expect(await host.refusal('removeRoom', { confirm: 'garden' })).toBe('fixed-room');
  const [file, ...more] = readdirSync(join(data, 'removed'));
  expect(more).toEqual([]);
  expect(file).toMatch(/^attic-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.bundle$/);
  const { room, state } = await readBundle(join(data, 'removed', file));
  expect(room).toMatchObject({ name: 'attic', width: 80, height: 48 });
  expect(state.organisms).toHaveLength(1);
  await restart();
  expect((await host.call('state')).rooms.map(({ name }) => name)).toEqual(['garden']);
  // A new room of that name starts from its first tick.
  await host.call('createRoom', { name: 'attic', width: 64, height: 64, checkpoint: 'small' });
  expect(server.world.rooms.get('attic')!.tick).toBeLessThan(200);
});

test('a reseeded room gets new organisms, and a snapshot keeps the old ones', async () => {
  const before = server.world.rooms.get('garden')!.organisms.map(({ id }) => id);
  const { planted, kept } = await host.call('reseed', { organisms: 4 });
  expect(planted).toBe(4);
  expect(kept).toMatchObject({ before: 'reseed', organisms: before.length });
  const { organisms } = server.world.rooms.get('garden')!;
  expect(organisms).toHaveLength(4);
  expect(organisms.every(({ id, planter }) => !before.includes(id) && planter.id === 0)).toBe(true);
  const visitor = await come();
  expect(visitor.welcome!.organisms).toHaveLength(4);
  await host.call('reseed', { organisms: 0 });
  await visitor.until(() => visitor.life.filter(({ what }) => what === 'died').length === 4);
  expect(visitor.life).toContainEqual(expect.objectContaining({ what: 'died', cause: 'removed' }));
  visitor.leave();
});
