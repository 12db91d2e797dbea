/** The gallery: what visitors are offered of it, its maps, and its table of relatives. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fingerprint, galleryLatent, loadCheckpoint } from '../../../server/vnca/checkpoint.ts';
import { familyOf, selectGallery } from '../../../server/vnca/gallery.ts';
import { loadMaps } from '../../../server/vnca/gallery-map.ts';
import { loadRelatives, RELATIVES_FILE, writeRelatives } from '../../../server/vnca/relatives.ts';
import { suiteFolder } from '../../support/closing.ts';
import { CHECKPOINT_FOLDER } from '../../support/organisms.ts';
import { tinyModel } from './tiny-model.ts';

const folder = suiteFolder();
const checkpoint = await loadCheckpoint(CHECKPOINT_FOLDER);
const { gallery } = checkpoint.card;
const latents = gallery.map((_, i) => galleryLatent(checkpoint, i));
const { featured, unsuitable } = selectGallery(gallery, latents);
const names = (indices: readonly number[]) => indices.map((index) => gallery[index].name);
const distance = (a: number, b: number) =>
  Math.hypot(...latents[a].map((value, c) => value - latents[b][c]));

test('nothing is offered that a museum would not show to children', () => {
  expect(names(unsuitable)).toEqual(expect.arrayContaining(['Pile of Poo', 'Face Vomiting']));
  expect(names(featured).filter((name) => /poo$|vomit|nause|drool|symbols/i.test(name))).toEqual(
    [],
  );
  expect(featured.filter((index) => unsuitable.includes(index))).toEqual([]);
});

test('of creatures that look alike one is offered: fewer faces, and nearly all else', () => {
  const share = (indices: readonly number[]) =>
    indices.filter((index) => gallery[index].kind === 'face').length / indices.length;
  const all = [...gallery.keys()];
  expect(share(featured)).toBeLessThan(0.75 * share(all));
  expect(new Set(featured).size).toBe(featured.length);
  const others = (indices: readonly number[]) =>
    indices.filter((index) => gallery[index].kind !== 'face').length;
  expect(others(featured)).toBeGreaterThan(0.85 * others(all));
  const heroes = names(featured).filter((name) => name.endsWith('Superhero'));
  expect(heroes).toHaveLength(1);
});

test('families are together, plants first and faces last, and neighbours more alike than chance would have it', () => {
  const families = featured.map((index) => familyOf(gallery[index]));
  const runs = families.filter((family, i) => family !== families[i - 1]);
  expect(runs).toHaveLength(new Set(families).size);
  expect([runs[0], runs.at(-1)]).toEqual(['plant', 'face']);
  expect(names(featured)).toEqual(expect.arrayContaining(['Coral', 'Mushroom', 'Jellyfish']));
  const mean = (step: number) => {
    const pairs = featured.slice(step).map((index, i) => distance(featured[i], index));
    return pairs.reduce((sum, one) => sum + one, 0) / pairs.length;
  };
  expect(mean(1)).toBeLessThan(0.9 * mean(20));
});

test('the maps of the shipped checkpoint have a place for each of theirs, none on top of another', async () => {
  const count = gallery.length;
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
  const all = [...gallery.keys()];
  const { map } = (await loadMaps({ ...checkpoint, folder }, all))!;
  expect(map).toHaveLength(all.length);
  expect(map.every((at) => at && at.x >= 0 && at.x <= 1 && at.y >= 0 && at.y <= 1)).toBe(true);
  writeFileSync(join(folder, 'map.json'), '[{"x": 1, "y": 2}]');
  const loaded = () => loadMaps({ ...checkpoint, folder }, all);
  await expect(loaded()).rejects.toThrow('map.json: the map does not have');
  writeFileSync(join(folder, 'map.json'), '[');
  await expect(loaded()).rejects.toThrow('map.json: map is not JSON');
});

test('the shipped table relates creatures of a kind, most of them, and none to what does not suit everybody', async () => {
  const { of } = (await loadRelatives(checkpoint))!;
  expect(of.filter((some) => some.length > 0).length).toBeGreaterThan(0.7 * gallery.length);
  of.forEach((some, own) => {
    for (const relative of some) {
      expect(gallery[relative].kind).toBe(gallery[own].kind);
      expect(unsuitable).not.toContain(relative);
    }
  });
});

test('a table is read as it was written; none is no error, and does not change the fingerprint', async () => {
  const tiny = { ...tinyModel(), folder };
  const before = fingerprint(tiny);
  expect(await loadRelatives(tiny)).toBeUndefined();
  const table = { lentSteps: 12, homeSteps: 20, of: [[1], []] };
  writeFileSync(join(folder, RELATIVES_FILE), writeRelatives(table, tiny.card.gallery));
  expect(await loadRelatives(tiny)).toEqual(table);
  expect(fingerprint(tiny)).toBe(before);
});

const entries = (one: unknown, two: unknown) => {
  const table = [
    { name: 'one', relatives: one },
    { name: 'two', relatives: two },
  ];
  return JSON.stringify({ lentSteps: 12, homeSteps: 20, gallery: table });
};

const FOREIGN = 'does not match the gallery, which has 2';
test.each([
  ['no JSON', '{', 'is not JSON'],
  ['of no steps', entries([], []).replace('12', '0'), 'table of relatives: '],
  ['of another gallery', entries([], []).replace('two', 'three'), FOREIGN],
  ['of a creature that is related to itself', entries([0], []), FOREIGN],
  ['of a creature that is related to nobody there is', entries([2], []), FOREIGN],
  ['of a creature with too many relatives', entries(Array(9).fill(1), []), 'table of relatives: '],
])('a table that is %s is refused', async (_, text, message) => {
  writeFileSync(join(folder, RELATIVES_FILE), text);
  await expect(loadRelatives({ ...tinyModel(), folder })).rejects.toThrow(message);
});
