import { cutOf, DustFinder, Effects, type Speck } from '../../../client/render/effects.ts';
import { createPlanes } from '../../../shared/codec/chunks.ts';
import { coverage } from '../../../shared/geometry.ts';
import fc, { between, forAll } from '../../support/property.ts';

const [WIDTH, HEIGHT] = [24, 16];

/** A body from x 6 to 17, y 4 to 11. */
function body() {
  const planes = createPlanes(WIDTH, HEIGHT);
  for (let y = 4; y < 12; y++) planes.owner.fill(3, y * WIDTH + 6, y * WIDTH + 18);
  planes.rgba.fill(255);
  return planes;
}

const placesOf = (specks: readonly Speck[]) =>
  new Set(specks.map(({ x, y }) => Math.floor(y) * WIDTH + Math.floor(x)));

test('a predicted cut removes exactly the cells that the server will remove, each once', () => {
  const point = fc.record({
    x: between(0, WIDTH),
    y: between(0, HEIGHT),
  });
  const ways = fc.array(point, { minLength: 2, maxLength: 6 });
  forAll(ways, between(0.5, 6), (points, radius) => {
    const planes = body();
    const taken = new Set<number>();
    const all = { x: 0, y: 0, width: WIDTH, height: HEIGHT };
    const wanted = new Set<number>();
    let count = 0;
    points.slice(1).forEach((to, i) => {
      const stroke = { points: [points[i].x, points[i].y, to.x, to.y], radius };
      const { flesh, rim } = cutOf(stroke, planes, taken);
      count += flesh.length;
      coverage(stroke, all)?.forEach((covered, place) => {
        if (covered === 1 && planes.owner[place] !== 0) wanted.add(place);
      });
      for (const place of placesOf(rim)) {
        expect(planes.owner[place]).toBe(3);
        expect(taken.has(place)).toBe(false);
      }
    });
    expect(taken).toEqual(wanted);
    expect(count).toBe(wanted.size);
  });
});

const [COLUMNS, ROWS] = [16, 8];
const all = [{ x: 0, y: 0, width: COLUMNS, height: ROWS }];

/** Two organisms that share the grid lose some of their places in one tick. */
function lose(departs: (id: number) => boolean) {
  const planes = createPlanes(COLUMNS, ROWS);
  planes.rgba.fill(255);
  planes.owner.fill(1).fill(2, (COLUMNS * ROWS) / 2);
  const finder = new DustFinder();
  finder.find(planes, all, all, departs);
  for (const from of [0, (COLUMNS * ROWS) / 2]) planes.owner.fill(0, from, from + 32);
  return finder.find(planes, all, [], departs);
}

test('every cell of an organism that departs leaves a grain, of a wounded one some do', () => {
  const grains = lose((id) => id === 2);
  const gentle = grains.filter(({ isGentle }) => isGentle);
  expect(gentle).toHaveLength(32);
  expect(gentle.every(({ y }) => y > ROWS / 2)).toBe(true);
  const others = grains.length - gentle.length;
  expect(others).toBeGreaterThan(0);
  expect(others).toBeLessThan(32);
});

test('who wants no movement sees no dust', () => {
  const effects = new Effects(true);
  effects.dust({ x: 4, y: 4, color: [1, 1, 1], isGentle: true }, 0);
  expect(effects.active).toBe(false);
});
