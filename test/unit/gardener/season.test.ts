/** The gardener's seasons, with the shipped gallery. */
import { isOfSeason, SEASONS, Seasons, themesOf } from '../../../server/gardener/seasons.ts';
import { speciesOf } from '../../../server/rooms/loaded-checkpoint.ts';
import { loadCheckpoint } from '../../../server/vnca/checkpoint.ts';
import { loadGalleryLooks, selectGallery } from '../../../server/vnca/gallery.ts';
import { createRandom } from '../../../shared/random.ts';
import { CHECKPOINT_FOLDER } from '../../support/organisms.ts';

const checkpoint = await loadCheckpoint(CHECKPOINT_FOLDER);
const { colours, bodies } = (await loadGalleryLooks(checkpoint))!;
const { gallery } = speciesOf(checkpoint);
const { featured } = selectGallery(
  checkpoint.card.gallery,
  gallery.map(({ latent }) => latent),
);
const species = { ...speciesOf(checkpoint), featured, colours };
const { side } = species;
const { seasonEntries, seasonLength } = SEASONS;
const [least, most] = seasonLength;

test('creatures have the colours that people see', () => {
  const colourOf = (name: string) =>
    colours[species.gallery.findIndex((entry) => entry.name === name)];
  expect(['Tomato', 'Lemon', 'Broccoli', 'Whale', 'Sheep', 'Pretzel'].map(colourOf)).toEqual([
    'red',
    'yellow',
    'green',
    'blue',
    'grey',
    'orange',
  ]);
});

test('bodies have the shapes that people see', () => {
  const bodyOf = (name: string) =>
    bodies[species.gallery.findIndex((entry) => entry.name === name)];
  const middle = (side * side + side) / 2;
  expect(bodies.every((body) => body.length === side ** 2)).toBe(true);
  // A coral has gaps where a tomato has none.
  expect(
    [middle, middle - 1, middle - side, middle - side - 1].map((cell) => bodyOf('Tomato')[cell]),
  ).toEqual([1, 1, 1, 1]);
  const sizeOf = (name: string) => bodyOf(name).reduce((sum, cell) => sum + cell, 0);
  expect(sizeOf('Coral')).toBeLessThan(0.8 * sizeOf('Tomato'));
});

test('each theme has enough creatures, and is of what reefs are made of', () => {
  const themes = themesOf(species);
  expect(themes.length).toBeGreaterThan(3);
  for (const theme of themes) {
    const count = featured.filter((index) => isOfSeason(index, theme, species)).length;
    expect(count).toBeGreaterThanOrEqual(seasonEntries);
    expect(SEASONS.reefFamilies).toContain(theme.family);
  }
  // Without a picture of the gallery there are seasons of kinds.
  const families = themesOf({ ...species, colours: undefined });
  expect(families).toEqual([{ family: 'plant' }, { family: 'sea' }]);
  // Of a gallery without these, all but faces.
  const gallery = species.gallery.map((entry, i) => ({
    ...entry,
    name: `${i}`,
    kind: entry.kind === 'face' ? 'face' : 'food',
  }));
  const others = themesOf({ gallery });
  expect(others).toEqual([{ family: 'food' }]);
});

test('a season lasts some minutes; the next is of another family and colour, the same for the same seed', () => {
  const course = (seed: number) => {
    const seasons = new Seasons(species, createRandom(seed));
    return Array.from({ length: 3_600 }, (_, second) => seasons.at(1_000 * second)!);
  };
  const all = course(1);
  expect(course(1)).toEqual(all);
  expect(course(2)).not.toEqual(all);
  const starts = all.flatMap((theme, second) => (theme === all[second - 1] ? [] : [second]));
  starts.slice(1).forEach((start, i) => {
    const length = 1_000 * (start - starts[i]);
    expect(length).toBeGreaterThanOrEqual(least - 1_000);
    expect(length).toBeLessThanOrEqual(most + 1_000);
    const [last, next] = [all[starts[i]], all[start]];
    expect(next.family).not.toBe(last.family);
    if (next.colour) expect(next.colour).not.toBe(last.colour);
  });
  expect(starts.length).toBeGreaterThan(10);
});
