import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadCheckpoint } from '../../../server/vnca/checkpoint.ts';
import { loadMaps, principalPlaces, pushApart } from '../../../server/vnca/gallery-map.ts';
import type { MapPoint } from '../../../shared/latent-map.ts';
import { createRandom } from '../../../shared/random.ts';
import { temporaryFolder } from '../../support/closing.ts';
import { CHECKPOINT_FOLDER } from '../../support/organisms.ts';
import fc, { between, forRuns } from '../../support/property.ts';

const newFolder = temporaryFolder();

test('the maps of the shipped checkpoint have a place for each of theirs, none on top of another', async () => {
  const checkpoint = await loadCheckpoint(CHECKPOINT_FOLDER);
  const count = checkpoint.card.gallery.length;
  const featured = Array.from({ length: count }, (_, i) => i).filter((i) => i % 3 > 0);
  const { map, wholeMap } = (await loadMaps(checkpoint, featured))!;
  expect(wholeMap.filter(Boolean)).toHaveLength(count);
  expect(map).toHaveLength(count);
  expect(map.flatMap((place, i) => (place ? [i] : []))).toEqual(featured);
  for (const places of [map, wholeMap].map((all) => all.filter((place) => place !== null))) {
    const sides = (['x', 'y'] as const).map((axis) => places.map((place) => place[axis]));
    for (const side of sides) expect(Math.min(...side)).toBe(0);
    expect(Math.max(...sides.flat())).toBeCloseTo(1, 6);
    let nearest = 1;
    places.forEach((a, i) => {
      for (const b of places.slice(0, i)) {
        nearest = Math.min(nearest, Math.hypot(a.x - b.x, a.y - b.y));
      }
    });
    expect(nearest).toBeGreaterThan(0.015);
  }
});

test('a checkpoint without a map is laid out by its principal components, with a wrong one it is refused', async () => {
  const folder = newFolder();
  const checkpoint = await loadCheckpoint(CHECKPOINT_FOLDER);
  const all = [...checkpoint.card.gallery.keys()];
  const { map } = (await loadMaps({ ...checkpoint, folder }, all))!;
  expect(map).toHaveLength(all.length);
  expect(map.every((at) => at && at.x >= 0 && at.x <= 1 && at.y >= 0 && at.y <= 1)).toBe(true);
  writeFileSync(join(folder, 'map.json'), '[{"x": 1, "y": 2}]');
  await expect(loadMaps({ ...checkpoint, folder }, all)).rejects.toThrow(
    'map.json: map does not give',
  );
  writeFileSync(join(folder, 'map.json'), '[');
  await expect(loadMaps({ ...checkpoint, folder }, all)).rejects.toThrow(
    'map.json: map is not JSON',
  );
});

test('principal components are found, the larger first', () => {
  const random = createRandom(1);
  const rows = Array.from({ length: 200 }, () => {
    const [a, b] = [5 * random.normal(), 2 * random.normal()];
    return new Float32Array([0.1 * random.normal(), (a + b) / 2 ** 0.5, (a - b) / 2 ** 0.5]);
  });
  const places = principalPlaces(rows);
  const spread = (values: number[]) =>
    Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length);
  expect(Math.abs(spread(places.map(({ x }) => x)) - 5)).toBeLessThan(0.8);
  expect(Math.abs(spread(places.map(({ y }) => y)) - 2)).toBeLessThan(0.4);
});

/** As `pushApart`, but looks at all pairs in each round. */
function pushedByAll(
  places: readonly MapPoint[],
  { distance, rounds, within }: Parameters<typeof pushApart>[1],
): MapPoint[] {
  const points = places.map((place) => ({ ...place }));
  const move = (point: MapPoint & { x: number; y: number }, x: number, y: number): void => {
    const [width, height] = within ?? [Infinity, Infinity];
    const least = within ? 0 : -Infinity;
    point.x = Math.max(least, Math.min(width, point.x + x));
    point.y = Math.max(least, Math.min(height, point.y + y));
  };
  for (let round = 0; round < rounds; round++) {
    points.forEach((a, i) => {
      for (const [j, b] of points.entries()) {
        const [dx, dy] = [b.x - a.x, b.y - a.y];
        const squared = dx * dx + dy * dy;
        if (j <= i || squared >= distance * distance) continue;
        const apart = Math.sqrt(squared);
        const [ux, uy] = apart > 0 ? [dx / apart, dy / apart] : [Math.cos(j), Math.sin(j)];
        const by = (distance - apart) / 4;
        move(a, -ux * by, -uy * by);
        move(b, ux * by, uy * by);
      }
    });
  }
  return points;
}

test('points are pushed apart as by looking at all pairs, however crowded they begin', () => {
  const place = fc.record({ x: between(0, 1), y: between(0, 1) });
  const crowd = fc.record({ x: between(0.4, 0.42), y: between(0.7, 0.71) });
  const places = fc
    .tuple(
      fc.array(place, { maxLength: 40 }),
      fc.array(crowd, { maxLength: 40 }),
      fc.array(fc.constant({ x: 0.1, y: 0.1 }), { maxLength: 3 }),
    )
    .map((some) => some.flat());
  forRuns(40, places, between(0.01, 0.3), fc.boolean(), (all, distance, isBounded) => {
    const within = isBounded ? ([0.68, 1] as const) : undefined;
    const options = { distance, rounds: 20, ...(within && { within }) };
    expect(pushApart(all, options)).toEqual(pushedByAll(all, options));
  });
});
