/** The rule on tensors against loops that were written apart from it. */
import * as tf from '@tensorflow/tfjs-core';
import {
  createRule,
  disposeRule,
  readGenome,
  stepStates,
} from '../../../server/engine/tfjs/step-rule.ts';
import type { Model } from '../../../server/vnca/checkpoint.ts';
import { createRandom } from '../../../shared/random.ts';
import { startTfjsCpu } from '../../support/tfjs-cpu.ts';
import { tinyModel, UPDATES } from './tiny-model.ts';

const elu = (x: number): number => (x > 0 ? x : Math.expm1(x));

/** Weights of a layer: out[j] = bias[j] + Σ in[i]·kernel[i, j]. */
function dense(model: Model, layer: string, input: number[]): number[] {
  const { shape, data } = model.tensors.get(`update.${layer}.kernel`)!;
  const outputs = shape[shape.length - 1];
  const bias = model.tensors.get(`update.${layer}.bias`)?.data;
  return Array.from({ length: outputs }, (_, j) =>
    input.reduce((sum, x, i) => sum + x * data[i * outputs + j], bias?.[j] ?? 0),
  );
}

const plus = (a: number[], b: number[]): number[] => a.map((x, i) => x + b[i]);

/** One step of a patch [side, side, C], cell by cell in float64. */
function naiveStep(
  model: Model,
  state: Float32Array,
  side: number,
  latent?: Float32Array,
  mask?: Uint8Array,
): number[] {
  const { channels, update } = model.card;
  const next: number[] = [];
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      // The 3×3 kernel [3, 3, C, H] read as one dense layer over the nine neighbours in turn.
      const seen: number[] = [];
      for (let v = y - 1; v <= y + 1; v++) {
        for (let u = x - 1; u <= x + 1; u++) {
          const inside = u >= 0 && v >= 0 && u < side && v < side;
          for (let c = 0; c < channels; c++) {
            seen.push(inside ? state[(v * side + u) * channels + c] : 0);
          }
        }
      }
      let h = dense(model, 'perceive', seen);
      if (latent) h = plus(h, dense(model, 'genome', [...latent]));
      if (update.kind === 'res4') {
        for (const block of ['block0', 'block1', 'block2', 'block3']) {
          const inner = dense(model, `${block}.inner`, h).map(elu);
          h = plus(h, dense(model, `${block}.outer`, inner));
        }
      } else {
        h = h.map(elu);
        if (update.kind === 'residual') h = plus(h, dense(model, 'hidden', h).map(elu));
      }
      const change = dense(model, 'out', h);
      const taken = mask ? mask[y * side + x] : 1;
      for (let c = 0; c < channels; c++) {
        const value = state[(y * side + x) * channels + c] + taken * change[c];
        const limit = update.stateLimit ?? Infinity;
        next.push(Math.max(-limit, Math.min(limit, value)));
      }
    }
  }
  return next;
}

const SIDE = 5;
const PATCHES = 2;
/** The loops know no genome nets. */
const NETS = UPDATES.filter(([, update]) => !('genome' in update));

beforeAll(async () => {
  await startTfjsCpu();
});

/** Steps a batch of random patches on the backend; the loops say what should come out. */
function compare(model: Model, masked: boolean): { found: Float32Array; wanted: number[] } {
  const random = createRandom(5);
  const { channels, latentSize, update } = model.card;
  const size = SIDE * SIDE * channels;
  const states = random.latent(PATCHES * size);
  const latents = random.latent(PATCHES * latentSize);
  const mask = Uint8Array.from({ length: PATCHES * SIDE * SIDE }, () => random.integer(2));
  const tensorsBefore = tf.memory().numTensors;
  const rule = createRule(model);
  const found = tf.tidy(() => {
    const genome = update.standingInput
      ? { genome: readGenome(rule, tf.tensor2d(latents, [PATCHES, latentSize])) }
      : {};
    const taken = masked
      ? { mask: tf.tensor4d(Float32Array.from(mask), [PATCHES, SIDE, SIDE, 1]) }
      : {};
    const input = tf.tensor4d(states, [PATCHES, SIDE, SIDE, channels]);
    return stepStates(rule, input, { ...genome, ...taken }).dataSync() as Float32Array;
  });
  disposeRule(rule);
  expect(tf.memory().numTensors).toBe(tensorsBefore);
  const wanted = Array.from({ length: PATCHES }, (_, n) =>
    naiveStep(
      model,
      states.subarray(n * size, (n + 1) * size),
      SIDE,
      update.standingInput ? latents.subarray(n * latentSize, (n + 1) * latentSize) : undefined,
      masked ? mask.subarray(n * SIDE * SIDE, (n + 1) * SIDE * SIDE) : undefined,
    ),
  ).flat();
  return { found, wanted };
}

describe.each(NETS)('%s', (_, update) => {
  test.each([false, true])('agrees with plain loops, masked: %s', (masked) => {
    const { found, wanted } = compare(tinyModel({ update }), masked);
    expect(found).toHaveLength(wanted.length);
    const error = wanted.reduce((most, x, i) => Math.max(most, Math.abs(x - found[i])), 0);
    expect(error).toBeLessThan(1e-5);
  });
});
