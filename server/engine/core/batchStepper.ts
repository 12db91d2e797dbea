/** Steps patches of one species and stage as one batch after another. */
import { divideInto } from '../../vnca/growth.ts';
import { drawUpdateMask, randomOfState } from '../../vnca/updateMask.ts';
import type { Batch, RuleBackend } from '../backend.ts';
import type { PatchStep } from '../engine.ts';
import type { Patch, Species } from './patch.ts';

export interface BatchEntry {
  readonly patch: Patch;
  readonly step: PatchStep;
}

export interface BatchStepper {
  /**
   * The states of every entry after divide, mask, step: [N, s, s, C], in order. The patches stay as they are.
   *
   * @param stage side s of every entry after its division
   */
  step(species: Species, stage: number, entries: readonly BatchEntry[]): Promise<Float32Array[]>;
}

export function createBatchStepper({
  batchPatches,
  maxBatchCells,
}: Pick<RuleBackend, 'batchPatches' | 'maxBatchCells'>): BatchStepper {
  // Backends only borrow a batch, so that one buffer serves all.
  let scratch = new Float32Array(0);
  return {
    async step(species, stage, entries) {
      const { channels } = species.card;
      const size = stage * stage * channels;
      const most = batchPatches ?? Math.max(1, Math.floor(maxBatchCells / (stage * stage)));
      const results: Float32Array[] = [];
      for (let start = 0; start < entries.length; start += most) {
        const batch = entries.slice(start, start + most);
        const count = batchPatches ?? batch.length;
        if (scratch.length < count * size) scratch = new Float32Array(count * size);
        const states = scratch.subarray(0, count * size);
        states.fill(0, batch.length * size);
        batch.forEach((entry, i) => {
          writeInput(states, i * size, entry, channels);
        });
        const input = { count, stage, states, ...standing(species, count, batch) };
        const after = await species.rule.step({ ...input, ...chance(species, input, batch) });
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

/** The latents of a batch, where the rule takes them. */
function standing(
  { card }: Species,
  count: number,
  batch: readonly BatchEntry[],
): Pick<Batch, 'latents'> {
  if (!card.update.standingInput) return {};
  const latents = new Float32Array(count * card.latentSize);
  batch.forEach(({ patch }, i) => {
    latents.set(patch.latent, i * card.latentSize);
  });
  return { latents };
}

/** Which cells take part, where chance decides. */
function chance(
  { card }: Species,
  { count, stage, states }: Batch,
  batch: readonly BatchEntry[],
): Pick<Batch, 'mask'> {
  const { updateProbability } = card.update;
  if (updateProbability >= 1) return {};
  const cells = stage * stage;
  const size = cells * card.channels;
  const mask = new Float32Array(count * cells);
  for (let i = 0; i < batch.length; i++) {
    const random = randomOfState(states.subarray(i * size, (i + 1) * size));
    drawUpdateMask(mask, i * cells, cells, updateProbability, random);
  }
  return { mask };
}
