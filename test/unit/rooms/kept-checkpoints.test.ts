/** The files of checkpoints that are kept with stored rooms. */
import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Log, silentLog } from '../../../server/platform/log.ts';
import { checkpointCopier, loadKeptCheckpoints } from '../../../server/rooms/loaded-checkpoint.ts';
import { fingerprint, loadCheckpoint } from '../../../server/vnca/checkpoint.ts';
import { loadMaps } from '../../../server/vnca/gallery-map.ts';
import { loadRelatives, writeRelatives } from '../../../server/vnca/relatives.ts';
import { suiteFolder } from '../../support/closing.ts';

const scratch = suiteFolder();
const [installed, data] = [join(scratch, 'installed'), join(scratch, 'data')];
cpSync('test/fixtures/checkpoints/small', installed, { recursive: true });
const checkpoint = await loadCheckpoint(installed);
const hash = fingerprint(checkpoint);
const kept = join(data, 'checkpoints', hash);
const said: string[] = [];
const log: Log = { ...silentLog, warn: (_, sentence) => said.push(sentence) };
const keep = () => checkpointCopier(data, new Map([['emoji', installed]]), log)('emoji', hash);

/** The checkpoint as another release ships it, with the same weights. */
function release(changes: object): void {
  const file = join(installed, 'card.json');
  const card = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify({ ...card, ...changes }));
}

test.each([
  ['cut off', () => truncateSync(join(kept, 'model.safetensors'), 1_000)],
  ['missing', () => rmSync(join(kept, 'gallery.png'))],
])('what is kept with a file that is %s is replaced', async (_, spoil) => {
  await keep();
  spoil();
  await keep();
  expect(fingerprint(await loadCheckpoint(kept))).toBe(hash);
  expect(readdirSync(join(data, 'checkpoints'))).toEqual([hash]);
  expect(said).toEqual([]);
});

test('what is kept takes over a new card and a new table of relatives, but not other weights', async () => {
  await keep();
  const first = await loadCheckpoint(kept);
  expect(await loadRelatives(first)).toBeUndefined();
  const of = checkpoint.card.gallery.map((_, i) => (i === 0 ? [1] : []));
  const table = { lentSteps: 3, homeSteps: 4, of };
  writeFileSync(join(installed, 'relatives.json'), writeRelatives(table, checkpoint.card.gallery));
  release({ closing: 7 });
  await keep();
  const second = await loadCheckpoint(kept);
  expect(second.card).toEqual({ ...first.card, closing: 7 });
  expect(await loadRelatives(second)).toEqual(table);
  release({ trustedSteps: 77, closing: 9 });
  await keep();
  expect((await loadCheckpoint(kept)).card).toEqual(second.card);
  expect(readdirSync(join(data, 'checkpoints'))).toEqual([hash]);
  expect(said).toEqual([]);
  const [one] = await loadKeptCheckpoints(data, [], log);
  expect(one.card.closing).toBe(7);
});

/** What is no such file. */
const SPOILED = { 'map.json': '[', 'painter.safetensors': 'none', 'relatives.json': '{}' };
test.each(
  Object.entries(SPOILED).flatMap(([file, text]): [string, string | undefined][] => [
    [file, text],
    [file, undefined],
  ]),
)(
  'a kept checkpoint whose %s is %j, or cannot be read, does without or is left out, and the log says so',
  async (file, text) => {
    const path = join(kept, file);
    rmSync(path, { force: true });
    await (text === undefined ? mkdir(path) : writeFile(path, text));
    said.length = 0;
    const [one] = await loadKeptCheckpoints(data, [], log);
    for (const sentence of said) expect(sentence).toContain(file);
    if (file === 'relatives.json') {
      expect([one, said.at(-1)]).toEqual([undefined, expect.stringContaining('unusable')]);
    } else expect([said.length, fingerprint(one), one.painter]).toEqual([1, hash, undefined]);
    if (file === 'map.json') {
      const all = [...one.card.gallery.keys()];
      await expect(loadMaps(one, all)).rejects.toThrow(file);
      expect((await loadMaps(one, all, !one.hasBadMap))?.wholeMap).toHaveLength(all.length);
    }
    rmSync(path, { recursive: true });
  },
);

