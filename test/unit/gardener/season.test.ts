/** The gardener's seasons, with the shipped gallery. */
import { GARDENING, isOfSeason, Seasons, themesOf } from '../../../server/gardener/choose.ts';
import { speciesOf } from '../../../server/rooms/loaded-checkpoint.ts';
import { loadCheckpoint } from '../../../server/vnca/checkpoint.ts';
import { loadGalleryColours, selectGallery } from '../../../server/vnca/gallery.ts';
import { createRandom } from '../../../shared/random.ts';
import { CHECKPOINT_FOLDER } from '../../support/organisms.ts';

const checkpoint = await loadCheckpoint(CHECKPOINT_FOLDER);
const colours = (await loadGalleryColours(checkpoint))!;
const { gallery } = speciesOf(checkpoint);
const { featured } = selectGallery(
  checkpoint.card.gallery,
  gallery.map(({ latent }) => latent),
);
const species = { ...speciesOf(checkpoint), featured, colours };
const { seasonEntries, seasonLength } = GARDENING;
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

test('each theme has enough creatures, and none is of what the gardener avoids', () => {
  const themes = themesOf(species);
  expect(themes.length).toBeGreaterThan(8);
  for (const theme of themes) {
    const count = featured.filter((index) => isOfSeason(index, theme, species)).length;
    expect(count).toBeGreaterThanOrEqual(seasonEntries);
    expect(GARDENING.avoidedKinds).not.toContain(theme.kind);
  }
  // Without a picture of the gallery there are seasons of kinds.
  const kinds = themesOf({ ...species, colours: undefined });
  expect(kinds.map(({ kind }) => kind).sort()).toEqual(['animal', 'food', 'plant']);
  expect(kinds.every(({ colour }) => colour === undefined)).toBe(true);
});

test('a season lasts some minutes; the next is of another kind and colour, the same for the same seed', () => {
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
    expect(next.kind).not.toBe(last.kind);
    if (next.colour) expect(next.colour).not.toBe(last.colour);
  });
  expect(starts.length).toBeGreaterThan(10);
});
