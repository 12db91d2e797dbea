/** Opens the aligned faces of CelebA in a folder of the user. */
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ConfigOf } from './config.ts';
import { DatasetError, type DatasetSource, SPLITS, type SplitName } from './dataset.ts';
import { type ImageFile, listFingerprint, listImages, readPixels } from './folder.ts';
import { readStretched } from './read-picture.ts';

const PARTITION = 'list_eval_partition.txt';
const OFFICIAL_COUNT = 202_599;
/** Numbers of the last image of the train part and the last image of the validation part. */
const LAST_TRAIN = 162_770;
const LAST_VALIDATION = 182_637;

/**
 * Opens all images of the folder, which may hold the whole set or part of it, in the order of their
 * file names. The splits come from list_eval_partition.txt in or beside the folder or, if there is
 * no such list, from the official image numbers.
 *
 * @throws DatasetError missing-folder, empty-set, broken-list
 */
export async function openCeleba({ folder, side }: ConfigOf<'celeba'>): Promise<DatasetSource> {
  const files = await listImages(folder);
  const parts = partition(files, await findPartition(folder));
  const indices = (part: SplitName) =>
    Uint32Array.from(parts.flatMap((of, i) => (of === part ? [i] : [])));
  return {
    name: `celeba-${side}`,
    fingerprint: listFingerprint(files, parts.join('')),
    build: async () => ({
      name: 'celeba',
      side,
      channels: 3,
      count: files.length,
      pixels: await readPixels(files, side * side * 3, (path) => readStretched(path, side)),
      entries: files.map(({ path }) => ({ name: `Face ${stem(path)}`, kind: 'face' as const })),
      splits: { train: indices('train'), validation: indices('validation'), test: indices('test') },
      source: 'CelebA (Z. Liu, P. Luo, X. Wang, X. Tang, ICCV 2015), a folder given by the user',
      licence: 'non-commercial research only; the images must not be passed on',
      description:
        `${files.length.toLocaleString('en')} of the ${OFFICIAL_COUNT.toLocaleString('en')} aligned faces of CelebA, ` +
        `stretched to ${side}×${side}`,
    }),
  };
}

/** Finds the list of splits in or beside the folder, or undefined if there is none. */
async function findPartition(folder: string) {
  for (const at of [folder, dirname(folder), join(folder, 'Eval'), join(dirname(folder), 'Eval')]) {
    const file = join(at, PARTITION);
    const text = await readFile(file, 'utf8').catch(() => undefined);
    if (text !== undefined) return { file, parts: parsePartition(text, file) };
  }
  return undefined;
}

/**
 * Parses lines "000001.jpg 0": 0 train, 1 validation, 2 test. Keys are names without extension,
 * because images saved as PNG have a different extension from that in the list.
 */
function parsePartition(text: string, file: string): Map<string, SplitName> {
  const parts = new Map<string, SplitName>();
  text.split(/\r?\n/).forEach((line, i) => {
    if (line.trim() === '') return;
    const found = /^\s*(\S+)\s+([012])\s*$/.exec(line);
    if (found === null) {
      const next = 'use the list of CelebA, or remove the file to use the official ranges';
      const what = `line ${i + 1} is not a file name followed by 0, 1 or 2`;
      throw new DatasetError('broken-list', file, what, next);
    }
    parts.set(stem(found[1]), SPLITS[Number(found[2])]);
  });
  return parts;
}

function partition(
  files: readonly ImageFile[],
  list: Awaited<ReturnType<typeof findPartition>>,
): SplitName[] {
  return files.map(({ path }) => {
    const part = list === undefined ? officialPart(stem(path)) : list.parts.get(stem(path));
    if (part !== undefined) return part;
    const unofficial = `is not an official name (000001 … ${OFFICIAL_COUNT})`;
    const what = list ? `lacks ${basename(path)}` : unofficial;
    const next = `put the ${PARTITION} of these images into their folder, or train on them with "kind": "folder"`;
    throw new DatasetError('broken-list', list?.file ?? path, what, next);
  });
}

function officialPart(name: string): SplitName | undefined {
  const number = /^\d{6}$/.test(name) ? Number(name) : 0;
  if (number < 1 || number > OFFICIAL_COUNT) return undefined;
  return number <= LAST_TRAIN ? 'train' : number <= LAST_VALIDATION ? 'validation' : 'test';
}

function stem(file: string): string {
  return basename(file).replace(/\.[^.]*$/, '');
}
