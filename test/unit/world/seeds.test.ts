import { speciesOf } from '../../../server/rooms/loaded-checkpoint.ts';
import { loadCheckpoint } from '../../../server/vnca/checkpoint.ts';
import { bounded, boundsOf, isWithin } from '../../../server/vnca/genome.ts';
import type { PlantedSeed } from '../../../server/world/commands.ts';
import { crossLatents } from '../../../server/world/create-latent.ts';
import { LINEAGE, Lineage } from '../../../server/world/organisms/dead-organisms.ts';
import {
  FAMILY_TREE_HOURS,
  lineageTree,
  rememberedSeed,
} from '../../../server/world/organisms/family-tree.ts';
import { breed, type Candidate, chooseAncestors } from '../../../server/world/organisms/heirs.ts';
import type { Organism } from '../../../server/world/organisms/organism.ts';
import { latentOnMap, seedTokenOf } from '../../../server/world/species.ts';
import { createRandom } from '../../../shared/random.ts';
import { decodeSeed, encodeSeed } from '../../../shared/seed-token.ts';
import { expectNear } from '../../support/compare.ts';
import { CHECKPOINT_FOLDER } from '../../support/organisms.ts';
import fc, { between, forAll } from '../../support/property.ts';
import { ANNA, BERT, GROWN, HandRoom, SPECIES } from '../../support/rooms.ts';

const gallery = [
  { name: 'one', latent: new Float32Array([2, 0]) },
  { name: 'two', latent: new Float32Array([0, 2]) },
  { name: 'three', latent: new Float32Array([-2, 0]) },
];
const map = [
  { x: 0.1, y: 0.1 },
  { x: 0.9, y: 0.1 },
  { x: 0.5, y: 0.9 },
];
const species = { ...SPECIES, gallery, map };
const share = between(0, 1);

/** Plants a seed, and says with which latent. */
function planted(
  hand: HandRoom,
  seed: Parameters<typeof hand.room.previewSeed>[0],
  x = 16,
  by = ANNA,
) {
  hand.room.enqueue(77, { what: 'plant', by, x, y: 12, seed: seed as never });
  const work = hand.room.beginTick();
  hand.room.endTick(
    work.step.map(({ patch }) => {
      const cells = { rgba: new Uint8Array(16).fill(255), presence: new Uint8Array(4).fill(255) };
      return { patch, stage: 2, ...cells, change: 255 };
    }),
  );
  return { latent: work.plant.at(-1)?.latent, events: work.events };
}

