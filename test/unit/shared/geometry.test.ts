import { clampCentre, contains, coverage, windowAround } from '../../../shared/geometry.ts';
import fc, { between, forAll, forRuns } from '../../support/property.ts';

const coordinate = between(-20, 60);

test('DMG-1: a stroke covers the places whose centres are within its radius, and those of its points', () => {
  forRuns(
    25,
    fc.array(fc.tuple(coordinate, coordinate), { minLength: 1, maxLength: 5 }),
    between(0.5, 9),
    (pairs, radius) => {
      const points = pairs.flat();
      const rect = { x: 3, y: 5, width: 14, height: 12 };
      const cover = coverage({ points, radius }, rect);
      const wrong: number[][] = [];
      for (let j = 0; j < rect.height; j++)
        for (let i = 0; i < rect.width; i++) {
          const px = rect.x + i + 0.5;
          const py = rect.y + j + 0.5;
          // Sampled along the line: near the rim, either answer may be right.
          let nearest = Infinity;
          for (let k = 0; k < pairs.length; k++) {
            const [ax, ay] = pairs[Math.max(0, k - 1)];
            const [bx, by] = pairs[k];
            for (let s = 0; s <= 200; s++) {
              const t = s / 200;
              nearest = Math.min(
                nearest,
                Math.hypot(px - ax - t * (bx - ax), py - ay - t * (by - ay)),
              );
            }
          }
          const holdsPoint = pairs.some(
            ([x, y]) => Math.floor(x) === rect.x + i && Math.floor(y) === rect.y + j,
          );
          const covered = cover?.[j * rect.width + i] === 1;
          const must = holdsPoint || nearest <= radius - 1e-9;
          const mustNot = !holdsPoint && nearest > radius + 0.3;
          if ((must && !covered) || (mustNot && covered)) wrong.push([px, py]);
        }
      expect(wrong).toEqual([]);
    },
  );
});

test('any pointer position is clamped to a centre whose window fits', () => {
  const grid = { width: 100, height: 80 };
  forAll(fc.double({ noNaN: true }), fc.double({ noNaN: true }), (x, y) => {
    const centre = clampCentre(x, y, 32, grid);
    expect(contains({ x: 0, y: 0, ...grid }, windowAround(centre.x, centre.y, 32))).toBe(true);
    expect(Number.isInteger(centre.x) && Number.isInteger(centre.y)).toBe(true);
  });
});
