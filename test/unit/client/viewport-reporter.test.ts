import { ViewportReporter } from '../../../client/input/canvas-input.ts';

const view = { width: 400, height: 800 };
const setUp = (best?: 'phone') => {
  const told: Record<string, unknown>[] = [];
  return { told, reporter: new ViewportReporter((look) => told.push(look), best) };
};

test('a report asks for the tier that the screen needs', () => {
  for (const best of [undefined, 'phone'] as const) {
    const { told, reporter } = setUp(best);
    reporter.shows({ camera: { x: 100, y: 100, zoom: 4 } }, view, 2, 0);
    expect(told).toMatchObject([{ best: best ?? 'full' }]);
  }
});

test('reports are sent at once, then after a move, and at intervals', () => {
  const { told, reporter } = setUp();
  reporter.shows({ camera: { x: 100, y: 100, zoom: 4 } }, view, 2, 0);
  expect(told).toEqual([
    { hidden: false, x: 50, y: 0, width: 100, height: 200, pixels: 8, best: 'full' },
  ]);
  reporter.shows({ camera: { x: 101, y: 100, zoom: 4 } }, view, 2, 500);
  expect(told).toHaveLength(1);
  for (let i = 0; i < 20; i++)
    reporter.shows({ camera: { x: 110 + 5 * i, y: 100, zoom: 4 } }, view, 2, 1_000 + i * 16);
  expect(told).toHaveLength(3);
  expect(reporter.shows({ camera: { x: 205, y: 100, zoom: 4 } }, view, 2, 1_350)).toBe(true);
  expect(reporter.shows({ camera: { x: 205, y: 100, zoom: 4 } }, view, 2, 1_500)).toBe(false);
  expect(told[3]).toMatchObject({ x: 155 });
});

test('a hidden page is reported at once; a report that was waiting is dropped', () => {
  const { told, reporter } = setUp();
  reporter.shows({ camera: { x: 100, y: 100, zoom: 4 } }, view, 2, 0);
  expect(reporter.shows({ camera: { x: 140, y: 100, zoom: 4 } }, view, 2, 50)).toBe(true);
  reporter.hide();
  expect(told.map(({ hidden }) => hidden)).toEqual([false, true]);
  reporter.shows({ camera: { x: 140, y: 100, zoom: 4 } }, view, 2, 900);
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
