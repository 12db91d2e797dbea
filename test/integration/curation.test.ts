/** What a host hides of the gallery is refused by every way, after a restart too; the gardener obeys. */
import type { Event } from '../../shared/protocol/events.ts';
import { encodeSeed } from '../../shared/seed-token.ts';
import { afterSuite, suiteFolder } from '../support/closing.ts';
import { HostClient } from '../support/host-client.ts';
import { startServer, UNLIMITED } from '../support/server.ts';
import { hostOf } from '../support/suite.ts';
import { Visitor } from '../support/visitor.ts';

const settings = {
  ...{ size: '160x96', 'tick-rate': 30, energy: 'off', limits: UNLIMITED },
  ...{ data: suiteFolder(), snapshot: 0.3, attract: 'off' },
} as const;
let server = await startServer(settings);
afterSuite(() => server.close());
const token = server.hostToken!;
let host = await hostOf(server);
let ada = await Visitor.join(server.port, 'garden', 'Ada');
const room = () => server.world.rooms.get('garden')!;
const { species } = room();
const { gallery, side } = species;
const [HIDDEN, SHOWN] = [87, 120];
const gene = (kind: number | undefined, of = kind!) => ({ kind, latent: gallery[of].latent });
const tokenOf = (seed: Parameters<typeof encodeSeed>[0]) => encodeSeed(seed, species);
const places = new Uint8Array(side * side).fill(1, 0, (side * side) / 2);
const chimera = (own: number, other: number) =>
  tokenOf({ ...gene(own), grafts: { genomes: [gene(other)], places } });
const hide = (...hidden: number[]) => host.call('changeSettings', { curation: { hidden } });

test('hidden seeds are refused from gallery, token, hand and programs, as plants, grafts and targets; dice and map are not', async () => {
  const living = await ada.grow(30, 30, { from: 'gallery', index: HIDDEN });
  const other = await ada.grow(80, 30, { from: 'gallery', index: SHOWN });
  const same = await ada.cross(living, other, { mix: 0 });
  const child = await ada.cross(living, other, { mix: 0.5 });
  const { token: keepsake } = (await ada.ask('keep', { organism: living })) as Event<'accepted'>;
  await hide(HIDDEN);
  await ada.until(() => ada.all('settings').at(-1)?.hidden?.[0] === HIDDEN);

  const forged = Float32Array.from(gallery[HIDDEN].latent, (value) => 1.02 * value);
  const ways: Record<string, object> = {
    gallery: { from: 'gallery', index: HIDDEN },
    keepsake: { from: 'token', token: keepsake },
    nameless: { from: 'token', token: tokenOf(gene(undefined, HIDDEN)) },
    misnamed: { from: 'token', token: tokenOf(gene(SHOWN, HIDDEN)) },
    part: { from: 'token', token: chimera(SHOWN, HIDDEN) },
    hand: same,
    program: { from: 'latent', latent: [...forged] },
  };
  const before = JSON.stringify(room().organisms);
  for (const [way, seed] of Object.entries(ways)) {
    for (const [what, more] of [
      ['plant', { x: 120, y: 30 }],
      ['graft', { radius: 3, points: [80, 30] }],
      ['transform', { organism: other }],
      ['preview', {}],
    ] as const) {
      const { reason } = (await ada.ask(what, { ...more, seed })) as Event<'rejected'>;
      expect([way, what, reason]).toEqual([way, what, 'seed-hidden']);
    }
  }
  expect(JSON.stringify(room().organisms)).toBe(before);
  expect(room().viewOf(living)).toBeDefined();

  // The map goes to the hidden creature's own place. Supervillains are nearer than what counts as one.
  const [x, y] = Object.values(species.map![HIDDEN]!);
  const [man, villain] = [352, 353];
  await hide(HIDDEN, villain);
  const others = [
    { from: 'prior', throw: 3 },
    { from: 'map', x, y },
    { from: 'gallery', index: SHOWN },
    { from: 'token', token: chimera(SHOWN, man) },
    child,
  ];
  for (const [i, seed] of others.entries()) {
    const at = { x: 20 + 30 * i, y: 78 };
    expect([seed, await ada.ask('plant', { ...at, seed })]).toEqual([
      seed,
      expect.not.objectContaining({ reason: expect.anything() }),
    ]);
  }
});

test('what no list of creatures is, is refused, and numbers that the gallery lacks do nothing', async () => {
  const lists = [[1, 1], [-1], [1.5], ['1'], [5_000], Array.from({ length: 1_025 }, (_, i) => i)];
  for (const list of lists) {
    expect(await host.refusal('changeSettings', { curation: { first: list } })).toBe('bad-call');
  }
  expect(await host.refusal('changeSettings', { curation: { last: [] } })).toBe('bad-call');
  expect(await host.refusal('gallery', {}, { checkpoint: 'none' })).toBe('no-such-checkpoint');
  const { featured } = await host.call('gallery', {}, { checkpoint: 'organisms' });
  expect(featured).toEqual([...species.featured!]);
  const { curation } = await host.call('changeSettings', { curation: { first: [9, 4, 4_000] } });
  expect(curation).toMatchObject({ hidden: [HIDDEN, 353], first: [9, 4, 4_000] });
});

test('new ground has nothing hidden, and the gardener of a new room plants only what the host chose', async () => {
  const shown = species.featured!.slice(0, 3);
  await hide(...[...gallery.keys()].filter((index) => !shown.includes(index)));
  await host.call('reseed', { organisms: 9 });
  const names = new Set(shown.map((index) => gallery[index].name));
  expect(new Set(room().organisms.map(({ kind }) => kind))).toEqual(names);

  const faces = [167, 168, 170];
  const curation = { hidden: [170], first: [], gardener: faces };
  const attract = { on: true, after: 5, wounds: 'own' } as const;
  await host.call('createRoom', {
    ...{ name: 'faces', width: 256, height: 192, checkpoint: 'organisms' },
    settings: { curation, attract, tickRate: 30 },
  });
  const visitor = await Visitor.join(server.port, 'faces');
  const planted = server.world.rooms.get('faces')!;
  await visitor.until(() => planted.size > 5);
  const kinds = new Set(planted.organisms.map(({ kind }) => kind));
  expect([...kinds].sort()).toEqual([gallery[167].name, gallery[168].name].sort());
  visitor.leave();
});

test('what is hidden is hidden after a restart', async () => {
  await hide(HIDDEN);
  ada.leave();
  await server.close();
  server = await startServer(settings);
  host = await HostClient.login(server.port, token);
  const { rooms } = await host.call('state');
  const { curation } = rooms.find(({ name }) => name === 'garden')!.settings;
  expect(curation).toEqual({ hidden: [HIDDEN], first: [9, 4, 4_000], gardener: [] });
  ada = await Visitor.join(server.port, 'garden', 'Ada');
  const seed = { from: 'gallery', index: HIDDEN };
  expect(await ada.ask('plant', { x: 60, y: 50, seed })).toMatchObject({ reason: 'seed-hidden' });
  await hide();
  expect(await ada.ask('preview', { seed })).not.toHaveProperty('reason');
  ada.leave();
});
