import { ViewportReporter } from '../../../client/input/viewport-reporter.ts';

describe('what the page tells of what it shows', () => {
  const view = { width: 400, height: 800 };
  const setUp = () => {
    const told: Record<string, unknown>[] = [];
    return { told, looks: new ViewportReporter((look) => told.push(look), 'full') };
  };

  test('is told at once, then when it has moved, and not more often than it matters', () => {
    const { told, looks: viewportReporter } = setUp();
    viewportReporter.shows({ x: 100, y: 100, zoom: 4 }, view, 2, 0);
    expect(told).toEqual([
      { hidden: false, x: 50, y: 0, width: 100, height: 200, pixels: 8, best: 'full' },
    ]);
    viewportReporter.shows({ x: 101, y: 100, zoom: 4 }, view, 2, 500);
    expect(told).toHaveLength(1);
    for (let i = 0; i < 20; i++)
      viewportReporter.shows({ x: 110 + 5 * i, y: 100, zoom: 4 }, view, 2, 1_000 + i * 16);
    expect(told).toHaveLength(3);
    expect(viewportReporter.shows({ x: 205, y: 100, zoom: 4 }, view, 2, 1_350)).toBe(true);
    expect(viewportReporter.shows({ x: 205, y: 100, zoom: 4 }, view, 2, 1_500)).toBe(false);
    expect(told[3]).toMatchObject({ x: 155 });
  });

  test('that it is hidden is told at once, however short ago it last told something; and what waited is not', () => {
    const { told, looks: viewportReporter } = setUp();
    viewportReporter.shows({ x: 100, y: 100, zoom: 4 }, view, 2, 0);
    expect(viewportReporter.shows({ x: 140, y: 100, zoom: 4 }, view, 2, 50)).toBe(true);
    viewportReporter.hide();
    expect(told.map(({ hidden }) => hidden)).toEqual([false, true]);
    viewportReporter.shows({ x: 140, y: 100, zoom: 4 }, view, 2, 900);
    expect(told.map(({ hidden }) => hidden)).toEqual([false, true, false]);
    expect(told[2]).toMatchObject({ x: 90 });
  });

  test('is reported again when a cell becomes smaller than a pixel, after hiding, and on a new connection', () => {
    const { told, looks: viewportReporter } = setUp();
    const near = { x: 128, y: 128, zoom: 0.51 };
    viewportReporter.shows(near, view, 2, 0);
    viewportReporter.shows({ ...near, zoom: 0.499 }, { width: 399, height: 798 }, 2, 500);
    expect(told).toHaveLength(2);
    viewportReporter.hide();
    viewportReporter.shows(near, view, 2, 2_000);
    viewportReporter.forget();
    viewportReporter.shows(near, view, 2, 3_000);
    expect(told.map(({ hidden }) => hidden)).toEqual([false, false, true, false, false]);
  });
});
