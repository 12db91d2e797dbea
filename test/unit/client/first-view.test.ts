import type { Camera } from '../../../client/render/camera.ts';
import { firstView, type Sights, type Stage } from '../../../client/render/first-view.ts';
import { contains } from '../../../shared/geometry.ts';
import { createRandom } from '../../../shared/random.ts';
import { randomRoom, shownIn } from '../../support/first-views.ts';
import { isFull } from '../../support/needs.ts';

const GRID = { width: 336, height: 192 };
const SIDE = 32;

/** A phone held upright: buttons and the map cover the upper right corner. */
const PHONE: Stage = {
  view: { width: 390, height: 844 },
  free: { x: 14, y: 69, width: 362, height: 547 },
  covers: [
    { x: 234, y: 70, width: 148, height: 44 },
    { x: 284, y: 124, width: 98, height: 57 },
  ],
};
const SMALL: Stage = {
  view: { width: 320, height: 568 },
  free: { x: 14, y: 69, width: 292, height: 271 },
  covers: [
    { x: 164, y: 70, width: 148, height: 44 },
    { x: 227, y: 124, width: 85, height: 50 },
  ],
};
const sights = (organisms: Sights['organisms']): Sights => ({ grid: GRID, side: SIDE, organisms });

test.each([
  ['phone', PHONE],
  ['small phone', SMALL],
])(
  'on a %s, a whole creature and a free place beside it are shown in every random room',
  (_, stage) => {
    for (let seed = 1; seed <= (isFull ? 100 : 25); seed++) {
      const { uniform } = createRandom(seed);
      const room = sights(randomRoom(GRID, SIDE, uniform));
      const camera = firstView(room, stage, uniform);
      expect({ seed, ...shownIn(room, stage, camera) }).toMatchObject({ whole: true, free: true });
    }
  },
);

const middle = (stage: Stage, camera: Camera) => ({
  x: camera.x + (stage.free.x + stage.free.width / 2 - stage.view.width / 2) / camera.zoom,
  y: camera.y + (stage.free.y + stage.free.height / 2 - stage.view.height / 2) / camera.zoom,
});

test('an empty room opens in its middle', () => {
  const camera = firstView(sights([]), PHONE, Math.random);
  expect(middle(PHONE, camera).x).toBeCloseTo(168);
  expect(middle(PHONE, camera).y).toBeCloseTo(96);
});

test('the view is close where that is enough, and farther off where free ground is scarce', () => {
  const alone = firstView(sights([{ x: 100, y: 90 }]), PHONE, createRandom(1).uniform);
  expect(alone.zoom).toBeGreaterThan(4);
  // Free ground only around the middle of the room.
  const dense = [];
  for (let x = 16; x < 336; x += 30)
    for (let y = 16; y < 192; y += 30)
      if (Math.abs(x - 168) > 40 || Math.abs(y - 96) > 40) dense.push({ x, y });
  const room = sights(dense);
  const camera = firstView(room, SMALL, createRandom(1).uniform);
  expect(shownIn(room, SMALL, camera)).toMatchObject({ whole: true, free: true });
  expect(camera.zoom).toBeLessThanOrEqual(alone.zoom);
});

test('the ground in the middle touches a reef, not the open water', () => {
  // A reef in a corner, and a single creature far from it.
  const reef = [20, 48, 76].flatMap((x) => [20, 48, 76].map((y) => ({ x, y })));
  const room = sights([...reef, { x: 300, y: 100 }]);
  for (let seed = 1; seed <= 10; seed++) {
    const { x, y } = middle(PHONE, firstView(room, PHONE, createRandom(seed).uniform));
    const near = reef.filter(
      (one) => Math.max(Math.abs(one.x - x), Math.abs(one.y - y)) < 1.8 * SIDE,
    );
    expect({ seed, isAtRim: near.length > 1 }).toEqual({ seed, isAtRim: true });
  }
});

test('not everybody opens at the same place', () => {
  const room = sights([
    { x: 60, y: 60 },
    { x: 250, y: 120 },
  ]);
  const views = Array.from({ length: 20 }, (_, seed) => {
    const { x, y } = firstView(room, PHONE, createRandom(seed).uniform);
    return `${Math.round(x)} ${Math.round(y)}`;
  });
  expect(new Set(views).size).toBeGreaterThan(10);
});

test('as little as possible of the space outside the grid is shown', () => {
  for (let seed = 0; seed < 20; seed++) {
    const camera = firstView(sights([{ x: 20, y: 20 }]), PHONE, createRandom(seed).uniform);
    const { x, y } = middle(PHONE, camera);
    const half = PHONE.free.width / 2 / camera.zoom;
    const inner = {
      x: half - 1e-6,
      y: 0,
      width: GRID.width - 2 * half + 2e-6,
      height: GRID.height,
    };
    expect(contains(inner, { x, y, width: 0, height: 0 })).toBe(true);
  }
});