describe('seeds', () => {
  test('a preview shows exactly the latent that is planted, and changes nothing', () => {
    const seeds = fc.oneof(
      fc.record({ from: fc.constant('prior' as const), throw: fc.nat(0xffffffff) }),
      fc.record({ from: fc.constant('map' as const), x: share, y: share }),
      fc.record({ from: fc.constant('gallery' as const), index: fc.nat(2) }),
    );
    forAll(seeds, (seed) => {
      const hand = new HandRoom({ species });
      const before = hand.room.export();
      const seen = hand.room.previewSeed(seed, ANNA.id).latent;
      expect(hand.room.export()).toEqual(before);
      const { latent } = planted(hand, seed);
      // The journal knows no −0.
      expect([...latent!].map((value) => value + 0)).toEqual([...seen].map((value) => value + 0));
    });
  });

  test('a thrown seed draws no random numbers of the room', () => {
    const [a, b] = [new HandRoom(), new HandRoom()];
    planted(a, { from: 'prior', throw: 5 });
    expect(a.room.export().random).toEqual(b.room.export().random);
    planted(b, { from: 'prior' });
    expect(b.room.export().random).not.toEqual(a.room.export().random);
    expect(() => a.room.previewSeed({ from: 'prior' }, ANNA.id).latent).toThrow('no-such-seed');
  });

  /** Creatures around (5, −3), 3 and 1 wide, and things elsewhere. */
  const creatures = Array.from({ length: 400 }, (_, i) => {
    const [a, b] = createRandom(i).latent(2);
    return { name: `${i}`, kind: 'animal', latent: new Float32Array([5 + 3 * a, -3 + a + b]) };
  });
  const thing = { name: 'thing', kind: 'thing', latent: new Float32Array([-900, 900]) };
  const sampled = { ...SPECIES, sampler: 2 as const, gallery: [...creatures, thing] };

  test('a card’s sampler throws what lies among its creatures, a little closer together', () => {
    const { room } = new HandRoom({
      species: { ...sampled, latentBounds: { norm: 100, value: 100 } },
    });
    const thrown = Array.from(
      { length: 4000 },
      (_, i) => room.previewSeed({ from: 'prior', throw: i }, ANNA.id).latent,
    );
    const mean = (of: (latent: Float32Array) => number) =>
      thrown.reduce((sum, latent) => sum + of(latent), 0) / thrown.length;
    const [x, y] = [mean(([a]) => a), mean(([, b]) => b)];
    expectNear([x, y], [5, -3], 0.5);
    const spread = [mean(([a]) => (a - x) ** 2), mean(([a, b]) => (a - x) * (b - y))];
    // 9 and 3 among the creatures.
    expect(spread[0]).toBeGreaterThan(5);
    expect(spread[0]).toBeLessThan(8);
    expect(spread[1] / spread[0]).toBeCloseTo(1 / 3, 1);
  });

  test('TIM-7, GRO-4: the journal stores the latent of a throw; without a number, the room keeps what it draws with', () => {
    const hand = new HandRoom({ species: sampled });
    const { events, latent } = planted(hand, { from: 'prior', throw: 5 });
    expect(Math.hypot(...latent!)).toBeLessThanOrEqual(SPECIES.latentBounds.norm + 1e-5);
    const plain = new HandRoom({ species: { ...sampled, sampler: undefined } });
    plain.room.redo(events);
    expect(plain.room.beginTick().plant[0].latent).toEqual(latent);
    expect(hand.room.organisms[0].origin).toBe('prior');

    const [drawn, normal] = [hand, new HandRoom({ species: SPECIES })].map((one) => [
      planted(one, { from: 'prior' }, 24).latent,
      one.room.export().random,
    ]);
    expect(drawn[0]).not.toEqual(normal[0]);
    expect(drawn[1]).toEqual(normal[1]);
    const { sampler, ...earlier } = new HandRoom({ species: sampled }).room.export();
    expect(sampler).toBe(2);
    const old = new HandRoom({ species: sampled, from: earlier });
    expect(planted(old, { from: 'prior' }, 24).latent).toEqual(normal[0]);
    old.room.updateRules();
    old.tick();
    expect(old.room.export().sampler).toBe(2);
  });

  test('the journal stores the latent of a map point, so the map may change', () => {
    const hand = new HandRoom({ species });
    const { events, latent } = planted(hand, { from: 'map', x: 0.4, y: 0.3 });
    const redone = new HandRoom({ species: { ...species, map: [...map].reverse() } });
    redone.room.redo(events);
    expect(redone.room.beginTick().plant[0].latent).toEqual(latent);
    expect(hand.room.organisms[0].origin).toBe('map');
  });

  test('without a map, map seeds are refused', () => {
    const { room } = new HandRoom();
    const seed = { from: 'map', x: 0.5, y: 0.5 } as const;
    expect(() => room.previewSeed(seed, 1).latent).toThrow('no-such-seed');
    expect(() => room.enqueue(1, { what: 'plant', by: ANNA, x: 9, y: 9, seed })).toThrow(
      'no-such-seed',
    );
  });

  test('a seed from a drawing is held only by who drew it', () => {
    const { room } = new HandRoom();
    room.enqueue(4, { what: 'hold', by: ANNA, latent: [0.5, -1], origin: 'drawing' });
    room.enqueue(5, { what: 'hold', by: ANNA, latent: [0.5], origin: 'drawing' });
    room.beginTick();
    const { answers } = room.endTick([]);
    const seed = { id: 1, origin: 'drawing', parents: [] };
    expect(answers[0]).toMatchObject({ id: 4, seed });
    expect(answers[1].refused?.reason).toBe('bad-latent');
    expect(room.seedsOf(ANNA.id)).toMatchObject([seed!]);
    expect(room.seedsOf(BERT.id)).toEqual([]);
    expect(() => room.previewSeed({ from: 'hand', seed: 1 }, BERT.id).latent).toThrow(
      'no-such-seed',
    );
    expect([...room.previewSeed({ from: 'hand', seed: 1 }, ANNA.id).latent]).toEqual([0.5, -1]);
  });

  test("mutation draws from the room's random numbers, so a replay repeats it", () => {
    const child = (mutation: number | undefined, seed = 1): number[] => {
      const hand = new HandRoom({ seed, species });
      hand.plant(8, 12);
      hand.plant(24, 12);
      hand.ticks(GROWN);
      const wish = { what: 'cross', by: ANNA, a: 1, b: 2, mix: 0.5 } as const;
      hand.act({ ...wish, ...(mutation !== undefined && { mutation }) });
      return [...hand.room.previewSeed({ from: 'hand', seed: 1 }, ANNA.id).latent];
    };
    expect(child(0)).toEqual(child(undefined));
    expect(child(0.5)).toEqual(child(0.5));
    expect(child(0.5)).not.toEqual(child(0));
    expect(child(0.5)).not.toEqual(child(0.5, 2));
    expect(Math.hypot(...child(1))).toBeCloseTo(2, 4);
  });
});

