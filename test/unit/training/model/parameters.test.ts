/** Sizes and initial values of nets, and those of the baseline as published. */
import * as g from '../../../../server/training/autodiff/graph.ts';
import { initialise, parameterInputs } from '../../../../server/training/model/parameters.ts';
import { updateShapes } from '../../../../server/vnca/architecture.ts';
import { createRandom } from '../../../../shared/random.ts';
import { tinyCard } from '../../vnca/tiny-model.ts';
import { countNumbers } from '../tiny-run.ts';
import { baselineShapes, CELEBA_BASELINE, decodeBaseline, MNIST_BASELINE } from './baseline.ts';

// Palm et al. 2022, and Aillet & Sondén 2023.
test.each([
  ['MNIST', MNIST_BASELINE, 4_879_617, [2, 32, 32, 1]],
  ['CelebA 64²', CELEBA_BASELINE, 2_036_780, [2, 64, 64, 10]],
])('the baseline for %s decodes with as many parameters as published', (_, net, count, shape) => {
  const shapes = baselineShapes(net);
  expect(countNumbers(shapes)).toBe(count);
  const latents = g.input('latents', [2, net.latentSize]);
  expect(decodeBaseline(net, parameterInputs(shapes), latents).shape).toEqual(shape);
});

describe('initial values', () => {
  const update = { kind: 'res4', hidden: 12 };
  const shapes = updateShapes(tinyCard({ channels: 16, latentSize: 16, update }));
  const tensors = initialise(shapes, createRandom(1));

  it('are zero in the last layer only', () => {
    for (const [name, { data }] of tensors) {
      const isLast = name.startsWith('update.out.');
      expect(data.every((x) => x === 0)).toBe(isLast);
    }
  });

  it('are uniform in ±1/√fan-in, kernels and biases', () => {
    for (const layer of ['perceive', 'block0.inner']) {
      const bound = 1 / Math.sqrt(layer === 'perceive' ? 9 * 16 : 12);
      for (const part of ['kernel', 'bias']) {
        const { data } = tensors.get(`update.${layer}.${part}`)!;
        const largest = data.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
        expect(largest).toBeLessThanOrEqual(bound * (1 + 1e-6));
        expect(largest).toBeGreaterThan(0.7 * bound);
      }
      const { data } = tensors.get(`update.${layer}.kernel`)!;
      const variance = data.reduce((sum, x) => sum + x * x, 0) / data.length;
      expect(variance / (bound ** 2 / 3)).toBeCloseTo(1, 0);
    }
  });

  it('are named when missing', () => {
    expect(() => parameterInputs(shapes)('update.none')).toThrow('no parameter "update.none"');
  });
});
