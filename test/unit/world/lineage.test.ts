/** What a room remembers of its dead, and the family tree that it tells. */

import type { PlantedSeed } from '../../../server/world/commands.ts';
import { LINEAGE, Lineage } from '../../../server/world/organisms/lineage.ts';
import { lineageTree, rememberedSeed } from '../../../server/world/organisms/lineage-tree.ts';
import type { Organism } from '../../../server/world/organisms/organism.ts';
import { seedTokenOf } from '../../../server/world/species.ts';
import { ANNA, BERT, GROWN, HandRoom, SPECIES } from '../../support/rooms.ts';

const { most, slack, hours } = LINEAGE;

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
  const tick = 2 * hours * 3600;
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
