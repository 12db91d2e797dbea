/** Grafts over real sockets: two who paint on one organism, what is refused, and what a host can do. */
import { MAX_GENOMES_ASKED } from '../../shared/limits.ts';
import type { Event } from '../../shared/protocol/events.ts';
import { unpackGenomes } from '../../shared/protocol/genomes.ts';
import type { OrganismView } from '../../shared/vocabulary.ts';
import { suiteFolder } from '../support/closing.ts';
import { hostOf, suiteServer } from '../support/suite.ts';
import type { Visitor } from '../support/visitor.ts';

const { server, room, join } = await suiteServer({
  ...{ size: '256x128', 'tick-rate': 60, energy: 'off' },
  ...{ data: suiteFolder(), snapshot: 0.2 },
});
const host = await hostOf(server);
const { gallery } = room.species;

/** Where organisms do not touch, one for each test. */
const places = [30, 80, 130, 180, 230].flatMap((x) => [30, 90].map((y) => [x, y] as const));
const nextPlace = () => places.shift()!;

const seedOf = (index: number) => ({ from: 'gallery', index }) as const;
const graft = (visitor: Visitor, points: readonly number[], index = 1, radius = 4) =>
  visitor.ask('graft', { radius, points, seed: seedOf(index) });

/** The kind and painter of each part of an organism: its own first, then by kind. */
const partsOf = ({ parts: [own, ...others] = [] as never }: Pick<OrganismView, 'parts'>) => {
  const named = others.map(({ kind, by }) => [kind, by?.name]);
  return own ? [[own.kind, own.by?.name], ...named.toSorted()] : [];
};
const known = (id: number) => partsOf(room.viewOf(id)!);
const grafts = ({ life }: Visitor, of: number) =>
  life.filter((event) => event.what === 'grafted').filter(({ id }) => id === of);
/** Waits until a visitor has been told of an organism's parts as they are. */
const learns = async (visitor: Visitor, id: number) => {
  const parts = JSON.stringify(known(id));
  await visitor.until(() => JSON.stringify(partsOf(grafts(visitor, id).at(-1) ?? {})) === parts);
};
const rests = async (visitor: Visitor) => {
  await visitor.until(() => room.awake === 0);
  await visitor.sees(room.grid.planes);
};
const [HOT_DOG, TACO, BURRITO] = gallery.map(({ name }) => name);

test('GRA-4, GRA-6, GRA-9: two paint on one organism at the same time, and see the same; each takes back', async () => {
  const [ada, bo] = [await join('Ada'), await join('Bo')];
  const [x, y] = nextPlace();
  const id = await ada.grow(x, y, seedOf(0));
  expect(await graft(bo, [x, y])).toMatchObject({ reason: 'not-yours' });
  expect(await bo.ask('ungraft', { organism: id, foreign: true })).toMatchObject({
    reason: 'not-yours',
  });
  await host.call('changeSettings', { graftOthers: true });
  await bo.until(() => bo.all('settings').at(-1)?.graftOthers === true);

  const answers = await Promise.all([
    graft(ada, [x - 8, y - 6, x - 8, y + 6], 1),
    graft(bo, [x + 8, y - 6, x + 8, y + 6], 2),
  ]);
  for (const answer of answers) expect(answer).not.toHaveProperty('reason');
  const both = [
    [HOT_DOG, undefined],
    [BURRITO, 'Bo'],
    [TACO, 'Ada'],
  ];
  expect(known(id)).toEqual(both);
  for (const visitor of [ada, bo]) {
    await learns(visitor, id);
    await rests(visitor);
    expect(JSON.stringify(visitor.life)).not.toMatch(/latent|labels|places/);
  }
  const late = await join('Eve');
  const seen = late.welcome!.organisms.find((one) => one.id === id)!;
  expect(partsOf(seen)).toEqual(known(id));
  await late.sees(room.grid.planes);

  // The planter is told of Bo's graft, and nobody is told of their own.
  const told = (await ada.next(({ name }) => name === 'affected')) as Event<'affected'>;
  expect(told.organisms).toMatchObject([
    { id, kind: HOT_DOG, how: 'grafted', into: BURRITO, by: { name: 'Bo' }, others: 0 },
  ]);
  expect(bo.all('affected')).toEqual([]);

  expect(await bo.ask('ungraft', { organism: id })).not.toHaveProperty('reason');
  expect(known(id)).toEqual([both[0], both[2]]);
  expect(await bo.ask('ungraft', { organism: id })).toMatchObject({ reason: 'no-graft' });
  await graft(bo, [x + 8, y], 2);
  expect(await ada.ask('ungraft', { organism: id, foreign: true })).not.toHaveProperty('reason');
  expect(known(id)).toEqual([both[0], both[2]]);
  for (const visitor of [ada, bo]) await learns(visitor, id);
  await host.call('changeSettings', { graftOthers: false });
});

