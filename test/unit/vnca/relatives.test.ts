import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fingerprint, loadCheckpoint } from '../../../server/vnca/checkpoint.ts';
import { selectGallery } from '../../../server/vnca/gallery.ts';
import { loadRelatives, RELATIVES_FILE, writeRelatives } from '../../../server/vnca/relatives.ts';
import { temporaryFolder } from '../../support/closing.ts';
import { CHECKPOINT_FOLDER } from '../../support/organisms.ts';
import { tinyModel } from './tiny-model.ts';

const newFolder = temporaryFolder();

test('the shipped table relates creatures of a kind, most of them, and none to what does not suit everybody', async () => {
  const checkpoint = await loadCheckpoint(CHECKPOINT_FOLDER);
  const { gallery } = checkpoint.card;
  const { of } = (await loadRelatives(checkpoint))!;
  expect(of.filter((some) => some.length > 0).length).toBeGreaterThan(0.7 * gallery.length);
  const unsuitable = new Set(
    selectGallery(
      gallery,
      gallery.map(() => new Float32Array()),
    ).unsuitable,
  );
  of.forEach((some, own) => {
    for (const relative of some) {
      expect(gallery[relative].kind).toBe(gallery[own].kind);
      expect(unsuitable.has(relative)).toBe(false);
    }
  });
});

test('a table is read as it was written; none is no error, and does not change the fingerprint', async () => {
  const folder = newFolder();
  const model = tinyModel();
  const checkpoint = { ...model, folder };
  const before = fingerprint(checkpoint);
  expect(await loadRelatives(checkpoint)).toBeUndefined();
  const table = { lentSteps: 12, homeSteps: 20, of: [[1], []] };
  writeFileSync(join(folder, RELATIVES_FILE), writeRelatives(table, model.card.gallery));
  expect(await loadRelatives(checkpoint)).toEqual(table);
  expect(fingerprint(checkpoint)).toBe(before);
});

const entries = (one: unknown, two: unknown) =>
  JSON.stringify({
    lentSteps: 12,
    homeSteps: 20,
    gallery: [
      { name: 'one', relatives: one },
      { name: 'two', relatives: two },
    ],
  });

test.each([
  ['no JSON', '{', 'is not JSON'],
  ['of no steps', entries([], []).replace('12', '0'), 'table of relatives: '],
  [
    'of another gallery',
    entries([], []).replace('two', 'three'),
    'does not belong to the gallery of 2',
  ],
  [
    'of a creature that is related to itself',
    entries([0], []),
    'does not belong to the gallery of 2',
  ],
  [
    'of a creature that is related to nobody there is',
    entries([2], []),
    'does not belong to the gallery of 2',
  ],
  ['of a creature with too many relatives', entries(Array(9).fill(1), []), 'table of relatives: '],
])('a table that is %s is refused', async (_, text, message) => {
  const folder = newFolder();
  writeFileSync(join(folder, RELATIVES_FILE), text);
  await expect(loadRelatives({ ...tinyModel(), folder })).rejects.toThrow(message);
});
