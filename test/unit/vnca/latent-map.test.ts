import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadCheckpoint } from '../../../server/vnca/checkpoint.ts';
import { loadMap, principalPlaces } from '../../../server/vnca/latent-map.ts';
import { createRandom } from '../../../shared/random.ts';
import { CHECKPOINT_FOLDER } from '../../support/engine.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const newFolder = temporaryFolder();

test('the map of the shipped checkpoint has a place for each, none on top of another', async () => {
  const checkpoint = await loadCheckpoint(CHECKPOINT_FOLDER);
  const map = (await loadMap(checkpoint))!;
  expect(map).toHaveLength(checkpoint.card.gallery.length);
  const sides = (['x', 'y'] as const).map((axis) => map.map((place) => place[axis]));
  for (const side of sides) expect(Math.min(...side)).toBe(0);
  expect(Math.max(...sides.flat())).toBeCloseTo(1, 6);
  let nearest = 1;
  map.forEach((a, i) => {
    for (const b of map.slice(0, i)) nearest = Math.min(nearest, Math.hypot(a.x - b.x, a.y - b.y));
  });
  expect(nearest).toBeGreaterThan(0.015);
});

test('a checkpoint without a map is laid out by its principal components, with a wrong one it is refused', async () => {
  const folder = newFolder();
  const checkpoint = await loadCheckpoint(CHECKPOINT_FOLDER);
  const map = (await loadMap({ ...checkpoint, folder }))!;
  expect(map).toHaveLength(checkpoint.card.gallery.length);
  expect(map.every(({ x, y }) => x >= 0 && x <= 1 && y >= 0 && y <= 1)).toBe(true);
  writeFileSync(join(folder, 'map.json'), '[{"x": 1, "y": 2}]');
  await expect(loadMap({ ...checkpoint, folder })).rejects.toThrow('map.json: map does not give');
  writeFileSync(join(folder, 'map.json'), '[');
  await expect(loadMap({ ...checkpoint, folder })).rejects.toThrow('map.json: map is not JSON');
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