test('the keepsake of a child of two, or of chance, grows a child of two or of chance', () => {
  const hand = new HandRoom({ species, width: 64 });
  for (const [i, origin] of (['cross', 'prior'] as const).entries()) {
    const token = encodeSeed(
      { kind: undefined, latent: new Float32Array([1, 1]), origin },
      SPECIES,
    );
    planted(hand, { from: 'token', token }, 16 + 24 * i);
    expect(hand.room.viewOf(i + 1)).toMatchObject({ origin, kind: '', parents: [] });
    expect(hand.room.tokenOf(i + 1)).toBe(token);
    expect(seedTokenOf(SPECIES, rememberedSeed(hand.room, i + 1)!)).toBe(token);
  }
});

describe('the latent map', () => {
  test('on a creature grows that creature, around it nearly so', () => {
    gallery.forEach(({ latent }, i) => {
      expect(latentOnMap(species, map[i])).toEqual(latent);
      const near = latentOnMap(species, { x: map[i].x + 1e-3, y: map[i].y })!;
      expectNear(near, latent, 0.005);
    });
  });

  test('between creatures nothing is smaller than they are', () => {
    forAll(share, share, (x, y) => {
      const latent = latentOnMap(species, { x, y })!;
      expect(Math.hypot(...latent)).toBeCloseTo(2, 3);
    });
  });
});

const length = (v: Float32Array) => Math.hypot(...v);

test('at either end the child is that parent, and in between as far from the centre', () => {
  forAll(fc.nat(), between(0, 1), (seed, mix) => {
    const random = createRandom(seed);
    const [a, b] = [random.latent(48), random.latent(48)];
    const child = crossLatents(a, b, mix);
    const wanted = (1 - mix) * length(a) + mix * length(b);
    expect(Math.abs(length(child) - wanted)).toBeLessThan(1e-4);
    for (const [end, parent] of [
      [0, a],
      [1, b],
    ] as const) {
      const same = crossLatents(a, b, end);
      expect(same.every((x, i) => Math.abs(x - parent[i]) < 1e-6)).toBe(true);
    }
  });
});

test('parents without a unique arc between them still have a child', () => {
  const a = new Float32Array([1, 2, 3]);
  const zero = new Float32Array(3);
  for (const [one, other] of [
    [a, a],
    [a, a.map((x) => -x)],
    [a, zero],
    [zero, zero],
  ]) {
    expect(crossLatents(one, other, 0.5).every(Number.isFinite)).toBe(true);
  }
});

/** Whom a day is bred from, and the heirs that the next one begins with. */

const bounds = { norm: 2, value: 2 };

/** Of a kind of its own, planted at tick 0, unless said otherwise. */
const one = (id: number, facts: Partial<Candidate> = {}): Candidate => ({
  ...{ id, kind: `kind ${id}`, origin: 'gallery', born: 0, healed: 0, children: 0 },
  latent: new Float32Array([Math.cos(id), Math.sin(id)]),
  ...facts,
});
const idsOf = (chosen: readonly Candidate[]): number[] => chosen.map(({ id }) => id);

test('GEN-2: wounds survived, age and children count alike, ids decide between equals, and six are chosen', () => {
  const candidates = [
    one(1, { born: 90 }),
    one(2, { born: 50, healed: 4 }),
    one(3, { born: 50, children: 3 }),
    one(4),
    one(5, { healed: 2, children: 3 }),
    ...[9, 8, 7].map((id) => one(id, { born: 80 })),
  ];
  expect(idsOf(chooseAncestors(candidates, 100))).toEqual([5, 2, 3, 4, 7, 8]);
  expect(idsOf(chooseAncestors(candidates.toReversed(), 100))).toEqual([5, 2, 3, 4, 7, 8]);
  expect(chooseAncestors([], 100)).toEqual([]);
});

