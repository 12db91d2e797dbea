/** The table of the patches in a patch store, and checks of the arguments of calls to the store. */

import { firstStage } from '../../vnca/architecture.ts';
import type { Card } from '../../vnca/card.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import { type Genomes, MAX_GENOMES } from '../../vnca/chimera.ts';
import {
  EngineError,
  type NewPatch,
  type PatchId,
  type PatchStep,
  type Readout,
} from '../engine.ts';

/**
 * Checks that all models have different names.
 *
 * @throws EngineError 'unavailable' if two models have the same name
 */
export function checkNames(models: readonly Model[]): void {
  for (const { card } of models) {
    if (models.filter((other) => other.card.name === card.name).length > 1) {
      throw new EngineError('unavailable', `two checkpoints are named "${card.name}"`);
    }
  }
}

interface CheckedPatch {
  readonly species: { readonly card: Card };
  /** Side of the patch, in cells. */
  readonly stage: number;
}

export interface Entry<P> {
  readonly patch: P;
  readonly step: PatchStep;
}

/** Maps ids to patches, and checks the arguments of calls to a patch store. */
export class PatchTable<P extends CheckedPatch> extends Map<PatchId, P> {
  /** @param species loaded checkpoints, by name */
  constructor(private readonly species: ReadonlyMap<string, P['species']>) {
    super();
  }

  /**
   * Returns a patch by its id.
   *
   * @throws EngineError 'unknown-patch' if the patch does not exist
   */
  require(id: PatchId): P {
    const patch = this.get(id);
    if (!patch) throw new EngineError('unknown-patch', String(id));
    return patch;
  }

  /**
   * Checks new patches without adding them to the table.
   *
   * @returns for each new patch, its loaded checkpoint and the side of its first stage, in cells
   * @throws EngineError 'unknown-checkpoint', 'duplicate-patch', 'bad-latent' or 'bad-labels'
   */
  checkNew(
    news: readonly NewPatch[],
  ): { readonly one: NewPatch; readonly species: P['species']; readonly stage: number }[] {
    const seen = new Set<PatchId>();
    return news.map((one) => {
      const { patch, checkpoint, latent, genomes } = one;
      const species = this.species.get(checkpoint);
      if (!species) throw new EngineError('unknown-checkpoint', checkpoint);
      if (this.has(patch) || seen.has(patch)) {
        throw new EngineError('duplicate-patch', String(patch));
      }
      seen.add(patch);
      const { card } = species;
      checkNumbers('bad-latent', `latent of patch ${patch}`, latent, card.latentSize);
      if (genomes) checkGenomes(patch, genomes, card);
      return { one, species, stage: firstStage(card) };
    });
  }

  /**
   * Checks the steps of one call, and finds the patch of each step.
   *
   * @throws EngineError 'unknown-patch', 'duplicate-patch', 'bad-state', 'bad-mask', 'bad-latent'
   * or 'bad-labels'
   */
  entriesOf(steps: readonly PatchStep[]): Entry<P>[] {
    const entries = steps.map((step) => ({ patch: this.require(step.patch), step }));
    const seen = new Set<PatchId>();
    for (const { patch, step } of entries) {
      if (seen.has(step.patch)) throw new EngineError('duplicate-patch', String(step.patch));
      seen.add(step.patch);
      const stage = stageAfter(patch, step);
      if (stage > patch.species.card.side) {
        const text = `patch ${step.patch} is fully grown, so its cells cannot divide`;
        throw new EngineError('bad-state', text);
      }
      for (const mask of [step.keep, step.closed]) {
        if (!mask || mask.length === stage * stage) continue;
        const text = `mask of patch ${step.patch} has ${mask.length} values, not ${stage}×${stage}`;
        throw new EngineError('bad-mask', text);
      }
      if (step.express) checkGenomes(step.patch, step.express, patch.species.card);
    }
    return entries;
  }

  /**
   * Checks the size and the values of new states, each of which is [s, s, C].
   *
   * @returns for each state, its patch and its side s, in cells
   * @throws EngineError 'unknown-patch' or 'bad-state'
   */
  importsOf(
    states: readonly { readonly patch: PatchId; readonly state: Float32Array }[],
  ): { readonly patch: P; readonly state: Float32Array; readonly stage: number }[] {
    return states.map(({ patch: id, state }) => {
      const patch = this.require(id);
      const { channels, side } = patch.species.card;
      const stage = Math.sqrt(state.length / channels);
      if (!isStage(stage, side)) {
        const text = `the state of patch ${id} (the cells of one organism) has ${state.length} values, but no stage of growth has this size`;
        throw new EngineError('bad-state', text);
      }
      checkNumbers('bad-state', `state of patch ${id}`, state, stage * stage * channels);
      return { patch, state, stage };
    });
  }
}

/** True if doubling `stage` zero or more times gives `side`. */
const isStage = (stage: number, side: number): boolean =>
  stage >= 1 &&
  stage <= side &&
  Number.isInteger(stage) &&
  Number.isInteger(Math.log2(side / stage));

function checkNumbers(
  reason: 'bad-latent' | 'bad-state',
  what: string,
  values: Float32Array,
  length: number,
): void {
  if (!(values instanceof Float32Array) || values.length !== length) {
    throw new EngineError(reason, `${what} must be an array of ${length} float32 values`);
  }
  if (!values.every(Number.isFinite)) {
    throw new EngineError(reason, `${what} contains a number that is not finite`);
  }
}

/**
 * Checks the genomes of a patch.
 *
 * @throws EngineError 'bad-latent' or 'bad-labels' if the genomes do not fit the checkpoint
 */
function checkGenomes(patch: PatchId, { latents, labels }: Genomes, card: Card): void {
  const { length } = latents;
  if (length < 1 || length > MAX_GENOMES) {
    const text = `patch ${patch} must have 1 to ${MAX_GENOMES} genomes, not ${length}`;
    throw new EngineError('bad-latent', text);
  }
  for (const latent of latents) {
    checkNumbers('bad-latent', `latent of patch ${patch}`, latent, card.latentSize);
  }
  if (!labels && length === 1) return;
  const { side } = card;
  const isLabel = (label: number): boolean => label < length;
  if (!(labels instanceof Uint8Array && labels.length === side ** 2 && labels.every(isLabel))) {
    const text = `patch ${patch} needs ${side}×${side} labels, each less than ${length} (the number of genomes)`;
    throw new EngineError('bad-labels', text);
  }
}

/** Returns the side of a patch after a step, in cells. */
export const stageAfter = ({ stage }: { readonly stage: number }, step: PatchStep): number =>
  step.divide ? 2 * stage : stage;

/**
 * Builds the read-out of a patch whose state contains NaN or infinity: an empty picture, and the
 * maximum `change`, so that the patch does not count as resting. Overwrites the arrays of
 * `readout`.
 */
export function brokenReadout(readout: Readout): Readout {
  readout.rgba.fill(0);
  readout.presence.fill(0);
  return { ...readout, change: 255, broken: true };
}
