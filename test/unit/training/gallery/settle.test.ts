/** A rule that moves where a number of the latent is positive, and rests elsewhere. */
import { createOnnxCompute } from '../../../../server/autodiff/onnx.ts';
import { EvaluationBatch } from '../../../../server/training/evaluate/evaluation-batch.ts';
import { measureMovements } from '../../../../server/training/evaluate/stability.ts';
import { settleLatents } from '../../../../server/training/gallery/settle.ts';
import type { Model } from '../../../../server/vnca/checkpoint.ts';
import { createRandom } from '../../../../shared/random.ts';
import { smallModel } from '../evaluate/small.ts';

const compute = createOnnxCompute({ threads: 1 });
const update = { kind: 'residual', hidden: 7, activation: 'relu' };
const readout = { kind: 'rgba-premultiplied', channels: [0, 1, 2, 3] };

/** Makes a rule whose organisms move or rest. @param drift growth of channel 0 per step */
function movingModel(drift = 0): Model {
  const model = smallModel({ update, readout });
  const weights = (name: string): Float32Array => model.tensors.get(`update.${name}`)!.data;
  for (const [name, { data }] of model.tensors) if (name.startsWith('update.')) data.fill(0);
  // The first unit hears channel 5 of the cell itself, and channel 0 rises by a hundredth of it.
  weights('perceive.kernel')[(4 * 6 + 5) * 7] = 1;
  weights('hidden.kernel')[0] = 1;
  weights('out.kernel')[0] = 0.01;
  weights('out.bias')[0] = drift;
  return model;
}

const Z = 6;
const STILL = [0.2, 0.2, 0.2, 0.9, 0, -0.05];
const MOVING = [0.2, 0.2, 0.2, 0.9, 0, 0.05];

async function settle(model: Model, ...latents: number[][]) {
  const batch = new EvaluationBatch(compute, model, 1);
  const before = Float32Array.from(latents.flat());
  const settled = await settleLatents(batch, before, createRandom(3));
  const states = await batch.grow(settled.latents);
  const movements = await measureMovements(batch, {
    ...{ latents: settled.latents, states, count: latents.length },
  });
  await batch.dispose();
  return { ...settled, before, movements };
}

test('organisms that move come to rest and look as before; others keep their latents', async () => {
  const { latents, before, restless, moved, movements } = await settle(
    movingModel(),
    STILL,
    MOVING,
  );
  expect(restless).toEqual([1]);
  expect(movements[0]).toBe(0);
  expect(movements[1]).toBeLessThanOrEqual(1);
  expect(moved.get(1)).toBeLessThan(0.002);
  expect(latents.subarray(0, Z)).toEqual(before.subarray(0, Z));
  expect(latents.subarray(Z)).not.toEqual(before.subarray(Z));
});

test('what finds no rest nearby stays as it is', async () => {
  const { latents, before, restless, moved } = await settle(movingModel(0.002), STILL);
  expect(restless).toEqual([0]);
  expect([...moved]).toEqual([]);
  expect(latents).toEqual(before);
});
