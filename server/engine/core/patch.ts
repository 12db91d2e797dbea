/** What the engine keeps of a checkpoint and of a patch. */
import type { Card } from '../../vnca/card.ts';
import type { ReadCells } from '../../vnca/readout.ts';
import type { StepRule } from '../backend.ts';
import type { BufferPool } from './buffers.ts';
import type { StateLayout } from './layout.ts';

/** A checkpoint at work. */
export interface LoadedModel {
  readonly card: Card;
  readonly rule: StepRule;
  readonly read: ReadCells;
  readonly layout: StateLayout;
}

export interface Patch {
  readonly species: LoadedModel;
  /** What its latent says to its cells, where the rule listens: [K]. */
  readonly conditioning: Float32Array | undefined;
  /** Side s. */
  stage: number;
  /** s² cells of C numbers, as the species lays them out; of a patch at home, lent by it. */
  state: Float32Array;
  /** Where it was stepped last, while its state lies there. */
  batch: ResidentBatch | undefined;
  /** [s, s, 4] of the last step; absent before the first, after a division and after an import. */
  lastRgba: Uint8Array | undefined;
}

/**
 * A batch of patches that stay together: their states lie in one buffer, in order, and a step goes from it to another one and
 * back, so that nothing is gathered or handed out as long as the same patches are stepped.
 */
export class ResidentBatch {
  /** [patches, s², C], in the species' layout. */
  states: Float32Array;
  /** Where the next step goes; as large. */
  after: Float32Array;
  /** [patches, K]. */
  readonly conditioning: Float32Array | undefined;

  /**
   * @param size numbers of a state
   * @param slots patches that the buffers are for; those beyond `patches` stay zero
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
    patches.forEach(({ conditioning: standing }, i) => {
      this.conditioning!.set(standing!, i * width);
    });
  }

  /** Whether just these live here, in this order. */
  consistsOf(patches: readonly Patch[]): boolean {
    return (
      patches.length === this.patches.length &&
      patches.every((patch, i) => patch === this.patches[i] && patch.batch === this)
    );
  }

  /** Whether nobody has moved out. */
  get isComplete(): boolean {
    return this.patches.every((patch) => patch.batch === this);
  }

  /** What was stepped into becomes the states. */
  swapBuffers(): void {
    [this.states, this.after] = [this.after, this.states];
    this.patches.forEach((patch, i) => {
      patch.state = this.states.subarray(i * this.size, (i + 1) * this.size);
    });
  }

  /** Those who still live here get buffers of their own; the home is no more. */
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
