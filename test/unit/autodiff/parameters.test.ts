import { initialise, parameterInputs } from '../../../server/autodiff/parameters.ts';
import { updateShapes } from '../../../server/vnca/architecture.ts';
import { createRandom } from '../../../shared/random.ts';
import { tinyCard } from '../vnca/tiny-model.ts';

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
