import { kinOf } from '../../../client/room/room-model.ts';
import type { OrganismView } from '../../../shared/vocabulary.ts';
import fc, { forAll } from '../../support/property.ts';

/** Organisms by number, each with its parents; some are dead. */
function family(parents: Record<number, readonly number[]>): Map<number, OrganismView> {
  const entries = Object.entries(parents).map(([id, of]) => {
    return [Number(id), { id: Number(id), parents: of } as OrganismView] as const;
  });
  return new Map(entries);
}

const ids = (organisms: readonly (OrganismView | undefined)[]) => organisms.map((one) => one?.id);

test('parents, children, siblings and all that come from one', () => {
  const all = family({ 2: [], 3: [1, 2], 4: [2, 1], 5: [3, 9], 6: [5, 4], 7: [] });
  const of = (id: number) => kinOf(all.get(id)!, all);
  expect(ids(of(3).parents)).toEqual([undefined, 2]);
  expect(ids(of(2).children)).toEqual([3, 4]);
  expect(ids(of(3).siblings)).toEqual([4]);
  expect(of(2).descendants).toBe(4);
  expect(of(3).descendants).toBe(2);
  expect(of(7)).toEqual({ parents: [], children: [], siblings: [], descendants: 0 });
});

test('one that has turned into a child of younger ones, or of its own, is no child of itself', () => {
  const all = family({ 1: [3, 4], 2: [1, 5], 3: [], 4: [], 5: [1, 5] });
  const of = (id: number) => kinOf(all.get(id)!, all);
  expect(ids(of(5).children)).toEqual([2]);
  expect(ids(of(3).children)).toEqual([1]);
  expect(of(3).descendants).toBe(3);
});

test('a child has its parents as parents, and counts among their descendants', () => {
  const families = fc
    .array(fc.tuple(fc.nat(20), fc.nat(20)), { maxLength: 20 })
    .map((pairs) =>
      family(
        Object.fromEntries(
          pairs.map(([a, b], i) => [i + 1, a < i && b < i ? [1 + (a % i), 1 + (b % i)] : []]),
        ),
      ),
    );
  forAll(families, (all) => {
    for (const one of all.values()) {
      const { children, parents, descendants } = kinOf(one, all);
      expect(descendants).toBeGreaterThanOrEqual(children.length);
      for (const child of children) expect(ids(kinOf(child, all).parents)).toContain(one.id);
      for (const parent of parents) {
        expect(kinOf(parent!, all).children).toContain(one);
        expect(kinOf(parent!, all).descendants).toBeGreaterThan(descendants);
      }
    }
  });
});
