/** The patches of a store by id, with the argument checks that all stores share. */

import { firstStage } from '../../vnca/architecture.ts';
import type { Card } from '../../vnca/card.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import type { StepRule } from '../backend.ts';
import { EngineError, type NewPatch, type PatchId, type PatchStep } from '../engine.ts';
import type { BufferPool } from './buffers.ts';
import type { StateLayout } from './layout.ts';
import type { ReadPatch } from './read-patch.ts';

/** Checks that names are unique. @throws EngineError unavailable: two models have the same name */
export function checkNames(models: readonly Model[]): void {
  for (const { card } of models) {
    if (models.filter((other) => other.card.name === card.name).length > 1) {
      throw new EngineError('unavailable', `two checkpoints are named "${card.name}"`);
    }
  }
}

/** What the checks need of a patch. */
interface CheckedPatch {
  /** Its checkpoint. */
  readonly species: { readonly card: Card };
  /** Side s. */
  readonly stage: number;
}

/** Patches by id. Its checks run before anything is changed. */
export class PatchTable<P extends CheckedPatch> extends Map<PatchId, P> {
  /** @param species the loaded checkpoints by name */
  constructor(private readonly species: ReadonlyMap<string, P['species']>) {
    super();
  }

  /** @throws EngineError unknown-patch */
  require(id: PatchId): P {
    const patch = this.get(id);
    if (!patch) throw new EngineError('unknown-patch', String(id));
    return patch;
  }

  /**
   * Creates patches, which the caller adds with `addAll`.
   *
   * @param create is passed the side of the first stage
   * @throws EngineError unknown-checkpoint, duplicate-patch, bad-latent
   */
  create(
    news: readonly NewPatch[],
    create: (one: NewPatch, species: P['species'], stage: number) => P,
  ): Map<PatchId, P> {
    const created = new Map<PatchId, P>();
    for (const one of news) {
      const { patch, checkpoint, latent } = one;
      const species = this.species.get(checkpoint);
      if (!species) throw new EngineError('unknown-checkpoint', checkpoint);
      if (this.has(patch) || created.has(patch)) {
        throw new EngineError('duplicate-patch', String(patch));
      }
      const { card } = species;
      checkNumbers('bad-latent', `latent of patch ${patch}`, latent, card.latentSize);
      created.set(patch, create(one, species, firstStage(card)));
    }
    return created;
  }

  addAll(created: ReadonlyMap<PatchId, P>): void {
    for (const [id, patch] of created) this.set(id, patch);
  }

  /**
   * Checks the steps of one call.
   *
   * @throws EngineError unknown-patch, duplicate-patch, bad-state, bad-mask, bad-latent
   */
  entriesOf(steps: readonly PatchStep[]): { readonly patch: P; readonly step: PatchStep }[] {
    const entries = steps.map((step) => ({ patch: this.require(step.patch), step }));
    const seen = new Set<PatchId>();
    for (const { patch, step } of entries) {
      if (seen.has(step.patch)) throw new EngineError('duplicate-patch', String(step.patch));
      seen.add(step.patch);
      const stage = stageAfter(patch, step);
      if (stage > patch.species.card.side) {
        throw new EngineError('bad-state', `patch ${step.patch} is grown and cannot divide`);
      }
      for (const mask of [step.keep, step.closed]) {
        if (!mask || mask.length === stage * stage) continue;
        throw new EngineError(
          'bad-mask',
          `mask of patch ${step.patch} has ${mask.length} places, not ${stage}×${stage}`,
        );
      }
      if (step.express) {
        const { latentSize } = patch.species.card;
        checkNumbers('bad-latent', `latent of patch ${step.patch}`, step.express, latentSize);
      }
    }
    return entries;
  }

  /**
   * Checks size and values of states, [s, s, C] each.
   *
   * @returns the patches, with the side s of their new states
   * @throws EngineError unknown-patch, bad-state
   */
  importsOf(
    states: readonly { readonly patch: PatchId; readonly state: Float32Array }[],
  ): { readonly patch: P; readonly state: Float32Array; readonly stage: number }[] {
    return states.map(({ patch: id, state }) => {
      const patch = this.require(id);
      const { channels, side } = patch.species.card;
      const stage = Math.sqrt(state.length / channels);
      if (!isStage(stage, side)) {
        throw new EngineError('bad-state', `${state.length} values are no stage of patch ${id}`);
      }
      checkNumbers('bad-state', `state of patch ${id}`, state, stage * stage * channels);
      return { patch, state, stage };
    });
  }
}

