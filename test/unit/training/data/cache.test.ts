import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadDataset } from '../../../../server/training/data/load-dataset.ts';
import { temporaryFolder } from '../../../support/closing.ts';
import { expectFailure, plain, put } from './support.ts';

const folder = temporaryFolder();
const cacheFolder = () => join(folder(), 'cache/deep');

/** Identifies the files of the cache: a file that is written again has another number. */
const filesNow = async (): Promise<string> => {
  const names: string[] = await readdir(cacheFolder()).catch(() => []);
  const whole = names.filter((name) => name.endsWith('.bin'));
  const files = await Promise.all(whole.map((name) => stat(join(cacheFolder(), name))));
  return files.map(({ ino, mtimeMs }) => `${ino} ${mtimeMs}`).join();
};

/** Loads, and says whether it was built. */
async function load(more: object = {}) {
  const before = await filesNow();
  const data = await loadDataset(
    { kind: 'folder', folder: join(folder(), 'images'), validationShare: 0.3, ...more },
    { cacheFolder: cacheFolder() },
  );
  return { data, built: (await filesNow()) !== before };
}

async function cacheFile(): Promise<string> {
  const files = await readdir(cacheFolder());
  expect(files).toHaveLength(1);
  return join(cacheFolder(), files[0]);
}

beforeAll(async () => {
  for (let i = 0; i < 5; i++) {
    const image = await plain('png', 20, 10, [50 * i, 0, 99, 0.2 * (i + 1)]);
    await put(folder(), `images/${i}.png`, image);
  }
});

test('two loads at once do not disturb each other', async () => {
  const [one, other] = await Promise.all([load(), load()]);
  expect(one.data).toEqual(other.data);
  expect((await load()).built).toBe(false);
  await cacheFile();
});

test('the second load equals the first without a build', async () => {
  await rm(cacheFolder(), { recursive: true });
  const first = await load();
  expect(first.built).toBe(true);
  const second = await load();
  expect(second.built).toBe(false);
  expect(second.data).toEqual(first.data);
  expect(second.data.pixels.constructor).toBe(Uint8Array);
});

const flipped = (bytes: Buffer, at: number): Buffer => {
  bytes[at] ^= 1;
  return bytes;
};
const damages: [string, (bytes: Buffer) => Buffer][] = [
  ['empty', () => Buffer.alloc(0)],
  ['cut', (bytes) => bytes.subarray(0, bytes.length >> 1)],
  ['another kind of file', () => Buffer.from('{"not": "a cache"}'.repeat(50))],
  ['damaged in its digest', (bytes) => flipped(bytes, 3)],
  ['damaged in a pixel', (bytes) => flipped(bytes, bytes.length >> 1)],
];
test.each(damages)('a cache file is rebuilt when it is %s', async (_, damage) => {
  const { data } = await load();
  const file = await cacheFile();
  const whole = await readFile(file);
  await writeFile(file, damage(Buffer.from(whole)));
  const again = await load();
  expect(again.built).toBe(true);
  expect(again.data).toEqual(data);
  expect(Buffer.compare(await readFile(await cacheFile()), whole)).toBe(0);
});
test('another configuration has another file', async () => {
  await load();
  expect((await load({ side: 16 })).built).toBe(true);
  expect((await load()).built).toBe(false);
  expect(await readdir(cacheFolder())).toHaveLength(2);
});

test('a cache that cannot be written is reported', async () => {
  const blocked = await put(folder(), 'blocked', 'a file');
  await expectFailure(
    loadDataset(
      { kind: 'folder', folder: join(folder(), 'images') },
      { cacheFolder: join(blocked, 'cache') },
    ),
    'unwritable-cache',
    'cannot be stored there (ENOTDIR)',
    'choose another cache folder',
  );
});
