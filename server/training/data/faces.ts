/** Loads the aligned faces of CelebA in a folder of the user. */
import { basename } from 'node:path';
import type { ConfigOf } from './config.ts';
import { type Dataset, DatasetError, type SplitName } from './dataset.ts';
import { listImages, readPixels } from './folder.ts';
import { readStretched } from './read-picture.ts';

const OFFICIAL_COUNT = 202_599;
/** Numbers of the last image of the train part and the last image of the validation part. */
const LAST_TRAIN = 162_770;
const LAST_VALIDATION = 182_637;

/**
 * Loads all images of the folder, which may hold the whole set or part of it, in the order of their
 * file names. The splits follow from the official image numbers.
 *
 * @throws DatasetError missing-folder, empty-set, broken-list
 */
export async function loadCeleba({ folder, side }: ConfigOf<'celeba'>): Promise<Dataset> {
  const files = await listImages(folder);
  const parts = files.map((path) => {
    const part = officialPart(stem(path));
    if (part) return part;
    const what = `is not an official name (000001 … ${OFFICIAL_COUNT})`;
    const next = 'give it the name that it has in CelebA, or train with "kind": "folder"';
    throw new DatasetError('broken-list', path, what, next);
  });
  const indices = (part: SplitName) =>
    Uint32Array.from(parts.flatMap((of, i) => (of === part ? [i] : [])));
  return {
    name: 'celeba',
    side,
    channels: 3,
    count: files.length,
    pixels: await readPixels(files, side * side * 3, (path) => readStretched(path, side)),
    entries: files.map((path) => ({ name: `Face ${stem(path)}`, kind: 'face' as const })),
    splits: { train: indices('train'), validation: indices('validation'), test: indices('test') },
    source: 'CelebA (Z. Liu, P. Luo, X. Wang, X. Tang, ICCV 2015), a folder given by the user',
    licence: 'non-commercial research only; the images must not be passed on',
    description:
      `${files.length.toLocaleString('en')} of the ${OFFICIAL_COUNT.toLocaleString('en')} aligned faces of CelebA, ` +
      `stretched to ${side}×${side}`,
  };
}

function officialPart(name: string): SplitName | undefined {
  const number = /^\d{6}$/.test(name) ? Number(name) : 0;
  if (number < 1 || number > OFFICIAL_COUNT) return undefined;
  return number <= LAST_TRAIN ? 'train' : number <= LAST_VALIDATION ? 'validation' : 'test';
}

function stem(file: string): string {
  return basename(file).replace(/\.[^.]*$/, '');
}
