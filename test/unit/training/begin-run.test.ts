/**
 * Runs that begin with the weights of a checkpoint, train only its encoder, or refine its gallery.
 */
import { join } from 'node:path';
import { createCompute } from '../../../server/autodiff/create.ts';
import * as g from '../../../server/autodiff/graph.ts';
import { initialise, parameterInputs } from '../../../server/autodiff/parameters.ts';
import type { TrainingConfig } from '../../../server/training/config.ts';
import { gatherImages } from '../../../server/training/data/dataset.ts';
import { EvaluationBatch } from '../../../server/training/evaluate/evaluation-batch.ts';
import { encode } from '../../../server/training/model/networks.ts';
import { leakAt } from '../../../server/training/rollout/rollout-plan.ts';
import {
  beginRun,
  checkGallery,
  enlargeEncoder,
  refineOffsets,
} from '../../../server/training/run/begin-run.ts';
import { trainedModel, writeCheckpoint } from '../../../server/training/run/export.ts';
import { loadRun, type Run, saveRun } from '../../../server/training/run/run-folder.ts';
import {
  firstState,
  LATENTS,
  OFFSETS,
  runShapes,
  trainedShapes,
  trainedWeights,
} from '../../../server/training/run/run-state.ts';
import { loadModel } from '../../../server/vnca/checkpoint.ts';
import { type EncoderNetwork, encoderShapes } from '../../../server/vnca/encoder-network.ts';
import { createRandom } from '../../../shared/random.ts';
import { suiteFolder } from '../../support/closing.ts';
import { expectNear } from '../../support/compare.ts';
import { evaluate } from '../autodiff/contract.ts';
import { hexOf, numbersOf, tinyConfig, tinyData, tinyTrainers, updates } from './tiny-run.ts';

const folder = suiteFolder();
const compute = await createCompute('onnx', { threads: 1 });
afterAll(() => compute.dispose());
const start = tinyTrainers(compute);
const data = tinyData();

/** Returns the trained and the kept weights of a run. */
const weightsOf = (of: TrainingConfig, { state: { tensors } }: Pick<Run, 'state'>) =>
  new Map([...runShapes(of).keys()].map((name) => [name, tensors.get(`parameter:${name}`)!]));

/** Writes a checkpoint of a run. By default, its weights are random. */
async function write(
  name: string,
  config: TrainingConfig,
  run: Pick<Run, 'state'> = { state: firstState(config) },
): Promise<string> {
  const out = join(folder, name);
  const weights = weightsOf(config, run);
  await writeCheckpoint(out, await trainedModel(compute, { config, data, weights }));
  return out;
}

async function begin(options: object, config: TrainingConfig): Promise<Run & { said: string[] }> {
  const said: string[] = [];
  const say = (line: string) => said.push(line);
  return { ...(await beginRun({ resume: false, ...options }, config, folder, say)), said };
}

const update = { kind: 'residual', hidden: 5, leak: 0.5, stateLimit: 4 };
const encoder = (fields: object = {}, pad = 1) => ({
  ...{ input: '0..1', logSigmaRange: [-6, 2], ...fields },
  convolutions: [{ size: 3, stride: 2, pad, channels: 4 }],
});
const trained = tinyConfig({ update });

const from = await write('trained', trained);

test('a rule that was trained with a leak keeps it', async () => {
  const config = tinyConfig({ update, leakRamp: [0, 0.5], curriculum: [{ side: 4, until: 0.2 }] });
  const { state, said } = await begin({ from }, config);
  expect(leakAt(config, state.reached)).toBe(0.5);
  expect(state.update).toBe(0);
  expect(said).toEqual([]);
  const anew = await begin({}, config);
  expect(leakAt(config, anew.state.reached)).toBe(0);
});

test('what differs from the checkpoint is said, for rule and encoder', async () => {
  // The encoder's maps have the same size, so its weights have the same shapes.
  const config = tinyConfig({
    ...{ side: 10, data: { kind: 'folder', folder: 'none', side: 10, margin: 0 } },
    growth: { kind: 'uniform', steps: 4 },
    update: { ...update, leak: 0.25 },
    encoder: encoder({}, 0),
  });
  const { said } = await begin({ from }, config);
  expect(said).toHaveLength(2);
  for (const path of ['"side"', '"growth.kind"', '"update.leak"']) expect(said[0]).toContain(path);
  expect(said[1]).toContain('"encoder.convolutions.0.pad"');
  for (const line of said)
    expect(line).toMatch(new RegExp(`^${from} was trained with a different`));
});

test.each([
  ['input', { input: '-1..1' }],
  ['logSigmaRange', { logSigmaRange: [-6, 3] }],
  ['meanRange', { meanRange: [-9, 9] }],
])('an encoder with another %s is refused', async (field, fields) => {
  const config = tinyConfig({ update, encoder: encoder(fields) });
  const message = expect.stringMatching(new RegExp(`^${from}: "encoder.${field}" differs`));
  await expect(begin({ from }, config)).rejects.toMatchObject({ reason: 'bad-run', message });
});

