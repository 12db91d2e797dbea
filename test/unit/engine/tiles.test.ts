/** Perceiving by tiles changes only the speed: the rule is the same for any net and side. */

import type { RuleBackend } from '../../../server/engine/backend.ts';
import { stateLayout } from '../../../server/engine/core/batch-stepper.ts';
import { startNative } from '../../../server/engine/native/native.ts';
import { tileable } from '../../../server/engine/onnx/graph.ts';
import { startOnnx } from '../../../server/engine/onnx/onnx.ts';
import type { Card } from '../../../server/vnca/card.ts';
import type { Model } from '../../../server/vnca/checkpoint.ts';
import { createRandom } from '../../../shared/random.ts';
import { startTfjsCpu } from '../../support/tfjs-cpu.ts';
import { tinyModel } from '../vnca/tiny-model.ts';
import { hasCompiler } from './native/support.ts';
import { CONTRACT_MODELS } from './support.ts';

const PATCHES = 3;

/** One step of patches that are alike on both. @returns [patches, s, s, C] */
async function stepOn(backend: RuleBackend, model: Model, stage: number): Promise<Float32Array> {
  const { channels, latentSize, update } = model.card;
  const random = createRandom(stage);
  const rule = await backend.load(model);
  const size = stage * stage * channels;
  const layout = stateLayout(channels, backend.planar);
  const states = random.latent(PATCHES * size);
  const mask = Float32Array.from(random.latent(PATCHES * stage * stage), (x) => (x > 0 ? 1 : 0));
  const standing = Array.from({ length: PATCHES }, () =>
    rule.condition?.(random.latent(latentSize)),
  );
  const turned = (from: Float32Array, turn: (state: Float32Array) => Float32Array): Float32Array =>
    Float32Array.from(
      Array.from({ length: PATCHES }, (_, i) => [
        ...turn(from.subarray(i * size, (i + 1) * size)),
      ]).flat(),
    );
  const after = new Float32Array(states.length);
  await rule.step({
    ...{ count: PATCHES, stage, after },
    states: turned(states, layout.import),
    ...(standing[0] && { conditioning: Float32Array.from(standing.flatMap((row) => [...row!])) }),
    ...(update.updateProbability < 1 && { mask }),
  });
  await rule.dispose();
  return turned(after, layout.export);
}

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
    ...{ name: 'simple-genome', channels: 16 },
    latentSize: 16,
    update: { kind: 'simple', hidden: 16, standingInput: true, genome },
  }),
  tinyModel({
    name: 'nothing-expressed',
    update: {
      kind: 'residual',
      hidden: 7,
      standingInput: true,
      genome: { ...genome, expressed: 0 },
    },
  }),
  tinyModel({
    name: 'deep-standing',
    update: { kind: 'res4', hidden: 6, standingInput: true },
  }),
];

const cards = [...CONTRACT_MODELS, ...MORE]
  .map(({ card }) => card)
  .filter(({ name }) => name !== 'runaway');

/** Both compute in tiles. */
const TILED = [startOnnx, ...(hasCompiler ? [startNative] : [])];
/** The reference is slow. */
const sides = ({ channels }: Card): number[] => (channels > 6 ? [16] : [2, 6, 16, 20, 32]);

test.each(cards.flatMap((card) => sides(card).map((side) => [card.name, side] as const)))(
  'net %s of side %i',
  async (name, side) => {
    const { update, latentSize, channels } = cards.find((card) => card.name === name)!;
    const growth = { kind: 'uniform', steps: 9 };
    const model = tinyModel({ name: 'tiny', side, channels, latentSize, update, growth }, 7);
    expect(tileable(side)).toBe(side >= 16);
    const wanted = await stepOn(await startTfjsCpu(), model, side);
    for (const start of TILED) {
      const ours = await stepOn(await start(), model, side);
      const error = ours.reduce((most, x, i) => Math.max(most, Math.abs(x - wanted[i])), 0);
      expect(error).toBeLessThan(1e-4);
      expect(ours.some((x) => x !== 0)).toBe(true);
    }
  },
);
