/** Argument checks that all stores share; they run before anything is changed. */
import type { Card } from '../../vnca/card.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import { EngineError, type PatchId, type PatchStep } from '../engine.ts';

/** Checks that names are unique. @throws EngineError unavailable: two models have the same name */
export function checkNames(models: readonly Model[]): void {
  for (const { card } of models) {
    if (models.filter((other) => other.card.name === card.name).length > 1) {
      throw new EngineError('unavailable', `two checkpoints are named "${card.name}"`);
    }
  }
}

/** Checks length and values of a latent. @throws EngineError bad-latent */
export function checkLatent(patch: PatchId, latent: Float32Array, card: Card): void {
  checkNumbers('bad-latent', `latent of patch ${patch}`, latent, card.latentSize);
}

/**
 * Checks size and values of a state.
 *
 * @param state [s, s, C]
 * @returns side s
 * @throws EngineError bad-state
 */
export function checkState(
  patch: PatchId,
  state: Float32Array,
  { channels, side }: Pick<Card, 'channels' | 'side'>,
): number {
  const stage = Math.sqrt(state.length / channels);
  if (!isStage(stage, side)) {
    throw new EngineError('bad-state', `${state.length} values are no stage of patch ${patch}`);
  }
  checkNumbers('bad-state', `state of patch ${patch}`, state, stage * stage * channels);
  return stage;
}

/** Whether repeated doubling of `stage` gives the full side. */
function isStage(stage: number, side: number): boolean {
  return (
    Number.isInteger(stage) &&
    stage >= 1 &&
    Number.isInteger(Math.log2(side / stage)) &&
    stage <= side
  );
}

function checkNumbers(
  reason: 'bad-latent' | 'bad-state',
  what: string,
  values: Float32Array,
  length: number,
): void {
  if (!(values instanceof Float32Array) || values.length !== length) {
    throw new EngineError(reason, `${what} is not ${length} float32 values`);
  }
  if (!values.every(Number.isFinite)) {
    throw new EngineError(reason, `${what} holds a number that is not finite`);
  }
}

/** A step and what the checks need of its patch. */
interface StepEntry {
  readonly patch: { readonly stage: number; readonly species: { readonly card: Card } };
  readonly step: PatchStep;
}

/** Checks the steps of one call. @throws EngineError duplicate-patch, bad-state, bad-mask */
export function checkSteps(entries: readonly StepEntry[]): void {
  const seen = new Set<PatchId>();
  for (const { patch, step } of entries) {
    if (seen.has(step.patch)) throw new EngineError('duplicate-patch', String(step.patch));
    seen.add(step.patch);
    const stage = stageAfter(patch, step);
    if (stage > patch.species.card.side) {
      throw new EngineError('bad-state', `patch ${step.patch} is grown and cannot divide`);
    }
    if (step.keep && step.keep.length !== stage * stage) {
      throw new EngineError(
        'bad-mask',
        `mask of patch ${step.patch} has ${step.keep.length} places, not ${stage}×${stage}`,
      );
    }
  }
}

/** Side of a patch after a step. */
export function stageAfter({ stage }: { readonly stage: number }, step: PatchStep): number {
  return step.divide ? 2 * stage : stage;
}