test.each([
  ['rule', { update: { ...update, hidden: 6 } }],
  [
    'encoder',
    {
      update,
      encoder: { ...encoder(), convolutions: [{ size: 3, stride: 2, pad: 1, channels: 3 }] },
    },
  ],
])('a checkpoint with another %s is refused', async (_, fields) => {
  await expect(begin({ from }, tinyConfig(fields))).rejects.toMatchObject({ reason: 'bad-run' });
});

const image = { side: 8, channels: 4, latentSize: 3 };
const net = (convolutions: readonly number[], dense: readonly number[]): EncoderNetwork => ({
  input: '0..1',
  convolutions: convolutions.map((channels) => ({ size: 3, stride: 2, pad: 1, channels })),
  dense: [...dense],
  logSigmaRange: [-8, 2],
});
const drawn = (of: EncoderNetwork, seed: number) => ({
  net: of,
  tensors: initialise(encoderShapes(of, image), createRandom(seed)),
});
const small = drawn(net([3, 4], [5]), 1);

async function means({ net: of, tensors }: ReturnType<typeof drawn>): Promise<Float32Array> {
  const pixels = g.inputMap('image', [2, 8, 8, 4]);
  const { mean } = encode(of, parameterInputs(encoderShapes(of, image)), pixels);
  const random = createRandom(9);
  const shown = Float32Array.from({ length: 512 }, () => random.uniform());
  const parameters = [...tensors].map(([name, tensor]) => [`parameter:${name}`, tensor]);
  const given = { image: { shape: pixels.shape, data: shown }, ...Object.fromEntries(parameters) };
  return (await evaluate(compute, { mean }, given)).mean;
}

it('encodes as before with more units, all of which can learn', async () => {
  const large = drawn(net([5, 7], [9]), 2);
  const tensors = enlargeEncoder(small, large, image)!;
  expectNear(await means({ ...large, tensors }), await means(small), 1e-5);
  for (const [name, { shape, data }] of tensors) {
    expect([name, shape]).toEqual([name, encoderShapes(large.net, image).get(name)]);
    expect(data).toHaveLength(g.sizeOf(shape));
  }
  // Weights that lead to new units are random.
  const { data } = tensors.get('encoder.dense0.kernel')!;
  expect(data.filter((x, i) => i % 9 >= 5 && x === 0)).toHaveLength(0);
});

it.each<[string, EncoderNetwork, number?]>([
  ['smaller', net([3, 3], [5])],
  ['deeper', net([3, 4, 4], [5])],
  ['for another side', net([5, 7], [9]), 16],
])('one that is %s does not take its weights', (_, of, side = image.side) => {
  const shown = { ...image, side };
  const tensors = initialise(encoderShapes(of, shown), createRandom(2));
  expect(enlargeEncoder(small, { net: of, tensors }, shown)).toBeUndefined();
});

const heard = {
  ...{ kind: 'residual', hidden: 5, leak: 0.5, standingInput: true, stateLimit: 4 },
  genome: { hidden: 4, expressed: 2 },
};
const gallery = { update: heard, gallery: 4, optimiser: { learningRate: 0.01, average: 0.5 } };
const whole = tinyConfig({ ...gallery, updates: 120 });
const encoderOnly = tinyConfig({ ...gallery, updates: 120, beta: 0.1, trains: 'encoder' });

/** Writes a checkpoint of a rule that has learnt a little. */
async function learnt(seed: number): Promise<string> {
  const of = { ...whole, seed };
  const trainer = await start(of);
  await updates(trainer, 20);
  return write(`rule-${seed}`, of, { state: await trainer.state() });
}
const rule = await learnt(1);

test('the rule and the latents of the gallery stay bit for bit, while the encoder learns', async () => {
  // Use a new encoder, which has most to learn.
  const begun = await begin({ from: rule }, encoderOnly);
  const random = new Map(firstState(encoderOnly).tensors);
  for (const [name, tensor] of begun.state.tensors) {
    if (!name.startsWith('parameter:encoder.')) random.set(name, tensor);
  }
  const state = { ...begun.state, tensors: random };
  const trainer = await start(encoderOnly, state);
  const reports = await updates(trainer, 40);
  const after = await trainer.state();
  const loss = (some: typeof reports): number =>
    some.reduce((sum, { reconstruction }) => sum + reconstruction, 0);
  expect(loss(reports.slice(-8))).toBeLessThan(0.9 * loss(reports.slice(0, 8)));

  const [before, now] = [
    await loadModel(rule),
    await loadModel(await write('new', encoderOnly, { state: after })),
  ];
  const changed = [...before.tensors].filter(
    ([name, { data: numbers }]) => hexOf(numbers) !== hexOf(now.tensors.get(name)!.data),
  );
  expect(changed.map(([name]) => name).sort()).toEqual(
    [...before.tensors.keys()].filter((name) => name.startsWith('encoder.')).sort(),
  );
  expect([...now.tensors.keys()].sort()).toEqual([...before.tensors.keys()].sort());
  expect(now.card.gallery).toEqual(before.card.gallery);
  // The rule has no moments.
  const sets = [...after.tensors.keys()].filter((name) => !name.startsWith('parameter:'));
  expect(sets.every((name) => name.includes(':encoder.'))).toBe(true);
  expect(sets).toHaveLength(3 * trainedShapes(encoderOnly).size);
});

