import { StrokeSegmenter } from '../../../client/input/gestures.ts';
import { DEFAULTS } from '../../../shared/defaults.ts';
import { strokeLength } from '../../../shared/geometry.ts';
import fc, { between, forAll } from '../../support/property.ts';

const grid = { width: 2000, height: 1500 };

function drag(points: readonly (readonly [number, number])[], gap: number): number[][] {
  const messages: number[][] = [];
  const stroke = new StrokeSegmenter(grid, (message) => messages.push(message));
  let now = 1_000;
  stroke.start(...points[0], now);
  for (const point of points.slice(1)) stroke.move(...point, (now += gap));
  stroke.end(now);
  return messages;
}

const anywhere = fc.tuple(between(-100, 2100), between(-100, 1600));

test('a stroke keeps the limits, stays on the grid, and is sent whole', () => {
  forAll(
    fc.array(anywhere, { minLength: 1, maxLength: 200 }),
    fc.integer({ min: 0, max: 60 }),
    (points, gap) => {
      const messages = drag(points, gap);
      for (const message of messages) {
        expect(message.length / 2).toBeLessThanOrEqual(DEFAULTS.stroke.maxPoints);
        expect(strokeLength(message)).toBeLessThanOrEqual(DEFAULTS.stroke.maxLength);
        for (let i = 0; i < message.length; i += 2) {
          expect(message[i]).toBeGreaterThanOrEqual(0);
          expect(message[i]).toBeLessThanOrEqual(grid.width);
          expect(message[i + 1]).toBeGreaterThanOrEqual(0);
          expect(message[i + 1]).toBeLessThanOrEqual(grid.height);
        }
      }
      for (let i = 1; i < messages.length; i++) {
        expect(messages[i].slice(0, 2)).toEqual(messages[i - 1].slice(-2));
      }
      const on = (x: number, size: number): number => Math.max(0, Math.min(size, x));
      const way = points.flatMap(([x, y]) => [on(x, grid.width), on(y, grid.height)]);
      const sent = messages.reduce((sum, message) => sum + strokeLength(message), 0);
      // Steps too small to see are left out, each shorter than a sixth of a cell.
      expect(sent).toBeLessThanOrEqual(strokeLength(way) + 1e-6);
      expect(sent).toBeGreaterThan(strokeLength(way) - 0.31 * points.length);
    },
  );
});

test('the first message is sent at once, then at most 20 a second', () => {
  const points = Array.from({ length: 101 }, (_, i) => [i, 10] as const);
  const messages = drag(points, 10);
  expect(messages[0]).toEqual([0, 10]);
  expect(messages.length).toBeLessThanOrEqual(22);
  expect(messages.at(-1)?.slice(-2)).toEqual([100, 10]);
});

test('a tap is one point', () => {
  expect(drag([[5, 6]], 0)).toEqual([[5, 6]]);
});
