import { createOnnxCompute } from '../../../server/autodiff/onnx.ts';
import { gatherImages } from '../../../server/training/data/dataset.ts';
import { growthSegments } from '../../../server/training/model/segments.ts';
import { refineOffsets } from '../../../server/training/run/begin-run.ts';
import { trainedModel } from '../../../server/training/run/export.ts';
import {
  firstState,
  LATENTS,
  OFFSETS,
  trainedWeights,
} from '../../../server/training/run/run-state.ts';
import { Trainer } from '../../../server/training/run/trainer.ts';
import { tinyConfig, tinyData, updates } from './tiny-run.ts';

const compute = createOnnxCompute({ threads: 1 });
afterAll(() => compute.dispose());
const data = tinyData();

const shown = { gallery: 4, optimiser: { learningRate: 0.01, average: 0.5 } };
const withOffsets = { ...shown, galleryOffsets: {} };

test('refined offsets show the pictures of a gallery better; a strong pull keeps them in place', async () => {
  const config = tinyConfig(withOffsets);
  const trainer = await Trainer.create(compute, config, data, firstState(config));
  await updates(trainer, 2);
  const state = await trainer.state();
  const ruleOf = (of: typeof state) => ({
    ...{ config, data, training: {}, weights: trainedWeights(config, of) },
  });
  const refinedWith = (pull: number) => refineOffsets(compute, ruleOf(state), state, { pull });
  const latentsOf = async (of: typeof state) =>
    (await trainedModel(compute, ruleOf(of))).tensors.get(LATENTS)!.data;
  const images = gatherImages(data, Uint32Array.of(0, 1, 2, 3));
  const errorOf = async (latents: Float32Array) => {
    const cells = await trainer.run(latents, growthSegments(config, 2));
    const shown = images.map((value, i) => {
      const cell = cells[6 * Math.floor(i / 4) + (i % 4)];
      return (Math.min(1, Math.max(0, cell)) - value) ** 2;
    });
    return shown.reduce((sum, value) => sum + value, 0) / shown.length;
  };

  const before = await latentsOf(state);
  const refined = await refinedWith(0);
  const after = await latentsOf(refined);
  expect(await errorOf(after)).toBeLessThan(0.99 * (await errorOf(before)));
  const held = await latentsOf(await refinedWith(1e6));
  // Asked to stop after the second latent.
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
  const goesOn = await Trainer.create(compute, config, data, refined);
  await updates(goesOn, 1);
  await goesOn.dispose();
  await trainer.dispose();
});

test.each([
  ['has no offsets', shown],
  [
    'grows by chance',
    { ...withOffsets, update: { kind: 'simple', hidden: 5, updateProbability: 0.5 } },
  ],
])('a run that %s is refused', async (_, fields) => {
  const config = tinyConfig(fields);
  const state = firstState(config);
  const rule = { config, data, training: {}, weights: trainedWeights(config, state) };
  await expect(refineOffsets(compute, rule, state, { pull: 0 })).rejects.toMatchObject({
    reason: 'bad-config',
  });
});
