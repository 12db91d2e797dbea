/** Whom a day is bred from, and the heirs that the next one begins with. */
import {
  breed,
  type Candidate,
  chooseAncestors,
} from '../../../server/world/organisms/lineage-tree.ts';
import { HandRoom, SPECIES } from '../../support/rooms.ts';

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
