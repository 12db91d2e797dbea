import { rememberedSeed } from '../../../server/world/organisms/lineage-tree.ts';
import { latentOnMap, seedTokenOf } from '../../../server/world/species.ts';
import { createRandom } from '../../../shared/random.ts';
import { encodeSeed } from '../../../shared/seed-token.ts';
import { expectNear } from '../../support/compare.ts';
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