/** Whether repeated doubling of `stage` gives the full side. */
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
    throw new EngineError(reason, `${what} is not ${length} float32 values`);
  }
  if (!values.every(Number.isFinite)) {
    throw new EngineError(reason, `${what} holds a number that is not finite`);
  }
}

/** Side of a patch after a step. */
export const stageAfter = ({ stage }: { readonly stage: number }, step: PatchStep): number =>
  step.divide ? 2 * stage : stage;

/** A checkpoint loaded on a backend. */
export interface LoadedModel {
  readonly card: Card;
  readonly rule: StepRule;
  readonly read: ReadPatch;
  readonly layout: StateLayout;
}

/** A patch in the core store. */
export interface Patch {
  readonly species: LoadedModel;
  /** [K], the result of `StepRule.condition`, for rules that have it. */
  conditioning: Float32Array | undefined;
  /** Side s. */
  stage: number;
  /** s² cells of C numbers in the layout of `species`; a view of the batch, if it is in one. */
  state: Float32Array;
  /** The batch that holds its state, if any. */
  batch: ResidentBatch | undefined;
  /** [s, s, 4] of the last step; absent before the first, after a division and after an import. */
  lastRgba: Uint8Array | undefined;
}

/**
 * A batch of patches whose states lie in one buffer, in order. Steps alternate between two buffers,
 * so nothing is copied while the same patches are stepped.
 */
export class ResidentBatch {
  /** [patches, s², C], in the layout of the species. */
  states: Float32Array;
  /** Receives the next step; as large as `states`. */
  after: Float32Array;
  /** [patches, K]. */
  readonly conditioning: Float32Array | undefined;

  /**
   * @param size numbers per state
   * @param slots patches that the buffers have room for; those beyond `patches` stay zero
   */
  constructor(
    readonly patches: readonly Patch[],
    readonly size: number,
    slots: number,
    private readonly buffers: BufferPool,
  ) {
    this.states = buffers.acquire(slots * size).fill(0, patches.length * size);
    this.after = buffers.acquire(slots * size);
    const width = patches[0].conditioning?.length;
    if (width === undefined) return;
    this.conditioning = buffers.acquire(slots * width).fill(0, patches.length * width);
    patches.forEach(({ conditioning }, i) => {
      this.conditioning!.set(conditioning!, i * width);
    });
  }

  /** A copy of a patch's conditioning, [K]; undefined for rules that have none. */
  conditioningOf(i: number): Float32Array | undefined {
    const width = (this.conditioning?.length ?? 0) / (this.states.length / this.size);
    return this.conditioning?.slice(i * width, (i + 1) * width);
  }

  /** Replaces a patch's conditioning, before the batch is stepped. @param conditioning [K] */
  condition(i: number, conditioning: Float32Array): void {
    this.conditioning?.set(conditioning, i * conditioning.length);
  }

  /** Whether the batch holds the states of exactly these patches, in this order. */
  consistsOf(patches: readonly Patch[]): boolean {
    return (
      patches.length === this.patches.length &&
      patches.every((patch, i) => patch === this.patches[i] && patch.batch === this)
    );
  }

  /** Whether it still holds the states of all its patches. */
  get isComplete(): boolean {
    return this.patches.every((patch) => patch.batch === this);
  }

  /** Makes the result of a step the current states. */
  swapBuffers(): void {
    [this.states, this.after] = [this.after, this.states];
    this.patches.forEach((patch, i) => {
      patch.state = this.states.subarray(i * this.size, (i + 1) * this.size);
    });
  }

  /** Copies the states that it still holds to buffers of their own and releases its buffers. */
  release(): void {
    for (const patch of this.patches) {
      if (patch.batch !== this) continue;
      patch.batch = undefined;
      patch.state = patch.state.slice();
    }
    for (const buffer of [this.states, this.after, this.conditioning]) {
      if (buffer) this.buffers.release(buffer);
    }
  }
}