test('GEN-2: no two are of one kind while others are left, and each of the nameless is its own', () => {
  const foxes = [1, 2, 3].map((id) => one(id, { kind: 'fox', healed: 10 }));
  const others = [one(4, { kind: 'cow' }), one(5, { kind: '' }), one(6, { kind: '' })];
  expect(idsOf(chooseAncestors([...foxes, ...others], 100))).toEqual([1, 4, 5, 6, 2, 3]);
});

test('GEN-3: each heir is a cross of two, all are different, and they are the same each time', () => {
  const pair = [one(1), one(2)];
  const heirs = breed(pair, bounds);
  expect(heirs).toMatchObject([
    { from: 'heir', origin: 'cross', kind: '', parents: [1, 2] },
    { from: 'heir', origin: 'cross', kind: '', parents: [2, 1] },
  ]);
  expect(heirs[0].latent).not.toEqual(heirs[1].latent);
  for (const { latent } of heirs) expect(Math.hypot(...latent)).toBeCloseTo(1, 5);
  expect(breed(pair, bounds)).toEqual(heirs);
  const six = [1, 2, 3, 4, 5, 6].map((id) => one(id));
  expect(new Set(breed(six, bounds).map(({ latent }) => latent.join())).size).toBe(6);
});

test('GEN-3: one that is alone, or whose cross is out of bounds, comes again as itself', () => {
  const fox = one(1, { kind: 'fox' });
  const again = { latent: [...fox.latent], origin: 'gallery', kind: 'fox', parents: [1] };
  expect(breed([fox], bounds)).toEqual([{ from: 'heir', ...again }]);
  const far = one(2, { latent: new Float32Array([8, 0]) });
  expect(breed([fox, far], bounds)[0]).toEqual({ from: 'heir', ...again });
});

test('GEN-3: an heir lives with the parents, kind and latent that its seed says', () => {
  const hand = new HandRoom();
  const parents = [70, 71];
  const seed = {
    from: 'heir',
    latent: [0.5, 0.25],
    origin: 'gallery',
    kind: 'one',
    parents,
  } as const;
  hand.plant(10, 10, undefined, seed);
  hand.tick();
  const [heir] = hand.room.organisms;
  expect(heir).toMatchObject({ kind: 'one', origin: 'gallery', parents });
  const latent = hand.room.previewSeed({ from: 'organism', organism: heir.id }, 0).latent;
  expect([...latent]).toEqual(seed.latent);
  expect(SPECIES.gallery[0].latent).not.toEqual(latent);
});

/** What a room remembers of its dead, and the family tree that it tells. */

const { most, slack } = LINEAGE;

const organism = (id: number, parents: number[] = []): Organism =>
  ({
    ...{ id, parents, kind: 'one', origin: 'gallery', planter: ANNA, born: id },
    ...{ wounds: 0, healed: 0, latent: new Float32Array(2) },
  }) as unknown as Organism;

test('GEN-1: of ten thousand dead, a room remembers the ancestors of the living and the latest, and says how many others there were', () => {
  const lineage = new Lineage(SPECIES);
  const living = [organism(20_000, [9_000, 3])];
  for (let id = 1; id <= 10_000; id++) {
    // The third is a child of the first two.
    lineage.add(organism(id, id === 3 ? [1, 2] : []), 'departed', id);
    lineage.prune(living);
  }
  const { ended, forgotten } = lineage.state;
  expect(ended.length).toBeLessThanOrEqual(most + slack);
  expect(ended.length + forgotten).toBe(10_000);
  const ids = ended.map(({ id }) => id);
  expect(ids.slice(0, 3)).toEqual([1, 2, 3]);
  expect(ids).toContain(9_000);
  expect(ids.at(-1)).toBe(10_000);
  expect(ids).toEqual(ids.toSorted((a, b) => a - b));
  const again = new Lineage(SPECIES);
  again.restore(lineage.export());
  expect(again.state).toEqual(lineage.state);
});

