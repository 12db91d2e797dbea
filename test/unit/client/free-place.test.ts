import { freePlace } from '../../../client/input/picking.ts';
import { createRandom } from '../../../shared/random.ts';
import fc, { forAll } from '../../support/property.ts';

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
