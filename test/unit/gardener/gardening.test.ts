/** Where the gardener plants and what its strokes touch. */
import { cutAcross } from '../../../server/gardener/choose.ts';
import {
  choosePlantingPlace,
  nearestGround,
  type PlantingPlace,
  Reefs,
  targetCount,
} from '../../../server/gardener/reefs.ts';
import { Seasons } from '../../../server/gardener/seasons.ts';
import { checkStroke } from '../../../server/world/strokes.ts';
import { createPlanes } from '../../../shared/codec/chunks.ts';
import { contains, coverage, intersects, windowAround } from '../../../shared/geometry.ts';
import { createRandom } from '../../../shared/random.ts';
import fc, { forAll, forRuns } from '../../support/property.ts';
import { SPECIES } from '../../support/rooms.ts';

const side = 32;
const size = fc.integer({ min: 32, max: 400 });
const seed = fc.nat();

describe('scattered places', () => {
  test('every place is on the grid, and no two windows touch', () => {
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
});

describe('reefs', () => {
  /** Upright and flat creatures, as bodies of 12 × 24 and 26 × 10 cells. */
  const shaped = (width: number, height: number) =>
    Uint8Array.from({ length: side ** 2 }, (_, cell) => {
      const [x, y] = [(cell % side) + 0.5 - side / 2, Math.floor(cell / side) + 0.5 - side / 2];
      return Number(Math.abs(x) < width / 2 && Math.abs(y) < height / 2);
    });
  const gallery = ['tall', 'flat'].map((name) => ({ name, latent: new Float32Array(2) }));
  const bodies = [shaped(12, 24), shaped(26, 10)];
  const species = { ...SPECIES, side, gallery, bodies };
  const KINDS = ['tall', 'flat', ''];

  /** What a gardener plants in a room, and the cells that it owns when it is grown. */
  function reefsOf(count: number, chance: number, width = 336, height = 192) {
    const planes = createPlanes(width, height);
    const room = { name: `room ${chance}`, grid: { width, height, planes }, species } as never;
    const random = createRandom(chance);
    const reefs = new Reefs(room, new Seasons(species, random), random);
    const planted: (PlantingPlace & { kind: string; pressed: number })[] = [];
    for (let id = 1; id <= count; id++) {
      const reef = reefs.choose('sparse', planted, 0);
      const place = reefs.placeFor(reef, [KINDS[id % 3]], []);
      if (!place) break;
      const body = bodies[KINDS.indexOf(place.kind)];
      let pressed = 0;
      for (let cell = 0; cell < side ** 2; cell++) {
        const [x, y] = [(cell % side) - side / 2, Math.floor(cell / side) - side / 2];
        if (body ? !body[cell] : Math.hypot(x + 0.5, y + 0.5) >= 12) continue;
        const at = (place.y + y) * width + place.x + x;
        if (planes.owner[at] === 0) planes.owner[at] = id;
        else pressed++;
      }
      planted.push({ ...place, pressed });
    }
    return { reefs, planted, planes };
  }

  test('bodies nearly touch, hardly overlap, and lie on the grid, whatever its size', () => {
    forRuns(10, size, size, seed, (width, height, chance) => {
      const count = targetCount({ width, height, side });
      const { planted } = reefsOf(count, chance, width, height);
      expect(planted.length).toBeGreaterThan(0);
      for (const { x, y, pressed } of planted) {
        expect(contains({ x: 0, y: 0, width, height }, windowAround(x, y, side))).toBe(true);
        expect(pressed).toBeLessThan(30);
      }
    });
    const { planted } = reefsOf(30, 1);
    expect(planted).toHaveLength(30);
    // From most, another is less than a window away.
    const close = planted.filter((one) =>
      planted.some((two) => two !== one && Math.hypot(one.x - two.x, one.y - two.y) < 0.9 * side),
    );
    expect(close.length).toBeGreaterThan(27);
  });

  test('beside a full garden, a whole window is bare near every place', () => {
    for (let chance = 0; chance < 10; chance++) {
      const { planes, planted } = reefsOf(targetCount({ width: 336, height: 192, side }), chance);
      expect(planted.length).toBeGreaterThan(25);
      const { x, y } = nearestGround(planes, side, { x: 168, y: 96 })!;
      const window = windowAround(x, y, side);
      for (let row = window.y; row < window.y + side; row++) {
        const from = row * 336 + window.x;
        expect(planes.owner.subarray(from, from + side).every((owner) => owner === 0)).toBe(true);
      }
    }
  });

  test('they are unequal, dense by turns, and after a restart where they were', () => {
    const { reefs, planted } = reefsOf(30, 2);
    const sizesOf = () => {
      const all = planted.map((place) => reefs.around(place));
      return [...new Set(all)].map((reef) => all.filter((one) => one === reef).length);
    };
    expect(Math.max(...sizesOf())).toBeGreaterThan(2 * Math.min(...sizesOf()));
    const first = reefs.choose('crowded', [], 0);
    expect(reefs.choose('crowded', [], 20 * 60_000)).not.toBe(first);
    const again = reefsOf(0, 2).reefs;
    for (const place of planted) {
      const { x, y, angle } = reefs.around(place);
      expect(again.around(place)).toMatchObject({ x, y, angle });
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