test('pages that paint get the genomes of living organisms, of chimeras with their places, and walls too', async () => {
  const [ada, wall] = [await join('Ada'), await join(undefined, { as: 'wall' })];
  const [[x, y], [u, v]] = [nextPlace(), nextPlace()];
  const plain = await ada.grow(x, y, seedOf(0));
  const chimera = await ada.grow(u, v, seedOf(0));
  await graft(ada, [u - 8, v], 1);
  for (const page of [ada, wall]) {
    page.send('genomes', { organisms: [plain, 9_999, chimera] });
    await page.until(() => page.all('genomes').length > 0);
    const [{ genomes }] = page.all('genomes');
    expect(genomes.map(({ id }) => id)).toEqual([plain, chimera]);
    const [own, both] = genomes.map(unpackGenomes);
    expect([own.latents.length, own.labels, both.latents.length]).toEqual([1, undefined, 2]);
    const expected = [gallery[0].latent, gallery[0].latent, gallery[1].latent];
    for (const [i, latent] of [...own.latents, ...both.latents].entries()) {
      expect(latent.every((value, z) => Math.abs(value - expected[i][z]) < 0.01)).toBe(true);
    }
    const { labels } = room.genomesOf(chimera)!;
    expect(labels?.includes(1)).toBe(true);
    expect([...both.labels!]).toEqual([...labels!]);
  }
  const many = Array.from({ length: MAX_GENOMES_ASKED + 1 }, (_, i) => i + 1);
  for (const organisms of [many, [0], ['1'], undefined]) {
    ada.send('genomes', { organisms } as never);
    expect(await ada.next(({ name }) => name === 'rejected')).toMatchObject({
      reason: 'bad-message',
    });
  }
  expect(ada.all('genomes')).toHaveLength(1);
});

test('GRA-6, GRA-9: a host hides the name of a painter by a mute, removes all their grafts, and undoes that', async () => {
  const [ada, moe] = [await join('Ada'), await join('Moe')];
  const [x, y] = nextPlace();
  const id = await ada.grow(x, y, seedOf(0));
  await host.call('changeSettings', { graftOthers: true });
  await graft(ada, [x - 8, y], 1);
  await graft(moe, [x + 8, y], 2);
  const participant = moe.welcome!.you.id;
  const grafted = async () =>
    (await host.call('room')).visitors.find((one) => one.id === participant)?.grafted;
  expect(await grafted()).toBe(1);
  const all = [
    [HOT_DOG, undefined],
    [BURRITO, 'Moe'],
    [TACO, 'Ada'],
  ];
  await host.call('mute', { participant, muted: true });
  expect(await graft(moe, [x, y])).toMatchObject({ reason: 'muted' });
  expect(await moe.ask('ungraft', { organism: id })).toMatchObject({ reason: 'muted' });
  const late = await join('Eve');
  const seen = partsOf(late.welcome!.organisms.find((one) => one.id === id)!);
  expect(seen).toEqual([all[0], [BURRITO, ''], all[2]]);
  await graft(ada, [x - 8, y + 4], 1);
  await late.until(() => grafts(late, id).length > 0);
  expect(JSON.stringify(grafts(late, id))).toContain('"name":"Ada"');
  expect(JSON.stringify([late.welcome, late.life, late.all('people')])).not.toContain('"Moe"');
  await host.call('mute', { participant, muted: false });

  const { removed, command } = await host.call('removeGrafts', { participant });
  expect(removed).toBe(1);
  expect(known(id)).toEqual([all[0], all[2]]);
  expect(await grafted()).toBe(0);
  await host.call('undoCommand', command);
  expect(known(id)).toEqual(all);
  for (const count of [1, 0]) {
    expect((await host.call('removeGrafts', { participant })).removed).toBe(count);
  }
  await host.call('changeSettings', { graftOthers: false });
});

test('TIM-7: an undo takes back the grafts of one among later ones of others, and counts a stroke once', async () => {
  const [ada, bo] = [await join('Ada'), await join('Bo')];
  const [x, y] = nextPlace();
  const id = await ada.grow(x, y, seedOf(0));
  await host.call('changeSettings', { graftOthers: true });
  await graft(ada, [x - 8, y], 1);
  // One stroke in two messages, over what Ada has painted.
  await graft(bo, [x - 8, y, x, y], 2);
  await graft(bo, [x, y, x + 8, y], 2);
  await graft(ada, [x, y + 8], 3);
  await rests(ada);
  expect(known(id)).toContainEqual([BURRITO, 'Bo']);
  const { undone } = await host.call('undo', { seconds: 600, participant: bo.welcome!.you.id });
  expect(undone).toBe(1);
  expect(known(id)).toEqual([
    [HOT_DOG, undefined],
    [gallery[3].name, 'Ada'],
    [TACO, 'Ada'],
  ]);
  for (const visitor of [ada, bo]) {
    await visitor.until(() => visitor.all('welcome').length === 2);
    const shown = visitor.welcome!.organisms.find((one) => one.id === id)!;
    expect(partsOf(shown)).toEqual(known(id));
    await rests(visitor);
  }
  await host.call('changeSettings', { graftOthers: false });
  const { days } = await host.call('statistics');
  expect(days[0].grafts).toBeGreaterThan(5);
});
