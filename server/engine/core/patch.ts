/** What the engine keeps of a checkpoint and of a patch. */
import type { Card } from '../../vnca/card.ts';
import type { ReadCells } from '../../vnca/readout.ts';
import type { StepRule } from '../backend.ts';
import type { StateLayout } from './layout.ts';
import type { ResidentBatch } from './resident-batch.ts';

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
  readonly standing: Float32Array | undefined;
  /** Side s. */
  stage: number;
  /** s² cells of C numbers, as the species lays them out; of a patch at home, lent by it. */
  state: Float32Array;
  /** Where it was stepped last, while its state lies there. */
  batch: ResidentBatch | undefined;
  /** [s, s, 4] of the last step; absent before the first, after a division and after an import. */
  seen: Uint8Array | undefined;
}
