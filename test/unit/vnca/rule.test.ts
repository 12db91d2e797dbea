/**
 * The back ends of rooms against the rule of pages. TensorFlow.js has kernels of its own, and golden
 * vectors tell what another framework computes.
 */
import type { RuleBackend } from '../../../server/engine/backend.ts';
import { stateLayout } from '../../../server/engine/core/batch-stepper.ts';
import { startNative } from '../../../server/engine/native/native.ts';
import { tileable } from '../../../server/engine/onnx/graph.ts';
import { startOnnx } from '../../../server/engine/onnx/onnx.ts';
import type { Model } from '../../../server/vnca/checkpoint.ts';
import {
  createScalarRule,
  drawUpdateMask,
  randomOfState,
} from '../../../server/vnca/scalar-rule.ts';
import { createRandom } from '../../../shared/random.ts';
import { startTfjsCpu } from '../../support/tfjs-cpu.ts';
import { hasCompiler } from '../engine/native/support.ts';
import { CONTRACT_MODELS } from '../engine/support.ts';
import { tinyModel } from './tiny-model.ts';

/** The mask of a patch, for rules with stochastic updates. */
function maskOf({ card }: Model, state: Float32Array): Float32Array {
  const mask = new Float32Array(state.length / card.channels);
  drawUpdateMask(mask, card.update.updateProbability, randomOfState(state));
  return mask;
}

const largestError = (found: ArrayLike<number>, wanted: ArrayLike<number>): number => {
  expect(found).toHaveLength(wanted.length);
  let most = 0;
  // Without a limit, states grow large.
  for (let i = 0; i < wanted.length; i++) {
    most = Math.max(most, Math.abs(found[i] - wanted[i]) / Math.max(1, Math.abs(wanted[i])));
  }
  return most;
};

const genome = { hidden: 6, expressed: 3 };
/** Nets that the contract lacks: only large ones use the runtime's own layout. */
const MORE: readonly Model[] = [
  tinyModel({
    ...{ name: 'large', channels: 32, latentSize: 40 },
    update: {
      ...{ kind: 'residual', hidden: 80, activation: 'relu', standingInput: true, leak: 0.5 },
      ...{ stateLimit: 4, genome: { ...genome, scalesPerception: false } },
    },
  }),
  tinyModel({
    ...{ name: 'simple-genome', channels: 16, latentSize: 16 },
    update: { kind: 'simple', hidden: 16, standingInput: true, genome },
  }),
  tinyModel({
    name: 'nothing-expressed',
    update: {
      ...{ kind: 'residual', hidden: 7, standingInput: true },
      genome: { ...genome, expressed: 0 },
    },
  }),
  tinyModel({
    name: 'deep-standing',
    update: { kind: 'res4', hidden: 6, standingInput: true, stateLimit: 1 },
  }),
  tinyModel({ name: 'last-bias', update: { kind: 'simple', hidden: 9, outBias: true } }),
];
const CARDS = [...CONTRACT_MODELS, ...MORE]
  .map(({ card }) => card)
  .filter(({ name }) => name !== 'runaway');
const PATCHES = 3;
/** Two of them compute large sides in tiles. */
const BACKENDS = [startTfjsCpu, startOnnx, ...(hasCompiler ? [startNative] : [])];

/** One step of patches. @returns [patches, s, s, C] */
async function stepOn(
  backend: RuleBackend,
  model: Model,
  stage: number,
  patches: readonly { readonly state: Float32Array; readonly latent: Float32Array }[],
): Promise<Float32Array> {
  const { channels, update } = model.card;
  const rule = await backend.load(model);
  const layout = stateLayout(channels, backend.planar);
  const joined = (rows: readonly Float32Array[]) =>
    Float32Array.from(rows.flatMap((row) => [...row]));
  const conditioning = patches.flatMap(({ latent }) => rule.condition?.(latent) ?? []);
  const size = stage * stage * channels;
  const after = new Float32Array(patches.length * size);
  await rule.step({
    ...{ count: patches.length, stage, after },
    states: joined(patches.map(({ state }) => layout.import(state))),
    ...(conditioning.length > 0 && { conditioning: joined(conditioning) }),
    ...(update.updateProbability < 1 && {
      mask: joined(patches.map(({ state }) => maskOf(model, state))),
    }),
  });
  await rule.dispose();
  return joined(patches.map((_, i) => layout.export(after.subarray(i * size, (i + 1) * size))));
}

const sides = (channels: number): number[] => (channels > 6 ? [16] : [2, 6, 16, 20, 32]);

test.each(CARDS.flatMap((card) => sides(card.channels).map((side) => [card.name, side] as const)))(
  'net %s of side %i: back ends step as pages do',
  async (name, side) => {
    const { update, latentSize, channels } = CARDS.find((card) => card.name === name)!;
    const growth = { kind: 'uniform', steps: 9 };
    const model = tinyModel({ name: 'tiny', side, channels, latentSize, update, growth }, 7);
    expect(tileable(side)).toBe(side >= 16);
    const random = createRandom(side);
    const patches = Array.from({ length: PATCHES }, () => ({
      state: random.latent(side * side * channels),
      latent: random.latent(latentSize),
    }));
    const wanted = patches.flatMap(({ state, latent }) => [
      ...createScalarRule(model, { latents: [latent] })(state),
    ]);
    for (const start of BACKENDS) {
      const found = await stepOn(await start(), model, side, patches);
      expect(largestError(found, wanted)).toBeLessThan(1e-4);
    }
  },
);
