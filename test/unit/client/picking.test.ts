import { freePlace, organismAt } from '../../../client/input/picking.ts';
import { createPlanes, type Planes } from '../../../shared/codec/chunks.ts';
import { createRandom } from '../../../shared/random.ts';
import type { OrganismView } from '../../../shared/vocabulary.ts';
import { organismView } from '../../support/fake-server.ts';
import fc, { between, forAll } from '../../support/property.ts';

const [WIDTH, HEIGHT] = [48, 40];

const organism = (id: number, x: number, y: number, stage = 32): OrganismView =>
  organismView(id, { x, y, stage });

function roomOf(organisms: readonly OrganismView[], held: (x: number, y: number) => number) {
  const planes: Planes = createPlanes(WIDTH, HEIGHT);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) planes.owner[y * WIDTH + x] = held(x, y);
  }
  return { planes, organisms: new Map(organisms.map((each) => [each.id, each])) };
}

/** A ring around (20, 20), 2 to 6 cells from it. */
const ring = roomOf([organism(1, 20, 20)], (x, y) => {
  const away = Math.hypot(x + 0.5 - 20, y + 0.5 - 20);
  return away > 2 && away < 6 ? 1 : 0;
});

test('a tap in the hole of an organism, or just beside it, selects it; one farther away selects nothing', () => {
  expect(ring.planes.owner[20 * WIDTH + 20]).toBe(0);
  expect([20, 28, 30].map((x) => organismAt(ring, { x, y: 20 }))).toEqual([1, 1, 0]);
});

test('a seed that has no cells yet can be tapped', () => {
  const seed = roomOf([organism(1, 20, 20, 2)], () => 0);
  expect(organismAt(seed, { x: 21.5, y: 21.5 })).toBe(1);
  const grown = roomOf([organism(1, 20, 20)], () => 0);
  expect(organismAt(grown, { x: 20, y: 20 })).toBe(0);
});

test('a cell picks its owner, however near another organism is', () => {
  const place = (size: number) => between(0, size - 0.01);
  const room = roomOf([organism(1, 12, 20), organism(2, 36, 20)], (x) => (x < 24 ? 1 : 2));
  forAll(place(WIDTH), place(HEIGHT), (x, y) => {
    expect(organismAt(room, { x, y })).toBe(x < 24 ? 1 : 2);
  });
});

test('between two organisms the nearer one is selected', () => {
  const room = roomOf([organism(1, 8, 20), organism(2, 32, 20)], (x) =>
    x < 20 ? 1 : x >= 24 ? 2 : 0,
  );
  expect(organismAt(room, { x: 21.4, y: 20 })).toBe(1);
  expect(organismAt(room, { x: 22.6, y: 20 })).toBe(2);
});

test('nothing is picked outside the grid, or for a dead organism', () => {
  const room = roomOf([organism(1, 8, 20)], () => 7);
  expect(organismAt(room, { x: 8, y: 20 })).toBe(0);
  for (const x of [-0.1, WIDTH]) expect(organismAt(ring, { x, y: 5 })).toBe(0);
  for (const y of [-0.1, HEIGHT]) expect(organismAt(ring, { x: 5, y })).toBe(0);
});

const GRID = { width: 336, height: 192 };
const SIDE = 32;

const centre = fc.record({
  x: fc.integer({ min: 16, max: GRID.width - 16 }),
  y: fc.integer({ min: 16, max: GRID.height - 16 }),
});
const distance = (a: { x: number; y: number }, b: { x: number; y: number }): number =>
  Math.max(Math.abs(a.x - b.x), Math.abs(a.y - b.y));

test('an empty room opens in its middle', () => {
  expect(freePlace(GRID, SIDE, [], Math.random)).toEqual({ x: 168, y: 96 });
});

test('the place is on the grid, free, and has a neighbour within two sides', () => {
  forAll(fc.array(centre, { minLength: 1, maxLength: 10 }), fc.nat(), (organisms, seed) => {
    const place = freePlace(GRID, SIDE, organisms, createRandom(seed).uniform);
    expect(place.x).toBeGreaterThanOrEqual(SIDE / 2);
    expect(place.x).toBeLessThanOrEqual(GRID.width - SIDE / 2);
    expect(place.y).toBeGreaterThanOrEqual(SIDE / 2);
    expect(place.y).toBeLessThanOrEqual(GRID.height - SIDE / 2);
    const nearest = Math.min(...organisms.map((each) => distance(each, place)));
    expect(nearest).toBeGreaterThanOrEqual(1.1 * SIDE);
    expect(nearest).toBeLessThan(2 * SIDE);
  });
});

test('not everybody opens at the same place', () => {
  const organisms = [
    { x: 60, y: 60 },
    { x: 250, y: 120 },
  ];
  const places = Array.from({ length: 20 }, (_, seed) => {
    const { x, y } = freePlace(GRID, SIDE, organisms, createRandom(seed).uniform);
    return `${x} ${y}`;
  });
  expect(new Set(places).size).toBeGreaterThan(10);
});

test('the edges, where half of the view would be empty, are left to others', () => {
  const corner = [{ x: 20, y: 20 }];
  for (let seed = 0; seed < 20; seed++) {
    const { x, y } = freePlace(GRID, SIDE, corner, createRandom(seed).uniform);
    expect(Math.min(x / GRID.width, y / GRID.height)).toBeGreaterThanOrEqual(0.1);
  }
});

test('in a full room it is the emptiest place', () => {
  const organisms = [];
  for (let x = 16; x < 336; x += 24) for (let y = 16; y < 192; y += 24) organisms.push({ x, y });
  const holes = organisms.filter(({ x, y }) => distance({ x, y }, { x: 160, y: 88 }) > 20);
  const place = freePlace(GRID, SIDE, holes, createRandom(1).uniform);
  expect(distance(place, { x: 160, y: 88 })).toBeLessThan(16);
});
