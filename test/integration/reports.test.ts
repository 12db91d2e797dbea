/** Organisms that visitors report, and what the host sees and does of it. */
import { PNG } from 'pngjs';
import { windowAround } from '../../shared/geometry.ts';
import { FILES, pathOf } from '../../shared/host/api.ts';
import { hostOf, suiteServer } from '../support/suite.ts';
import type { Visitor } from '../support/visitor.ts';

const { server, room, join, url } = await suiteServer({
  ...{ size: '160x96', 'tick-rate': 60, energy: 'off', metrics: 'same' },
});
const host = await hostOf(server);
/** It rests. */
const CREATURE = { from: 'gallery', index: 3 } as const;

const report = (visitor: Visitor, organism: number) => visitor.ask('report', { organism });

const reports = async () =>
  (await host.call('room')).reports.map(({ organism, reporters }) => [organism, reporters]);

const pictureOf = async (organism: number): Promise<PNG> => {
  const response = await host.fetch(pathOf(FILES.organism, { room: 'garden', organism }));
  return PNG.sync.read(Buffer.from(await response.arrayBuffer()));
};

afterEach(async () => {
  for (const { id } of room.organisms) await host.call('removeOrganism', { organism: id });
});

test('each participant counts once for an organism, and the host sees the most reported first', async () => {
  const [ada, bo, cy] = [await join('Ada'), await join('Bo'), await join('Cy')];
  const [one, two] = [await ada.plant(30, 30), await ada.plant(120, 60)];
  expect(await reports()).toEqual([]);
  expect(await report(bo, one)).not.toHaveProperty('reason');
  expect(await report(bo, one)).not.toHaveProperty('reason');
  expect(await reports()).toEqual([[one, 1]]);
  await report(bo, two);
  await report(cy, two);
  expect(await reports()).toEqual([
    [two, 2],
    [one, 1],
  ]);
  const [first] = (await host.call('room')).reports;
  expect(first).toMatchObject({ kind: room.viewOf(two)!.kind, planter: ada.welcome!.you });
  expect(first.waited).toBeGreaterThanOrEqual(0);
  expect((await host.call('state')).rooms[0].reported).toBe(2);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toMatch(/^vivarium_room_reported\{room="garden"\} 2$/m);
});

test('the picture of a reported organism is its own cells on black', async () => {
  const ada = await join('Ada');
  const id = await ada.grow(30, 30, CREATURE);
  await report(ada, id);
  const { width, height, data } = await pictureOf(id);
  const { side } = room.viewOf(id)!;
  expect([width, height]).toEqual([side, side]);
  const { planes } = room.grid;
  room.grid.each(windowAround(30, 30, side), (place, cell) => {
    const isOwn = planes.owner[place] === id;
    const rgb = isOwn ? [...planes.rgba.subarray(4 * place, 4 * place + 3)] : [0, 0, 0];
    expect([cell, ...data.subarray(4 * cell, 4 * cell + 3)]).toEqual([cell, ...rgb]);
  });
  const gone = await host.fetch(pathOf(FILES.organism, { room: 'garden', organism: 4_000 }));
  expect(await gone.json()).toMatchObject({ reason: 'no-such-organism' });
});

test('a report of a seedling shows what it has grown into', async () => {
  const ada = await join('Ada');
  const id = await ada.plant(30, 30);
  await report(ada, id);
  const lit = ({ data }: PNG): number => data.filter((value, i) => i % 4 < 3 && value > 0).length;
  const before = lit(await pictureOf(id));
  await ada.until(() => ada.life.some((event) => event.what === 'grown' && event.id === id));
  expect((await host.call('room')).reports[0].pictured).toBeGreaterThan(room.viewOf(id)!.born);
  expect(lit(await pictureOf(id))).toBeGreaterThan(4 * before);
});

test('a report shows what was reported, after it has turned into something else and departed', async () => {
  const [ada, bo] = [await join('Ada'), await join('Bo')];
  const id = await ada.grow(30, 30, CREATURE);
  const { kind } = room.viewOf(id)!;
  await report(ada, id);
  const picture = await pictureOf(id);
  const turned = await ada.ask('transform', { organism: id, seed: { from: 'gallery', index: 5 } });
  expect(turned).not.toHaveProperty('reason');
  await report(bo, id);
  const actor = server.roomServers.get('garden')!.dispatcher.hostActor;
  await actor.act({ what: 'depart', organism: id, seconds: 1 });
  await ada.until(() => ada.life.some((event) => event.what === 'died' && event.id === id));
  const shown = { organism: id, kind, planter: ada.welcome!.you, reporters: 2, lives: false };
  expect((await host.call('room')).reports).toMatchObject([shown]);
  expect((await pictureOf(id)).data).toEqual(picture.data);
  await host.call('dismissReport', { organism: id });
  expect(await reports()).toEqual([]);
});

test('GRA-9: a report of a chimera names its parts and who painted them, also after it is gone', async () => {
  const [ada, bo] = [await join('Ada'), await join('Bo')];
  const id = await ada.grow(30, 30, CREATURE);
  const seed = { from: 'gallery', index: 5 };
  expect(await ada.ask('graft', { radius: 4, points: [30, 30], seed })).not.toHaveProperty(
    'reason',
  );
  await report(bo, id);
  const actor = server.roomServers.get('garden')!.dispatcher.hostActor;
  await actor.act({ what: 'depart', organism: id, seconds: 1 });
  await ada.until(() => ada.life.some((event) => event.what === 'died' && event.id === id));
  const [{ parts, kind }] = (await host.call('room')).reports;
  expect(parts?.map((part) => [part.kind, part.by?.name])).toEqual([
    [kind, undefined],
    [ada.welcome!.checkpoint.gallery[5].name, 'Ada'],
  ]);
  await host.call('dismissReport', { organism: id });
});

test('a dismissed organism comes back only when somebody else reports it; a removed one is gone', async () => {
  const [ada, bo] = [await join('Ada'), await join('Bo')];
  const id = await ada.plant(30, 30);
  await report(bo, id);
  await host.call('dismissReport', { organism: id });
  expect(await reports()).toEqual([]);
  expect(await host.refusal('dismissReport', { organism: id })).toBe('no-such-organism');
  await report(bo, id);
  expect(await reports()).toEqual([]);
  await report(ada, id);
  expect(await reports()).toEqual([[id, 1]]);
  await host.call('removeOrganism', { organism: id });
  expect(await reports()).toEqual([]);
});

test('a report is refused with a reason: by the muted, and too many', async () => {
  const ada = await join('Ada');
  const id = await ada.plant(30, 30);
  const { id: participant } = ada.welcome!.you;
  await host.call('mute', { participant, muted: true });
  expect(await report(ada, id)).toMatchObject({ reason: 'muted' });
  await host.call('mute', { participant, muted: false });
  const answers: unknown[] = [];
  for (let i = 0; i < 20; i++) answers.push(await report(ada, id));
  expect(answers).toContainEqual(expect.objectContaining({ reason: 'too-fast' }));
  expect(room.size).toBe(1);
});
