/** The encoder of pages, which is plain loops, and the encoder of training. */
import * as g from '../../../server/autodiff/graph.ts';
import { createOnnxCompute } from '../../../server/autodiff/onnx.ts';
import {
  divergence,
  openPosteriors,
  reparameterise,
} from '../../../server/training/model/networks.ts';
import { loadCheckpoint, type Model } from '../../../server/vnca/checkpoint.ts';
import { createEncoder } from '../../../server/vnca/encoder.ts';
import { finished } from '../../../shared/painter/genome-map.ts';
import { createRandom } from '../../../shared/random.ts';
import { expectNear } from '../../support/compare.ts';
import { CHECKPOINT_FOLDER } from '../../support/organisms.ts';
import { evaluate } from '../autodiff/contract.ts';
import { normals } from '../training/model/small.ts';
import { modelOf, tinyCard, tinyModel, withTensors } from './tiny-model.ts';

const compute = createOnnxCompute({ threads: 1 });

const run = (model: Model, pixels: Float32Array) => finished(createEncoder(model)!.encode(pixels));

async function trainedOn(model: Model, pixels: Float32Array) {
  const posteriors = await openPosteriors(compute, model);
  const posterior = await posteriors.encode(pixels, 1);
  await posteriors.dispose();
  return posterior;
}

/** How long each slice of the work took, ms. */
function slicesOf(steps: Iterator<unknown>): number[] {
  const slices: number[] = [];
  for (let done: boolean | undefined = false; !done; ) {
    const before = performance.now();
    ({ done } = steps.next());
    slices.push(performance.now() - before);
  }
  return slices;
}

/** A model with an encoder of random weights. */
function withEncoder(fields: Record<string, unknown>, channels: number): Model {
  const convolutions = [
    { size: 5, stride: 1, pad: 3, channels: 5 },
    { size: 3, stride: 2, pad: 1, channels: 7 },
  ];
  const range = [-0.5, 0.5];
  const encoder = { convolutions, meanRange: range, logSigmaRange: range, ...fields };
  const model = modelOf(
    tinyCard({
      encoder,
      ...(channels === 1 && {
        readout: { kind: 'bernoulli', channel: 0 },
        presence: { threshold: 0.1 },
      }),
    }),
  );
  // Written out, so that the shapes are tested too.
  const shapes = Object.entries({
    'conv0.kernel': [5, 5, channels, 5],
    'conv0.bias': [5],
    'conv1.kernel': [3, 3, 5, 7],
    'conv1.bias': [7],
    'dense0.kernel': [9 * 9 * 7, 11],
    'dense0.bias': [11],
    'dense1.kernel': [11, 12],
    'dense1.bias': [12],
  });
  return withTensors(model, new Map(shapes.map(([name, of]) => [`encoder.${name}`, of])), 2);
}

test.each([
  ['of ink, shifted', withEncoder({ input: '-1..1', dense: [11] }, 1), 16 * 16],
  ['of colours', withEncoder({ input: '0..1', dense: [11] }, 4), 16 * 16 * 4],
])('encodes as the training does: %s', async (_, model, size) => {
  const random = createRandom(4);
  const pixels = Float32Array.from({ length: size }, () => random.uniform());
  const { mean, logSigma } = await trainedOn(model, pixels);
  expect(mean).toHaveLength(6);
  expectNear(run(model, pixels), mean, 5e-5);
  // Pages need no log σ, which is the second half of the last layer: here it becomes the first.
  for (const name of ['kernel', 'bias']) {
    const { data } = model.tensors.get(`encoder.dense1.${name}`)!;
    for (let row = 0; row < data.length; row += 12) {
      data.set([...data.subarray(row + 6, row + 12), ...data.subarray(row, row + 6)], row);
    }
  }
  expectNear(run(model, pixels), logSigma, 5e-5);
});

test('latents are drawn from the posterior, and their divergence is that of two normals', async () => {
  const [mean, logSigma] = ['mean', 'logSigma'].map((name) => g.input(name, [2, 3]));
  const latents = reparameterise({ mean, logSigma }, g.input('noise', [2, 3]));
  const nats = divergence({ mean, logSigma });
  const [mu, log, noise] = [1, 2, 3].map((seed) => normals([2, 3], seed));
  const found = await evaluate(compute, { latents, nats }, { mean: mu, logSigma: log, noise });
  const sigma = log.data.map(Math.exp);
  expectNear(
    found.latents,
    mu.data.map((x, i) => x + sigma[i] * noise.data[i]),
    1e-5,
  );
  const terms = mu.data.map((x, i) => (x * x + sigma[i] ** 2 - 1 - 2 * log.data[i]) / 2);
  const sums = [0, 3].map((from) => terms.subarray(from, from + 3).reduce((a, b) => a + b));
  expectNear(found.nats, sums, 1e-5);
});

test('the shipped encoder agrees with training, in slices of a few milliseconds', async () => {
  const model = await loadCheckpoint(CHECKPOINT_FOLDER);
  const random = createRandom(7);
  const pixels = Float32Array.from({ length: 32 * 32 * 4 }, () => random.uniform());
  expectNear(run(model, pixels), (await trainedOn(model, pixels)).mean, 5e-4);
  // Garbage collection and other work may delay some: of each slice, the best of ten tries counts.
  const tries = Array.from({ length: 10 }, () => slicesOf(createEncoder(model)!.encode(pixels)));
  expect(tries[0].length).toBeGreaterThan(30);
  const best = tries[0].map((_, i) => Math.min(...tries.map((slices) => slices[i])));
  const nearlyAll = best.sort((a, b) => a - b)[Math.floor(best.length * 0.9)];
  expect(nearlyAll).toBeLessThan(10);
});

test('a checkpoint without a whole encoder has none', () => {
  expect(createEncoder(tinyModel())).toBeUndefined();
  const { card, tensors } = withEncoder({ input: '0..1', dense: [11] }, 4);
  const less = new Map(tensors);
  less.delete('encoder.dense1.bias');
  expect(createEncoder({ card, tensors: less })).toBeUndefined();
  expect(() => createEncoder({ card, tensors })!.encode(new Float32Array(3)).next()).toThrow(
    RangeError,
  );
});