test('GEN-1: the tree shows who lived within a day, and the ancestors of these', () => {
  const tickRate = 1;
  const tick = 2 * FAMILY_TREE_HOURS * 3600;
  const dead = (id: number, died: number, parents: number[] = []) => ({
    ...{ id, parents, kind: '', origin: 'cross' as const, planter: ANNA, born: 0, died },
    ...{ cause: 'killed' as const, wounds: 1, healed: 0, latent: new Float32Array(2) },
  });
  const ended = [dead(1, 5), dead(2, 6), dead(3, tick - 9, [1, 99])];
  const room = { organisms: [], tick, lineage: { ended, forgotten: 7 } };
  const tree = lineageTree(room, tickRate);
  expect(tree).toMatchObject({ forgotten: 7, tick, tickRate });
  expect(tree.organisms.map(({ id, died }) => [id, died])).toEqual([
    [1, 5],
    [3, tick - 9],
  ]);
  expect(tree.organisms[0]).not.toHaveProperty('latent');
});

test('GEN-1: what was refused because memory ran out has never lived', () => {
  const here = new HandRoom();
  here.plant(8, 8);
  here.room.beginTick();
  expect(here.room.refusePending()).toBe(true);
  here.room.endTick([]);
  expect(lineageTree(here.room, 15).organisms).toEqual([]);
});

test('GEN-1, TRF-6: what an organism has been is remembered of the living and the dead', () => {
  const here = new HandRoom({
    species: { ...SPECIES, hasStandingInput: true },
    life: { birth: 1, healing: 1, expressing: 1 },
  });
  for (const x of [8, 24]) here.plant(x, 8);
  here.ticks(GROWN);
  const seed = { from: 'heir', latent: [0, 1], origin: 'cross', kind: '', parents: [] } as const;
  here.act({ what: 'transform', by: ANNA, organism: 1, seed });
  const was = () => lineageTree(here.room, 15).organisms.map((one) => one.was);
  expect(was()).toEqual([['one'], undefined]);
  here.act({ what: 'remove', by: ANNA, organism: 1 });
  expect(here.room.lineage.ended).toHaveLength(1);
  expect(was()).toEqual([['one'], undefined]);
});

test('GEN-1: who has grafted which creature, and how that looks, is remembered of the living and the dead', () => {
  const here = new HandRoom({
    species: { ...SPECIES, hasStandingInput: true },
    life: { birth: 1, healing: 1, expressing: 1 },
  });
  here.plant(8, 8);
  here.ticks(GROWN);
  const seed: PlantedSeed = { from: 'latent', latent: [0, 1] };
  here.act({ what: 'graft', by: BERT, points: [5, 8], radius: 2, seed, others: true });
  const parts = () => lineageTree(here.room, 15).organisms[0].parts;
  const token = here.room.tokenOf(1);
  const grafted = [
    { kind: 'one', origin: 'gallery', share: expect.any(Number) },
    { kind: '', origin: 'latent', share: expect.any(Number), by: BERT },
  ];
  expect(parts()).toEqual(grafted);
  const remembered = () => rememberedSeed(here.room, 1)!;
  expect(seedTokenOf(here.room.species, remembered())).toBe(token);
  const alive = here.room.export();
  here.damage([4, 8, 12, 8], 8);
  here.ticks(2);
  expect(here.room.lineage.ended).toMatchObject([{ cause: 'killed', token }]);
  expect(parts()).toEqual(grafted);
  expect(lineageTree(here.room, 15).organisms[0]).not.toHaveProperty('token');
  expect(seedTokenOf(here.room.species, remembered())).toBe(token);
  // What the host removes may be unfit to be seen: of it only the gallery's creature is shown.
  const other = new HandRoom({ from: alive });
  other.act({ what: 'remove', by: ANNA, organism: 1 });
  expect(other.room.lineage.ended).toMatchObject([{ cause: 'removed', parts: grafted }]);
  expect(rememberedSeed(other.room, 1)?.grafts).toBeUndefined();
});

/** Only latents that the checkpoint was made for are planted. */

