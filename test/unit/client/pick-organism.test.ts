import { organismAt } from '../../../client/input/pick-organism.ts';
import { createPlanes, type Planes } from '../../../shared/codec/planes.ts';
import type { OrganismView } from '../../../shared/vocabulary.ts';
import fc from '../../support/property.ts';

const [WIDTH, HEIGHT] = [48, 40];

function organism(id: number, x: number, y: number, stage = 32): OrganismView {
  const planter = { id: 1, name: 'Anna', hue: 10 };
  const story = { origin: 'gallery', kind: '', parents: [], planter, born: 0 } as const;
  const health = { phase: 'asleep', wounds: 0, healed: 0, hurt: false } as const;
  return { id, x, y, side: 32, stage, ...story, ...health };
}

function roomOf(organisms: readonly OrganismView[], held: (x: number, y: number) => number) {
  const planes: Planes = createPlanes(WIDTH, HEIGHT);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) planes.owner[y * WIDTH + x] = held(x, y);
  }
  return { planes, organisms: new Map(organisms.map((each) => [each.id, each])) };
}

/** A ring about (20, 20), cells' middles 2 to 6 away from it. */
const ring = roomOf([organism(1, 20, 20)], (x, y) => {
  const away = Math.hypot(x + 0.5 - 20, y + 0.5 - 20);
  return away > 2 && away < 6 ? 1 : 0;
});

test('a tap into the hole of a creature means the creature', () => {
  expect(ring.planes.owner[20 * WIDTH + 20]).toBe(0);
  expect(organismAt(ring, { x: 20, y: 20 })).toBe(1);
});

test('a tap just beside a creature means it, one farther off means the ground', () => {
  expect(organismAt(ring, { x: 28, y: 20 })).toBe(1);
  expect(organismAt(ring, { x: 30, y: 20 })).toBe(0);
});

test('a seed that holds nothing yet can be tapped', () => {
  const seed = roomOf([organism(1, 20, 20, 2)], () => 0);
  expect(organismAt(seed, { x: 21.5, y: 21.5 })).toBe(1);
  expect(
    organismAt(
      roomOf([organism(1, 20, 20)], () => 0),
      { x: 20, y: 20 },
    ),
  ).toBe(0);
});

test('a cell picks its owner, however near another organism is', () => {
  const place = (size: number) => fc.double({ min: 0, max: size - 0.01, noNaN: true });
  const room = roomOf([organism(1, 12, 20), organism(2, 36, 20)], (x) => (x < 24 ? 1 : 2));
  fc.assert(
    fc.property(place(WIDTH), place(HEIGHT), (x, y) => {
      expect(organismAt(room, { x, y })).toBe(x < 24 ? 1 : 2);
    }),
  );
});

test('between two the nearer one is meant', () => {
  const room = roomOf([organism(1, 8, 20), organism(2, 32, 20)], (x) =>
    x < 20 ? 1 : x >= 24 ? 2 : 0,
  );
  expect(organismAt(room, { x: 21.4, y: 20 })).toBe(1);
  expect(organismAt(room, { x: 22.6, y: 20 })).toBe(2);
});

test('nothing is picked outside the grid, or for a dead organism', () => {
  const room = roomOf([organism(1, 8, 20)], () => 7);
  expect(organismAt(room, { x: 8, y: 20 })).toBe(0);
  for (const [x, y] of [
    [-0.1, 5],
    [5, -0.1],
    [WIDTH, 5],
    [5, HEIGHT],
  ]) {
    expect(organismAt(ring, { x, y })).toBe(0);
  }
});
