/** What the engine keeps of a checkpoint and of a patch. */
import type { Card } from '../../vnca/card.ts';
import type { ReadCells } from '../../vnca/readout.ts';
import type { StepRule } from '../backend.ts';

/** A checkpoint at work. */
export interface Species {
  readonly card: Card;
  readonly rule: StepRule;
  readonly read: ReadCells;
}

export interface Patch {
  readonly species: Species;
  /** [Z] */
  readonly latent: Float32Array;
  /** Side s. */
  stage: number;
  /** [s, s, C] */
  state: Float32Array;
  /** [s, s, 4] of the last step; absent before the first, after a division and after an import. */
  seen: Uint8Array | undefined;
}
