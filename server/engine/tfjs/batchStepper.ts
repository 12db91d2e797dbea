/** Steps patches of one species and stage as one tensor. */
import * as tf from '@tensorflow/tfjs-core';
import { divideInto } from '../../vnca/growth.ts';
import { genomeBias, stepStates } from '../../vnca/rule.ts';
import { drawUpdateMask, randomOfState } from '../../vnca/updateMask.ts';
import type { PatchStep } from '../engine.ts';
import type { Patch, Species } from './patch.ts';

export interface BatchEntry {
  readonly patch: Patch;
  readonly step: PatchStep;
}

/** Cells in the largest batch, 64 patches of 32×32: bounds memory (about 100 MB with a hidden layer of 72). */
const MAX_BATCH_CELLS = 65_536;

export interface BatchStepper {
  /**
   * The states of every entry after divide, mask, step: [N, s, s, C], in order. The patches stay as they are.
   *
   * @param stage side s of every entry after its division
   */
  step(species: Species, stage: number, entries: readonly BatchEntry[]): Float32Array[];
}

/** @param batchPatches patches in every batch, as in `Backend` */
export function createBatchStepper(batchPatches?: number): BatchStepper {
  // States are copied into the backend at once, so that one buffer serves all batches.
  let scratch = new Float32Array(0);
  return {
    step(species, stage, entries) {
      const size = stage * stage * species.card.channels;
      const most = batchPatches ?? Math.max(1, Math.floor(MAX_BATCH_CELLS / (stage * stage)));
      const results: Float32Array[] = [];
      for (let start = 0; start < entries.length; start += most) {
        const batch = entries.slice(start, start + most);
        const count = batchPatches ?? batch.length;
        if (scratch.length < count * size) scratch = new Float32Array(count * size);
        const states = scratch.subarray(0, count * size);
        states.fill(0, batch.length * size);
        batch.forEach((entry, i) => {
          writeInput(states, i * size, entry, species.card.channels);
        });
        const after = stepBatch(species, stage, count, states, batch);
        for (let i = 0; i < batch.length; i++) {
          results.push(after.subarray(i * size, (i + 1) * size));
        }
      }
      return results;
    },
  };
}

/** Writes what a patch is before its step: divided, then masked. */
function writeInput(
  target: Float32Array,
  offset: number,
  { patch, step }: BatchEntry,
  channels: number,
): void {
  if (step.divide) divideInto(target, offset, patch.state, patch.stage, channels);
  else target.set(patch.state, offset);
  if (!step.keep) return;
  for (let i = 0, at = offset; i < step.keep.length; i++, at += channels) {
    if (step.keep[i] === 0) target.fill(0, at, at + channels);
  }
}

function stepBatch(
  { card, rule }: Species,
  stage: number,
  count: number,
  states: Float32Array,
  batch: readonly BatchEntry[],
): Float32Array {
  const { channels, latentSize, update } = card;
  const after = tf.tidy(() => {
    const input: { genome?: tf.Tensor2D; mask?: tf.Tensor4D } = {};
    if (update.standingInput) {
      const latents = new Float32Array(count * latentSize);
      batch.forEach(({ patch }, i) => {
        latents.set(patch.latent, i * latentSize);
      });
      input.genome = genomeBias(rule, tf.tensor2d(latents, [count, latentSize]));
    }
    if (update.updateProbability < 1) {
      const cells = stage * stage;
      const mask = new Float32Array(count * cells);
      const size = cells * channels;
      for (let i = 0; i < batch.length; i++) {
        const random = randomOfState(states.subarray(i * size, (i + 1) * size));
        drawUpdateMask(mask, i * cells, cells, update.updateProbability, random);
      }
      input.mask = tf.tensor4d(mask, [count, stage, stage, 1]);
    }
    return stepStates(rule, tf.tensor4d(states, [count, stage, stage, channels]), input);
  });
  try {
    return after.dataSync() as Float32Array;
  } finally {
    after.dispose();
  }
}
