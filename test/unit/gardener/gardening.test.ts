/** Where the gardener plants and what its strokes touch. */
import {
  choosePlantingPlace,
  cutAcross,
  nearestGround,
  type PlantingPlace,
  targetCount,
} from '../../../server/gardener/planting-place.ts';
import { checkStroke } from '../../../server/world/strokes.ts';
import { contains, coverage, intersects, windowAround } from '../../../shared/geometry.ts';
import { createRandom } from '../../../shared/random.ts';
import fc, { forAll, forRuns } from '../../support/property.ts';

const side = 32;
const size = fc.integer({ min: 32, max: 400 });
const seed = fc.nat();

const PLOT = { width: 256, height: 256, side };

/** The places that are chosen one after another. */
function placesOf(count: number, chance: number): PlantingPlace[] {
  const random = createRandom(chance);
  const taken: PlantingPlace[] = [];
  while (taken.length < count) taken.push(choosePlantingPlace(PLOT, taken, random)!);
  return taken;
}

describe('composition', () => {
  test('every place is on the grid, and no two organisms touch', () => {
    forRuns(60, size, size, seed, (width, height, chance) => {
      const random = createRandom(chance);
      const taken: PlantingPlace[] = [];
      for (let i = 0; i < 60; i++) {
        const place = choosePlantingPlace({ width, height, side }, taken, random);
        if (!place) break;
        const grid = { x: 0, y: 0, width, height };
        const window = windowAround(place.x, place.y, side);
        expect(contains(grid, window)).toBe(true);
        const touched = taken.filter(({ x, y }) => intersects(window, windowAround(x, y, side)));
        expect(touched).toEqual([]);
        taken.push(place);
      }
      expect(taken.length).toBeGreaterThan(0);
    });
  });

  test('a room looks planted, and space for visitors is left', () => {
    for (let chance = 0; chance < 20; chance++) {
      // A newcomer then still finds space for a seed.
      const places = placesOf(targetCount(PLOT) + 1, chance);
      for (const place of places) expect(place).toBeDefined();
    }
  });

  test('plants are scattered: each quarter of a room has some', () => {
    for (let chance = 0; chance < 20; chance++) {
      const quarters = new Set(placesOf(10, chance).map(({ x, y }) => `${x < 128} ${y < 128}`));
      expect(quarters.size).toBe(4);
    }
  });
});

test('the nearest ground is bare where a seed grows, and nearer the fuller a room is', () => {
  const owner = new Uint32Array(128 * 96);
  const grid = { width: 128, height: 96, owner };
  const fill = (x: number, y: number, width: number, height: number) => {
    for (let row = y; row < y + height; row++) {
      owner.fill(1, row * 128 + x, row * 128 + x + width);
    }
  };
  const near = { x: 30, y: 40 };
  const bare = nearestGround(grid, 32, near)!;
  expect(Math.hypot(bare.x - near.x, bare.y - near.y)).toBeLessThan(4);
  fill(0, 0, 64, 96);
  // A whole window, beside what lives there.
  expect(nearestGround(grid, 32, near)).toEqual({ x: 80, y: 40 });
  fill(64, 0, 64, 96);
  for (let row = 60; row < 76; row++) owner.fill(0, row * 128 + 100, row * 128 + 116);
  // A gap that holds the middle of one.
  expect(nearestGround(grid, 32, near)).toEqual({ x: 108, y: 68 });
  owner.fill(1);
  expect(nearestGround(grid, 32, near)).toBeUndefined();
});

test('ground is seen for organisms of every side, also of one whose quarter is odd', () => {
  for (const side of [16, 27, 28, 30, 32]) {
    const owner = new Uint32Array(128 * 96).fill(1);
    const grid = { width: 128, height: 96, owner };
    for (let row = 40; row < 60; row++) owner.fill(0, row * 128 + 60, row * 128 + 80);
    const { x, y } = nearestGround(grid, side, { x: 64, y: 48 })!;
    expect(Math.max(Math.abs(x - 70), Math.abs(y - 50))).toBeLessThan(10);
  }
});

describe('strokes', () => {
  const land = (width: number, height: number, neighbour?: PlantingPlace) => {
    const owner = new Uint32Array(width * height);
    if (neighbour) owner[neighbour.y * width + neighbour.x] = 2;
    return { width, height, owner };
  };
  const one = { id: 1, x: 50, y: 40, side };

  test('a cut is one line that wounds less than half', () => {
    forAll(seed, (chance) => {
      const strokes = cutAcross(one, land(100, 80), createRandom(chance))!;
      const window = windowAround(one.x, one.y, side);
      const hit = new Uint8Array(side * side);
      for (const [i, stroke] of strokes.entries()) {
        checkStroke(stroke, { width: 100, height: 80 } as never);
        coverage(stroke, window)?.forEach((covered, cell) => {
          hit[cell] |= covered;
        });
        if (i > 0) expect(stroke.points.slice(0, 2)).toEqual(strokes[i - 1].points.slice(2));
      }
      const cells = hit.reduce((sum, covered) => sum + covered, 0);
      expect(cells).toBeGreaterThan(20);
      expect(cells).toBeLessThan((side * side) / 3);
    });
  });

  test('no stroke hits another organism', () => {
    forAll(
      fc.integer({ min: 0, max: 99 }),
      fc.integer({ min: 0, max: 79 }),
      seed,
      (x, y, chance) => {
        const ground = land(100, 80, { x, y });
        const strokes = cutAcross(one, ground, createRandom(chance)) ?? [];
        const place = { x, y, width: 1, height: 1 };
        for (const stroke of strokes) expect(coverage(stroke, place)).toBeUndefined();
      },
    );
  });
});
