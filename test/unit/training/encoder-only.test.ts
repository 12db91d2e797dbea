/** Runs that train only the encoder of a checkpoint. */
import { join } from 'node:path';
import { createCompute } from '../../../server/autodiff/create.ts';
import type { TrainingConfig } from '../../../server/training/config.ts';
import { beginRun, checkGallery } from '../../../server/training/run/begin-run.ts';
import { trainedModel, writeCheckpoint } from '../../../server/training/run/export.ts';
import { loadRun, type Run, saveRun } from '../../../server/training/run/run-folder.ts';
import { firstState, runShapes, trainedShapes } from '../../../server/training/run/run-state.ts';
import { Trainer } from '../../../server/training/run/trainer.ts';
import { loadModel } from '../../../server/vnca/checkpoint.ts';
import { temporaryFolder } from '../../support/closing.ts';
import { hexOf, numbersOf, tinyConfig, tinyData, updates } from './tiny-run.ts';

const folder = temporaryFolder();
const compute = await createCompute('onnx', { threads: 1 });
afterAll(() => compute.dispose());

const GALLERY = 4;
const update = {
  ...{ kind: 'residual', hidden: 5, leak: 0.5, standingInput: true, stateLimit: 4 },
  genome: { hidden: 4, expressed: 2 },
};
const shown = { update, gallery: GALLERY, optimiser: { learningRate: 0.01, average: 0.5 } };
const whole = tinyConfig({ ...shown, updates: 120 });
const config = tinyConfig({ ...shown, updates: 120, beta: 0.1, trains: 'encoder' });
const data = tinyData();

const weightsOf = (of: TrainingConfig, { state: { tensors } }: Pick<Run, 'state'>) =>
  new Map([...runShapes(of).keys()].map((name) => [name, tensors.get(`parameter:${name}`)!]));

/** Writes a checkpoint of a run. */
async function write(name: string, of: TrainingConfig, run: Pick<Run, 'state'>): Promise<string> {
  const out = join(folder(), name);
  const weights = weightsOf(of, run);
  await writeCheckpoint(
    out,
    await trainedModel(compute, { config: of, data, weights, training: {} }),
  );
  return out;
}

/** A checkpoint of a rule that has learnt a little. */
async function trained(seed: number): Promise<string> {
  const of = { ...whole, seed };
  const trainer = await Trainer.create(compute, of, data, firstState(of));
  await updates(trainer, 20);
  const state = await trainer.state();
  await trainer.dispose();
  return write(`rule-${seed}`, of, { state });
}
let from: string;
let other: string;
beforeAll(async () => {
  from = await trained(1);
  other = await trained(2);
});

const begin = (options: object = {}, of = config): Promise<Run> =>
  beginRun({ resume: false, from, ...options }, of, folder());

test('the rule and the latents of the gallery stay bit for bit, while the encoder learns', async () => {
  // A new encoder has most to learn.
  const begun = await begin();
  const random = new Map(firstState(config).tensors);
  for (const [name, tensor] of begun.state.tensors) {
    if (!name.startsWith('parameter:encoder.')) random.set(name, tensor);
  }
  const state = { ...begun.state, tensors: random };
  const trainer = await Trainer.create(compute, config, data, state);
  const reports = await updates(trainer, 40);
  const after = await trainer.state();
  await trainer.dispose();
  const loss = (some: typeof reports): number =>
    some.reduce((sum, { reconstruction }) => sum + reconstruction, 0);
  expect(loss(reports.slice(-8))).toBeLessThan(0.9 * loss(reports.slice(0, 8)));

  const [before, now] = [
    await loadModel(from),
    await loadModel(await write('new', config, { state: after })),
  ];
  const changed = [...before.tensors].filter(
    ([name, { data: numbers }]) => hexOf(numbers) !== hexOf(now.tensors.get(name)!.data),
  );
  expect(changed.map(([name]) => name).sort()).toEqual(
    [...before.tensors.keys()].filter((name) => name.startsWith('encoder.')).sort(),
  );
  expect([...now.tensors.keys()].sort()).toEqual([...before.tensors.keys()].sort());
  expect(now.card.gallery).toEqual(before.card.gallery);
  // Nothing of the rule has moments.
  const sets = [...after.tensors.keys()].filter((name) => !name.startsWith('parameter:'));
  expect(sets.every((name) => name.includes(':encoder.'))).toBe(true);
  expect(sets).toHaveLength(3 * trainedShapes(config).size);
});

test('the gradient of the encoder is that of a run that trains everything', async () => {
  const begun = await begin();
  const encoderAfter = async (of: TrainingConfig) => {
    const trainer = await Trainer.create(compute, of, data, begun.state);
    await updates(trainer, 1);
    const { tensors } = await trainer.state();
    await trainer.dispose();
    return [...tensors].filter(([name]) => name.startsWith('first:encoder.'));
  };
  // Without clipping, which is by the norm of all gradients.
  const free = { ...config, optimiser: { ...config.optimiser, clip: 1e9 } };
  expect(await encoderAfter(free)).toEqual(await encoderAfter({ ...free, trains: 'all' }));
});

test('a run continues as if it had not stopped, and is the same on one worker and on two', async () => {
  const begun = await begin();
  const two = await createCompute('onnx', { threads: 2 });
  const fast = await Trainer.create(two, config, data, begun.state);
  const reports = await updates(fast, 4);
  const first = await Trainer.create(compute, config, data, begun.state);
  const before = await updates(first, 2);
  await saveRun(folder(), { ...begun, state: await first.state() }, config);
  const loaded = await loadRun(folder(), config);
  expect(loaded.from).toBe(from);
  const second = await Trainer.create(compute, config, data, loaded.state);
  expect([...before, ...(await updates(second, 2))]).toEqual(reports);
  expect(numbersOf(await second.state())).toEqual(numbersOf(await fast.state()));
  for (const trainer of [fast, first, second]) await trainer.dispose();
  await two.dispose();
});

test('a run may begin with the encoder of another checkpoint', async () => {
  const { state, encoder } = await begin({ encoder: other });
  expect(encoder).toBe(other);
  const [rule, mind] = [await loadModel(from), await loadModel(other)];
  for (const [name, { data: numbers }] of weightsOf(config, { state })) {
    const source = name.startsWith('encoder.') ? mind : rule;
    expect([name, hexOf(numbers)]).toEqual([name, hexOf(source.tensors.get(name)!.data)]);
  }
});

test('a run is refused without a checkpoint, with another rule, and with another gallery', async () => {
  await expect(begin({ from: undefined })).rejects.toMatchObject({ reason: 'bad-run' });
  const leaking = tinyConfig({ ...shown, trains: 'encoder', update: { ...update, leak: 0.4 } });
  await expect(begin({}, leaking)).rejects.toMatchObject({
    reason: 'bad-run',
    message: expect.stringContaining('"update.leak"'),
  });
  await checkGallery(config, data, from);
  const renamed = { ...data, entries: data.entries.toReversed() };
  await expect(checkGallery(config, renamed, from)).rejects.toMatchObject({ reason: 'bad-run' });
  await checkGallery(whole, renamed, from);
});
