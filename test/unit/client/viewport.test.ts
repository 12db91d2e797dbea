import { ViewportReporter } from '../../../client/input/canvas-input.ts';

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