describe('one flipped byte', () => {
  const place = join(scratch, 'flipped');
  const [shipped, later, own] = ['shipped', 'later', 'data'].map((name) => join(place, name));
  const folder = join(own, 'checkpoints', hash);

  beforeEach(async () => {
    rmSync(place, { recursive: true, force: true });
    cpSync('test/fixtures/checkpoints/small', shipped, { recursive: true });
    for (const file of ['painter.safetensors', 'gallery.avif']) {
      cpSync(join('checkpoints/organisms', file), join(shipped, file));
    }
    const { gallery } = checkpoint.card;
    const of = gallery.map((_, i) => (i === 0 ? [1] : []));
    writeFileSync(
      join(shipped, 'relatives.json'),
      writeRelatives({ lentSteps: 3, homeSteps: 4, of }, gallery),
    );
    const map = gallery.map(({ name, kind }, i) => ({
      name,
      kind,
      x: i / gallery.length,
      y: 0.25,
    }));
    writeFileSync(join(shipped, 'map.json'), JSON.stringify(map));
    await checkpointCopier(own, new Map([['emoji', shipped]]), log)('emoji', hash);
    // Another release: its weights are others, most of its files are the same.
    cpSync(shipped, later, { recursive: true });
    const { identity: _, ...card } = JSON.parse(readFileSync(join(later, 'card.json'), 'utf8'));
    writeFileSync(join(later, 'card.json'), JSON.stringify({ ...card, trustedSteps: 77 }));
    said.length = 0;
  });

  /** Flips a bit with which the file loads all the same. @returns the file before */
  const flip = (file: string): Buffer => {
    const path = join(folder, file);
    const bytes = readFileSync(path);
    const before = Buffer.from(bytes);
    const text = bytes.toString('latin1');
    const place = file.endsWith('.json') ? text.search(/Small|3,|25/) : bytes.length - 40;
    bytes[place] ^= 1;
    writeFileSync(path, bytes);
    return before;
  };
  const start = async (...installed: string[]) =>
    loadKeptCheckpoints(own, await Promise.all(installed.map((one) => loadCheckpoint(one))), log);

  test.each([
    'model.safetensors',
    'painter.safetensors',
    'relatives.json',
    'map.json',
    'gallery.png',
    'gallery.avif',
  ])('in a kept %s is named, and the shipped one is used where it is the same', async (file) => {
    const before = flip(file);
    const [one] = await start(later);
    expect(said).toEqual([expect.stringContaining(join(folder, file))]);
    expect(readFileSync(join(folder, file))).toEqual(before);
    expect(one.painter).toBeDefined();
    expect(await start(later)).toHaveLength(1);
    expect(said).toHaveLength(1);
  });

  test.each([
    ['card.json', 1],
    ['relatives.json', 1],
    ['gallery.png', 1],
    ['model.safetensors', 0],
  ])(
    'in a kept %s is named where no other is installed, and only other weights are left out',
    async (file, usable) => {
      flip(file);
      expect(await start()).toHaveLength(usable);
      expect(said).toHaveLength(2 - usable);
      expect(said[0]).toContain(join(folder, file));
    },
  );

  test('is named while the same checkpoint is installed, from which all is kept again', async () => {
    const before = flip('card.json');
    // Another card of the same weights.
    const card = JSON.parse(readFileSync(join(shipped, 'card.json'), 'utf8'));
    writeFileSync(join(shipped, 'card.json'), JSON.stringify({ ...card, closing: 9 }));
    expect(await start(shipped)).toEqual([]);
    expect(said).toEqual([expect.stringContaining(join(folder, 'card.json'))]);
    await checkpointCopier(own, new Map([['emoji', shipped]]), log)('emoji', hash);
    expect(readFileSync(join(folder, 'card.json'))).not.toEqual(before);
    await start(shipped);
    expect(said).toHaveLength(1);
  });

  test('in the sums themselves stops nothing', async () => {
    flip('SHA256SUMS');
    expect(await start()).toHaveLength(1);
    expect(said).toEqual([]);
  });
});