test('the gradient of the encoder is that of a run that trains everything', async () => {
  const begun = await begin({ from: rule }, encoderOnly);
  const encoderAfter = async (of: TrainingConfig) => {
    const trainer = await start(of, begun.state);
    await updates(trainer, 1);
    const { tensors } = await trainer.state();
    return [...tensors].filter(([name]) => name.startsWith('first:encoder.'));
  };
  // Without clipping, because clipping depends on the norm of all gradients.
  const free = { ...encoderOnly, optimiser: { ...encoderOnly.optimiser, clip: 1e9 } };
  expect(await encoderAfter(free)).toEqual(await encoderAfter({ ...free, trains: 'all' }));
});

test('a run that trains only the encoder continues as if it had not stopped', async () => {
  const { said: _, ...begun } = await begin({ from: rule }, encoderOnly);
  const whole = await start(encoderOnly, begun.state);
  const reports = await updates(whole, 4);
  const first = await start(encoderOnly, begun.state);
  const before = await updates(first, 2);
  await saveRun(folder, { ...begun, state: await first.state() }, encoderOnly);
  const loaded = await loadRun(folder, encoderOnly);
  expect(loaded.from).toBe(rule);
  const second = await start(encoderOnly, loaded.state);
  expect([...before, ...(await updates(second, 2))]).toEqual(reports);
  expect(numbersOf(await second.state())).toEqual(numbersOf(await whole.state()));
});

test('a run is refused without a checkpoint, with another rule, and with another gallery', async () => {
  await expect(begin({ from: undefined }, encoderOnly)).rejects.toMatchObject({
    reason: 'bad-run',
  });
  const leaking = tinyConfig({ ...gallery, trains: 'encoder', update: { ...heard, leak: 0.4 } });
  await expect(begin({ from: rule }, leaking)).rejects.toMatchObject({
    reason: 'bad-run',
    message: expect.stringContaining('"update.leak"'),
  });
  await checkGallery(encoderOnly, data, rule);
  const renamed = { ...data, entries: data.entries.toReversed() };
  await expect(checkGallery(encoderOnly, renamed, rule)).rejects.toMatchObject({
    reason: 'bad-run',
  });
  await checkGallery(whole, renamed, rule);
});

const shown = { gallery: 4, optimiser: { learningRate: 0.01, average: 0.5 } };
const withOffsets = { ...shown, galleryOffsets: {} };

test('refined offsets show the pictures of a gallery better; a strong pull keeps them in place', async () => {
  const config = tinyConfig(withOffsets);
  const trainer = await start(config);
  await updates(trainer, 2);
  const state = await trainer.state();
  const ruleOf = (of: typeof state) => ({
    ...{ config, data, weights: trainedWeights(config, of) },
  });
  const refinedWith = (pull: number) => refineOffsets(compute, ruleOf(state), state, { pull });
  const modelOf = (of: typeof state) => trainedModel(compute, ruleOf(of));
  const latentsOf = async (of: typeof state) => (await modelOf(of)).tensors.get(LATENTS)!.data;
  const batch = new EvaluationBatch(compute, await modelOf(state), 1);
  const images = gatherImages(data, Uint32Array.of(0, 1, 2, 3));
  const errorOf = async (latents: Float32Array) => {
    const cells = await batch.grow(latents);
    const squares = images.map((value, i) => {
      const cell = cells[6 * Math.floor(i / 4) + (i % 4)];
      return (Math.min(1, Math.max(0, cell)) - value) ** 2;
    });
    return squares.reduce((sum, value) => sum + value, 0) / squares.length;
  };

  const before = await latentsOf(state);
  const refined = await refinedWith(0);
  const after = await latentsOf(refined);
  expect(await errorOf(after)).toBeLessThan(0.99 * (await errorOf(before)));
  const held = await latentsOf(await refinedWith(1e6));
  // Stop after the second latent.
  let left = 2;
  const stop = { isAsked: () => left-- === 0 };
  const some = await latentsOf(
    await refineOffsets(compute, ruleOf(state), state, { pull: 0, stop }),
  );
  expect(some.subarray(0, 12)).toEqual(after.subarray(0, 12));
  expect(some.subarray(12)).toEqual(before.subarray(12));
  const distance = (a: Float32Array) => Math.hypot(...a.map((value, i) => value - before[i]));
  expect(distance(held)).toBeLessThan(0.1 * distance(after));

  const changed = [...refined.tensors].filter(
    ([name, tensor]) => tensor !== state.tensors.get(name),
  );
  expect(changed.map(([name]) => name)).toEqual([`parameter:${OFFSETS}`, `average:${OFFSETS}`]);
  await updates(await start(config, refined), 1);
});
