/** The rule of training against the rule of pages. */
import * as g from '../../../server/autodiff/graph.ts';
import { createOnnxCompute } from '../../../server/autodiff/onnx.ts';
import { parameterInputs } from '../../../server/autodiff/parameters.ts';
import { readGenome as readGenomeAs, ruleSteps } from '../../../server/autodiff/rule.ts';
import { growthSegments, Segments } from '../../../server/training/model/segments.ts';
import { updateShapes } from '../../../server/vnca/architecture.ts';
import {
  createScalarRule,
  drawUpdateMask,
  randomOfState,
} from '../../../server/vnca/scalar-rule.ts';
import { expectNear } from '../../support/near.ts';
import { type Numbers, normals, upload } from '../training/model/small.ts';
import { tinyCard, tinyModel, UPDATES } from '../vnca/tiny-model.ts';
import { evaluate } from './contract.ts';

const SIDE = 5;
const PATCHES = 2;
const compute = createOnnxCompute({ threads: 1 });

const parametersOf = (tensors: ReadonlyMap<string, Numbers>): Record<string, Numbers> =>
  Object.fromEntries([...tensors].map(([name, tensor]) => [`parameter:${name}`, tensor]));

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
    const step = createScalarRule(model, latent);
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
  const given = { states, latents, mask, ...parametersOf(model.tensors) };
  expectNear((await evaluate(compute, { at }, given)).at, wanted.flat(), 2e-5);
});

const last = { 'update.out.kernel': 0, 'update.out.bias': 0 };

test.each([
  ['doubling', { kind: 'doubling', seedSide: 2, stepsPerStage: 3 }],
  ['uniform', { kind: 'uniform', steps: 7 }],
])('growth (%s) of a rule that begins at zero shows the latent everywhere', async (_, growth) => {
  const update = { kind: 'res4', hidden: 5 };
  const card = tinyCard({ side: 8, growth, update });
  const { tensors } = tinyModel({ side: 8, growth, update });
  const parameters = parametersOf(tensors);
  for (const name of Object.keys(last)) parameters[`parameter:${name}`].data.fill(0);
  const latents = normals([2, card.latentSize], 3);
  const segments = new Segments({
    compute,
    spec: card,
    likelihood: { kind: 'bernoulli', channel: 0 },
    batch: 2,
  });
  let states = {};
  for (const segment of growthSegments(card, 2)) {
    const program = await segments.forward(segment);
    const { latents: z, ...given } = upload(compute, { latents, ...parameters });
    const conditioning = await segments.condition(given, z);
    states = await program.run({ ...given, ...conditioning.inputs, ...states });
  }
  const grown = await compute.read((states as { states: never }).states);
  expect(grown).toHaveLength(2 * 64 * card.latentSize);
  grown.forEach((x, i) => {
    const patch = Math.floor(i / (64 * card.latentSize));
    expect(x).toBe(latents.data[patch * card.latentSize + (i % card.latentSize)]);
  });
  await segments.dispose();
});
