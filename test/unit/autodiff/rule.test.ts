/** Compares the rule of training with the rule of pages, and tests its initial weights. */
import * as g from '../../../server/autodiff/graph.ts';
import { createOnnxCompute } from '../../../server/autodiff/onnx.ts';
import { initialise, parameterInputs } from '../../../server/autodiff/parameters.ts';
import { readGenome as readGenomeAs, ruleSteps } from '../../../server/autodiff/rule.ts';
import { updateShapes } from '../../../server/vnca/architecture.ts';
import {
  createScalarRule,
  drawUpdateMask,
  randomOfState,
} from '../../../server/vnca/scalar-rule.ts';
import { createRandom } from '../../../shared/random.ts';
import { expectNear } from '../../support/compare.ts';
import { normals } from '../training/model/small.ts';
import { tinyCard, tinyModel, UPDATES } from '../vnca/tiny-model.ts';
import { evaluate } from './contract.ts';

const SIDE = 5;
const PATCHES = 2;
const compute = createOnnxCompute({ threads: 1 });

/** Nets, and the number of steps to compare: one if a mask is drawn from the states. */
const NETS = [
  ...UPDATES.map((one) => [...one, 2] as const),
  ['some cells at a time', { kind: 'residual', hidden: 7, updateProbability: 0.5 }, 1] as const,
];

test.each(NETS)('%s: training steps as pages do', async (_, fields, steps) => {
  const model = tinyModel({ update: fields });
  const { channels, latentSize, update } = model.card;
  const states = normals([PATCHES, SIDE, SIDE, channels], 5);
  const latents = normals([PATCHES, latentSize], 6);
  const mask = normals([PATCHES, SIDE, SIDE, 1], 7);
  const wanted = Array.from({ length: PATCHES }, (_, patch) => {
    const [own, latent, cells] = [states, latents, mask].map(({ data }) => {
      const size = data.length / PATCHES;
      return data.subarray(patch * size, (patch + 1) * size);
    });
    drawUpdateMask(cells, update.updateProbability, randomOfState(own));
    const step = createScalarRule(model, { latents: [latent] });
    let state = own;
    for (let i = 0; i < steps; i++) state = step(state);
    return [...state];
  });
  const parameters = parameterInputs(updateShapes(model.card));
  const step = ruleSteps(update, parameters, {
    ...(update.standingInput && {
      genome: readGenomeAs(update, parameters, g.input('latents', latents.shape)),
    }),
  });
  const taken = steps === 1 ? g.inputMap('mask', mask.shape) : undefined;
  let at = g.inputMap('states', states.shape);
  for (let i = 0; i < steps; i++) at = step(at, taken);
  const weights = [...model.tensors].map(([name, tensor]) => [`parameter:${name}`, tensor]);
  const given = { states, latents, mask, ...Object.fromEntries(weights) };
  expectNear((await evaluate(compute, { at }, given)).at, wanted.flat(), 2e-5);
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
});
