/** What passes between a room and those who let it tick. */
import type { LifeEvent } from '../../shared/vocabulary.ts';
import type { NewPatch, PatchId, PatchStep } from '../engine/engine.ts';
import type { Answer } from './commands.ts';

/** What the engine has to do for a tick, in this order. */
export interface TickWork {
  readonly dispose: readonly PatchId[];
  readonly plant: readonly NewPatch[];
  readonly step: readonly PatchStep[];
}

export interface TickResult {
  readonly tick: number;
  readonly answers: readonly Answer[];
  readonly life: readonly LifeEvent[];
  /** Chunks of the planes that have changed. */
  readonly changed: readonly number[];
}
