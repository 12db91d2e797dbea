/** The files of checkpoints that are kept with stored rooms. */
import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Log, silentLog } from '../../../server/platform/log.ts';
import { checkpointCopier, loadKeptCheckpoints } from '../../../server/rooms/kept-checkpoints.ts';
import { loadCheckpoint } from '../../../server/vnca/checkpoint.ts';
import { fingerprint } from '../../../server/vnca/checkpoint-fingerprint.ts';
import { loadMaps } from '../../../server/vnca/latent-map.ts';
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

test.each([
  ['is not a map', () => writeFileSync(join(kept, 'map.json'), '[')],
  ['cannot be read', () => mkdir(join(kept, 'map.json'))],
])('a kept checkpoint whose map %s gets another, and the log says so', async (_, spoil) => {
  rmSync(join(kept, 'map.json'), { force: true });
  await spoil();
  said.length = 0;
  const [one] = await loadKeptCheckpoints(data, [], log);
  expect(said).toEqual([expect.stringContaining('map.json')]);
  const all = [...one.card.gallery.keys()];
  await expect(loadMaps(one, all)).rejects.toThrow('map.json');
  expect((await loadMaps(one, all, !one.hasBadMap))?.wholeMap).toHaveLength(all.length);
  rmSync(join(kept, 'map.json'), { recursive: true });
});

test.each([
  ['is none', () => writeFileSync(join(kept, 'painter.safetensors'), 'none')],
  ['cannot be read', () => mkdir(join(kept, 'painter.safetensors'))],
])('a kept checkpoint whose painter %s has none, and the log says so', async (_, spoil) => {
  await spoil();
  said.length = 0;
  const [one] = await loadKeptCheckpoints(data, [], log);
  expect(said).toEqual([expect.stringContaining('painter.safetensors')]);
  expect(fingerprint(one)).toBe(hash);
  expect(one.painter).toBeUndefined();
  rmSync(join(kept, 'painter.safetensors'), { recursive: true });
});

test.each([
  ['is not a table', () => writeFileSync(join(kept, 'relatives.json'), '{}')],
  ['cannot be read', () => mkdir(join(kept, 'relatives.json'))],
])(
  'a kept checkpoint whose table of relatives %s is left out, and the log names it',
  async (_, spoil) => {
    rmSync(join(kept, 'relatives.json'), { force: true });
    await spoil();
    said.length = 0;
    expect(await loadKeptCheckpoints(data, [], log)).toEqual([]);
    expect(said).toEqual([expect.stringContaining('relatives.json')]);
  },
);
