import { readFileSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Dataset, packageFolder } from '../../../../server/training/data/dataset.ts';
import {
  type EmojiRecord,
  emojiKind,
  emojiName,
  isOfUnseenKind,
  isUnseen,
  listEmoji,
  openEmoji,
  UNSEEN,
} from '../../../../server/training/data/emoji.ts';
import { loadDataset } from '../../../../server/training/data/load-dataset.ts';
import { codeOf, STYLES } from '../../../../server/training/data/vectors.ts';
import { temporaryFolder } from '../../../support/closing.ts';
import { isFull } from '../../../support/needs.ts';
import { expectFailure, put } from './support.ts';

const folder = temporaryFolder();
const load = (
  set: 'bestiary' | 'organisms' | 'broad' | 'unseen' | 'seen',
  more: object = {},
): Promise<Dataset> => loadDataset({ kind: 'emoji', set, ...more }, { cacheFolder: folder() });

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

  test('have seen ones: the organisms first, then others, none of the unseen kinds', async () => {
    const seen = await load('seen');
    expect(seen.count).toBe(1172);
    expect(seen.entries.slice(0, organisms.count)).toEqual(organisms.entries);
    expect(seen.pixels.subarray(0, organisms.pixels.length)).toEqual(organisms.pixels);
    const pictureOf = ({ pixels }: Dataset, i: number): string =>
      Buffer.from(pixels.subarray(i * 4096, (i + 1) * 4096)).toString('latin1');
    const pictures = new Set(seen.entries.map((_, i) => pictureOf(seen, i)));
    const unseen = await load('unseen');
    expect(unseen.entries.filter((_, i) => pictures.has(pictureOf(unseen, i)))).toEqual([]);
  });

  test('of other styles show none of the unseen kinds, by code point', async () => {
    const { drawings } = await listEmoji({ set: 'seen', styles: [...STYLES] });
    expect(new Set(drawings.map(({ style }) => style))).toEqual(new Set(STYLES));
    expect(drawings.length).toBeGreaterThan(3000);
    const unseen = new Set(Object.values(UNSEEN).flat().map(codeOf));
    expect(drawings.filter(({ emoji }) => unseen.has(codeOf(emoji.unified)))).toEqual([]);
    // No picture of an unseen one has come in under another name.
    const { drawings: apart } = await listEmoji({ set: 'unseen', styles: [...STYLES] });
    expect(apart.length).toBeGreaterThan(400);
    const hidden = new Set(apart.map(({ svg }) => `${svg}`));
    expect(drawings.filter(({ svg }) => hidden.has(`${svg}`))).toEqual([]);
  });

  test('are named, and of a kind', () => {
    const kindOf = (name: string) => organisms.entries.find((entry) => entry.name === name)?.kind;
    expect(kindOf('Monkey Face')).toBe('animal');
    expect(kindOf('Tulip')).toBe('plant');
    expect(kindOf('Hot Dog')).toBe('food');
    expect(kindOf('Grinning Face')).toBe('face');
    expect(kindOf('Woman Mage')).toBe('face');
    expect(kindOf('Mermaid')).toBe('animal');
    expect(kindOf('Spider Web')).toBe('thing');
    expect(new Set(organisms.entries.map(({ name }) => name)).size).toBe(organisms.count);
  });
});

test('long names are replaced by short ones', () => {
  expect(emojiName({ name: 'CAT FACE WITH TEARS OF JOY', short_name: 'joy_cat' })).toBe('Joy Cat');
  expect(emojiName({ name: 'EAR OF MAIZE', short_name: 'corn' })).toBe('Ear of Maize');
  expect(emojiName({ name: 'T-REX', short_name: 't-rex' })).toBe('T-Rex');
});

test('an emoji without a known group is a thing', () => {
  expect(emojiKind({ subcategory: 'tool', short_name: 'hammer' })).toBe('thing');
});

const config = {
  kind: 'emoji',
  set: 'bestiary',
  side: 32,
  margin: 2,
  validationShare: 0,
} as const;
const build = (from: string) => openEmoji(config, from).build();

test('a broken package is reported by its checksum, missing picture or broken list', async () => {
  const original = packageFolder('emoji-datasource-google');
  const copy = join(folder(), 'copy');
  await mkdir(copy, { recursive: true });
  await cp(join(original, 'emoji.json'), join(copy, 'emoji.json'));
  await expectFailure(build(copy), 'missing-file', '.png: cannot be read (ENOENT)', '@16.0.0');

  const images = 'img/google/64';
  const { emoji } = await listEmoji({ set: 'bestiary' });
  await mkdir(join(copy, images), { recursive: true });
  for (const { image } of emoji) {
    await cp(join(original, images, image), join(copy, images, image));
  }
  await put(copy, 'img/google/64/1f438.png', 'no frog');
  await expectFailure(build(copy), 'checksum-mismatch', copy, 'sha256', '@16.0.0');

  await put(copy, 'emoji.json', '[{');
  await expectFailure(build(copy), 'broken-list', 'emoji.json: is not JSON', '@16.0.0');
});
