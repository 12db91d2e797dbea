import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { createOnnxCompute } from '../../../server/autodiff/onnx.ts';
import { gatherImages } from '../../../server/training/data/dataset.ts';
import { openPosteriors } from '../../../server/training/model/networks.ts';
import { identified, trainedModel, writeCheckpoint } from '../../../server/training/run/export.ts';
import { drawProgressSheet } from '../../../server/training/run/progress-sheet.ts';
import {
  firstState,
  trainedShapes,
  trainedWeights,
} from '../../../server/training/run/run-state.ts';
import { galleryLatent, loadCheckpoint } from '../../../server/vnca/checkpoint.ts';
import { temporaryFolder } from '../../support/closing.ts';
import { modelOf, tinyCard } from '../vnca/tiny-model.ts';
import { TINY_POOL, tinyConfig, tinyData, tinyTrainers, updates } from './tiny-run.ts';

const folder = temporaryFolder();
const compute = createOnnxCompute({ threads: 1 });
afterAll(() => compute.dispose());
const start = tinyTrainers(compute);

const shown = { presence: { threshold: 0.1 }, gallery: 4, trustedSteps: 30 };
const mixtures = { readout: { kind: 'dmol', mixtures: 2 }, channels: 20, latentSize: 20 };
const ink = { readout: { kind: 'bernoulli', channel: 0 } };
const uniform = { growth: { kind: 'uniform', steps: 4 }, growthSteps: [3, 6] };
const byChance = { kind: 'simple', hidden: 5, updateProbability: 0.5 };

test.each([
  ['RGBA, doubling, pool', tinyConfig({ ...shown, pool: TINY_POOL }), tinyData()],
  [
    'mixtures, doubling',
    tinyConfig({ ...shown, ...mixtures, update: { kind: 'res4', hidden: 6 } }),
    tinyData(3),
  ],
  [
    'ink, uniform, by chance',
    tinyConfig({ ...shown, ...ink, ...uniform, update: byChance }),
    tinyData(1),
  ],
])('a run exports a checkpoint that loads, with its gallery: %s', async (name, config, data) => {
  const out = join(folder(), name);
  const size = config.latentSize;
  const trainer = await start(config, undefined, { data });
  await updates(trainer, 3);
  const { tensors } = await trainer.state();
  const weights = new Map(
    [...trainedShapes(config).keys()].map((name) => [name, tensors.get(`parameter:${name}`)!]),
  );
  const training = { updates: '3 of 6' };
  const model = await trainedModel(compute, { config, data, weights }, training);
  await writeCheckpoint(out, model);

  const checkpoint = await loadCheckpoint(out);
  expect(checkpoint.card).toMatchObject({
    name: 'tiny',
    trustedSteps: 30,
    encoder: config.encoder,
    data: { set: 'six discs', licence: 'none', source: 'made up' },
    training,
  });
  expect(checkpoint.card.gallery).toEqual(data.entries.slice(0, 4));
  for (const [name, { data: numbers }] of weights) {
    expect(checkpoint.tensors.get(name)?.data).toEqual(numbers);
  }
  // The gallery's latents are the posterior means of its images.
  const posteriors = await openPosteriors(compute, checkpoint);
  const { mean: means } = await posteriors.encode(gatherImages(data, [0, 1, 2, 3]), 4);
  expect(means.some((x) => Math.abs(x) > 1e-3)).toBe(true);
  for (let i = 0; i < size; i++) {
    expect(galleryLatent(checkpoint, 3)[i]).toBeCloseTo(means[3 * size + i], 5);
  }
  // The run's picture sheet can be drawn.
  const sheet = await drawProgressSheet(compute, { config, data, weights }, config.side);
  expect(sheet.length).toBeGreaterThan(500);
});

test.each([
  ['grows', {}, 4],
  ['grows, stays and heals', { pool: TINY_POOL }, 6],
  ['grows and stays', { extraSteps: [0, 4] }, 6],
  ['makes small patches yet', { pool: TINY_POOL, closing: 1 }, 6, 4],
])('a sheet of a rule that %s has its rows', async (_, fields, rows, side = 8) => {
  const config = tinyConfig(fields);
  const weights = trainedWeights(config, firstState(config));
  const rule = { config, data: tinyData(), weights };
  const sheet = PNG.sync.read(await drawProgressSheet(compute, rule, side));
  // Tiles have 8 cells of three pixels, gaps of 8 pixels, and a margin of 16 pixels.
  expect(sheet.height).toBe(rows * (8 * 3 + 8) + 24);
});

test('other weights in the folder of a checkpoint leave nothing behind that was made of the former', async () => {
  const out = join(folder(), 'replaced');
  const first = identified(modelOf(tinyCard()));
  await writeCheckpoint(out, first);
  const own = ['card.json', 'gallery.png', 'model.safetensors'];
  const made = ['growth.png', 'heal.png', 'interpolation.png', 'map.json', 'map.png'].concat(
    ...['painter.safetensors', 'relatives.json', 'samples.png', 'wounds.png', 'gallery.avif'],
  );
  for (const name of [...made, 'notes.txt']) await writeFile(join(out, name), 'x');
  const cardFile = join(out, 'card.json');
  const card = async () => JSON.parse(await readFile(cardFile, 'utf8'));
  const painter = { version: 1, figures: {} };
  const known = { painter, figures: { elbo: -3 } };
  await writeFile(cardFile, JSON.stringify({ ...(await card()), ...known }));

  const said: string[] = [];
  const write = async (model: typeof first): Promise<string[]> => {
    await writeCheckpoint(out, model, (line) => said.push(line));
    return (await readdir(out)).sort();
  };
  expect(await write(first)).toEqual([...own, ...made, 'notes.txt'].sort());
  expect(await card()).toMatchObject(known);
  expect(said).toEqual([]);

  // The model as a command that changes latents has read it, with the painter's entry.
  const latents = first.tensors.get('gallery.latents')!;
  const moved = { ...latents, data: latents.data.map((x) => x + 1) };
  const tensors = new Map(first.tensors).set('gallery.latents', moved);
  const second = identified({ card: { ...first.card, painter }, tensors });
  expect(await write(second)).toEqual([...own, 'notes.txt']);
  expect(await card()).not.toHaveProperty('painter');
  expect((await card()).figures).toEqual({});
  expect(said).toHaveLength(1);
  for (const name of made) expect(said[0]).toContain(name);
  expect((await loadCheckpoint(out)).card.identity).toBe(second.card.identity);
});

test.each(['card.json', 'gallery.png', 'model.safetensors'])(
  'a checkpoint whose %s cannot be written leaves the one before as it was',
  async (name) => {
    const out = join(folder(), `unwritable ${name}`);
    const first = identified(modelOf(tinyCard()));
    await writeCheckpoint(out, first);
    await writeFile(join(out, 'relatives.json'), 'x');
    const before = (await readdir(out)).sort();
    const obstacle = join(out, `${name}.part`);
    await mkdir(obstacle);
    const second = identified(modelOf(tinyCard(), 2));
    await expect(writeCheckpoint(out, second)).rejects.toThrow(/EISDIR/);
    await rm(obstacle, { recursive: true });
    expect((await readdir(out)).sort()).toEqual(before);
    expect((await loadCheckpoint(out)).card.identity).toBe(first.card.identity);
    await writeCheckpoint(out, second);
    expect((await loadCheckpoint(out)).card.identity).toBe(second.card.identity);
  },
);
