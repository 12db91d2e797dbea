/** A loaded checkpoint, a patch, and the batch that holds the states of patches. */
import type { Card } from '../../vnca/card.ts';
import type { StepRule } from '../backend.ts';
import type { BufferPool } from './buffers.ts';
import type { StateLayout } from './layout.ts';
import type { ReadPatch } from './read-patch.ts';

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