describe('latent bounds', () => {
  /** [1, 0] times a hundred: within what the protocol takes, far beyond the bounds of `SPECIES`. */
  const FAR = new Float32Array([100, 0]);
  const farSeed = () => ({ from: 'latent' as const, latent: [...FAR] });
  const length = (latent: Iterable<number>): number => Math.hypot(...latent);

  const plantSeed = (hand: HandRoom, seed: object): void =>
    hand.room.enqueue(1, { what: 'plant', by: ANNA, x: 8, y: 8, seed: seed as never });

  /** Replays a journal that planted `FAR`. */
  function replant(hand: HandRoom, x: number): void {
    const command = { what: 'plant', by: ANNA, x, y: 8, seed: farSeed() } as const;
    hand.room.redo([{ what: 'command', id: 1, command }]);
  }

  test('GRO-4: latents beyond the bounds are refused at once, with how far out they are', () => {
    const hand = new HandRoom();
    const seed = farSeed();
    const reason =
      'bad-latent: the numbers of the seed (its latent) are too large: allowed are a Euclidean length of at most 5.0 (it is 100.0) and absolute values of at most 4.0';
    expect(() => plantSeed(hand, seed)).toThrow(reason);
    expect(() => hand.room.previewSeed(seed, ANNA.id).latent).toThrow(reason);
    for (const latent of [[1], [1, 2, 3], [1, Number.NaN]]) {
      const wrong = `bad-latent: length ${latent.length}`;
      expect(() => plantSeed(hand, { from: 'latent', latent })).toThrow(wrong);
    }
    expect(hand.room.beginTick().events).toEqual([]);
  });

  test('GRO-4: a token from beyond the bounds grows the nearest latent within them, and so does a drawing', () => {
    const hand = new HandRoom();
    const token = encodeSeed({ kind: undefined, latent: FAR }, SPECIES);
    plantSeed(hand, { from: 'token', token });
    const { events, plant } = hand.room.beginTick();
    expect(length(plant[0].latent)).toBeCloseTo(4, 1);
    // The journal holds what was planted, so a replay needs no bounds.
    expect(JSON.stringify(events)).not.toContain(token);
    expect(length(hand.room.previewSeed({ from: 'token', token }, ANNA.id).latent)).toBeCloseTo(4);
    const other = new HandRoom();
    other.act({ what: 'hold', by: ANNA, latent: [...FAR], origin: 'drawing' });
    expect([...other.room.previewSeed({ from: 'hand', seed: 1 }, ANNA.id).latent]).toEqual([4, 0]);
  });

  test('GRO-4: tokens refer to the weights, whatever their checkpoint is called in the engine', () => {
    const hand = new HandRoom({ species: { ...SPECIES, checkpoint: 'hand-1a2b3c4d' } });
    const token = encodeSeed({ kind: undefined, latent: FAR }, SPECIES);
    plantSeed(hand, { from: 'token', token });
    hand.ticks(GROWN);
    const kept = decodeSeed(hand.room.tokenOf(1), SPECIES)!;
    expect(length(kept.latent)).toBeCloseTo(4, 1);
    expect(
      hand.room.previewSeed({ from: 'token', token: hand.room.tokenOf(1) }, ANNA.id).latent,
    ).toEqual(kept.latent);
  });

  test('GRO-4: a journal replays what was planted, whatever the bounds are now; it has no children, copies or previews', () => {
    const hand = new HandRoom();
    for (const x of [8, 20]) replant(hand, x);
    hand.ticks(GROWN);
    expect(hand.room.export().organisms).toMatchObject([{ latent: FAR }, { latent: FAR }]);
    expect(() => hand.room.enqueue(3, { what: 'cross', by: ANNA, a: 1, b: 2, mix: 0.5 })).toThrow(
      'bad-latent',
    );
    expect(() => hand.room.previewSeed({ from: 'organism', organism: 1 }, ANNA.id).latent).toThrow(
      'bad-latent',
    );
  });

  describe('the shipped checkpoint', () => {
    let species: ReturnType<typeof speciesOf>;
    beforeAll(async () => {
      species = speciesOf(await loadCheckpoint(CHECKPOINT_FOLDER));
    });

    test('keepsakes of its gallery, of the dice and of their crosses are planted as they are', () => {
      const { latentSize, gallery } = species;
      const dice = Array.from({ length: 2_000 }, (_, i) => createRandom(i).latent(latentSize));
      const { room } = new HandRoom({ species, width: 64, height: 64 });
      for (const latent of [...gallery.map((entry) => entry.latent), ...dice]) {
        const token = encodeSeed({ kind: undefined, latent }, species);
        const planted = room.previewSeed({ from: 'token', token }, ANNA.id).latent;
        expect(planted).toEqual(decodeSeed(token, species)!.latent);
      }
    });
  });

  test('what is brought within bounds is within them, whatever is rounded on the way', () => {
    const bounds = boundsOf([], 96);
    for (let i = 0; i < 500; i++) {
      const far = createRandom(i)
        .latent(96)
        .map((number) => 3 * number);
      expect(isWithin(far, bounds)).toBe(false);
      expect(isWithin(bounded(far, bounds), bounds)).toBe(true);
    }
  });
});
