/** Which organism a finger touches, and what a page tells of its view. */
import { organismAt, ViewportReporter } from '../../../client/input/canvas-input.ts';
import { createPlanes, type Planes } from '../../../shared/codec/chunks.ts';
import type { OrganismView } from '../../../shared/vocabulary.ts';
import { organismView } from '../../support/fake-server.ts';
import { between, forAll } from '../../support/property.ts';

const view = { width: 400, height: 800 };
const setUp = (best: 'full' | 'phone' = 'full') => {
  const told: Record<string, unknown>[] = [];
  const reporter = new ViewportReporter((look) => told.push(look), best);
  const showsAt = (x: number, now: number) =>
    reporter.shows({ camera: { x, y: 100, zoom: 4 } }, view, 2, now);
  return { told, reporter, showsAt };
};

test('reports are sent at once, then after a move, and at intervals', () => {
  const { told, showsAt } = setUp('phone');
  showsAt(100, 0);
  expect(told).toEqual([
    { hidden: false, x: 50, y: 0, width: 100, height: 200, pixels: 8, best: 'phone' },
  ]);
  showsAt(101, 500);
  expect(told).toHaveLength(1);
  for (let i = 0; i < 20; i++) showsAt(110 + 5 * i, 1_000 + i * 16);
  expect(told).toHaveLength(3);
  expect([showsAt(205, 1_350), showsAt(205, 1_500)]).toEqual([true, false]);
  expect(told[3]).toMatchObject({ x: 155 });
});
test('a hidden page is reported at once; a report that was waiting is dropped', () => {
  const { told, reporter, showsAt } = setUp();
  showsAt(100, 0);
  expect(showsAt(140, 50)).toBe(true);
  reporter.hide();
  expect(told.map(({ hidden }) => hidden)).toEqual([false, true]);
  showsAt(140, 900);
  expect(told.map(({ hidden }) => hidden)).toEqual([false, true, false]);
  expect(told[2]).toMatchObject({ x: 90 });
});

test('reports are sent again when a cell becomes smaller than a pixel, after hiding, and on a new connection', () => {
  const { told, reporter } = setUp();
  const camera = { x: 128, y: 128, zoom: 0.51 };
  reporter.shows({ camera }, view, 2, 0);
  reporter.shows({ camera: { ...camera, zoom: 0.499 } }, { width: 399, height: 798 }, 2, 500);
  expect(told).toHaveLength(2);
  reporter.hide();
  reporter.shows({ camera }, view, 2, 2_000);
  reporter.forget();
  reporter.shows({ camera }, view, 2, 3_000);
  expect(told.map(({ hidden }) => hidden)).toEqual([false, false, true, false, false]);
});

test('while the camera glides, the report covers all of its way', () => {
  const { told, reporter } = setUp();
  const [camera, heading] = [
    { x: 300, y: 100, zoom: 2 },
    { x: 100, y: 120, zoom: 8 },
  ];
  reporter.shows({ camera, heading }, view, 2, 0);
  expect(told).toEqual([
    { hidden: false, x: 75, y: -100, width: 325, height: 400, pixels: 16, best: 'full' },
  ]);
  reporter.shows({ camera: heading, heading }, view, 2, 1_000);
  expect(told[1]).toMatchObject({ x: 75, y: 70, width: 50, height: 100 });
});

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
