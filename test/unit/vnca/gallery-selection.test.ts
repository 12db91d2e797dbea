/** What visitors are offered of the shipped gallery. */
import { galleryLatent, loadCheckpoint } from '../../../server/vnca/checkpoint.ts';
import { selectGallery } from '../../../server/vnca/gallery.ts';
import { CHECKPOINT_FOLDER } from '../../support/organisms.ts';

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

test('kinds are together, faces last, and neighbours more alike than chance would have it', () => {
  const kinds = featured.map((index) => gallery[index].kind);
  const runs = kinds.filter((kind, i) => kind !== kinds[i - 1]);
  expect(runs).toHaveLength(new Set(kinds).size);
  expect(runs.at(-1)).toBe('face');
  const mean = (step: number) => {
    const pairs = featured.slice(step).map((index, i) => distance(featured[i], index));
    return pairs.reduce((sum, one) => sum + one, 0) / pairs.length;
  };
  expect(mean(1)).toBeLessThan(0.9 * mean(20));
});

test('a gallery of none or one is offered whole', () => {
  expect(selectGallery([], []).featured).toEqual([]);
  expect(selectGallery(gallery.slice(0, 1), latents.slice(0, 1)).featured).toEqual([0]);
});
