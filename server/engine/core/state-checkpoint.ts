/** What brings a patch back to the very bit when that which held its states is lost. */
import type { PatchId, PatchStep } from '../engine.ts';

/** A step that was made, or is on its way. */
export interface LoggedStep extends Pick<PatchStep, 'divide' | 'keep'> {
  /** Of which call, until that is answered. */
  call?: object | undefined;
}

/**
 * The more steps between two copies, the less is copied, and the more is to be made again. So many cost well under a hundredth
 * of what the steps take on a CPU, and are made again in a second or two.
 */
export const SAVE_EVERY = 64;
/** Copies weigh more on a GPU; but where it does not come back, it is a CPU that makes the steps again. */
export const SAVE_GPU_EVERY = 128;

/** A copy of a patch's states, some steps old, and the steps since then. Steps are functions of the states, so that is enough. */
export class StateCheckpoint<S> {
  /** In order. */
  steps: LoggedStep[] = [];
  /** How many steps are too many; `Infinity` while it is being saved. */
  private saveAfter: number;

  /**
   * @param saved what the patch is now
   * @param saveEvery steps between two copies
   */
  constructor(
    id: PatchId,
    public saved: S,
    private readonly saveEvery: number,
  ) {
    // Patches that were planted together are not all saved together.
    this.saveAfter = saveEvery / 2 + (id % saveEvery);
  }

  /** Whether the patch should be saved before its next step. */
  get isDue(): boolean {
    return this.steps.length >= this.saveAfter;
  }

  /** Notes a step down. Its mask must be nobody else's. */
  log(step: LoggedStep): void {
    this.steps.push(step);
  }

  /**
   * To be called when a copy is asked for.
   *
   * @returns what to do with it, and how many of the noted steps are in it: those noted by now, unless said otherwise; without a
   *   copy, the patch is due again soon
   */
  beginSave(): (saved?: S, steps?: number) => void {
    const noted = this.steps.length;
    this.saveAfter = Infinity;
    return (saved, steps = noted) => {
      if (saved === undefined) {
        // What could not be copied now is not asked for again at once.
        this.saveAfter = this.steps.length + this.saveEvery / 8;
        return;
      }
      this.saveAfter = this.saveEvery;
      this.saved = saved;
      this.steps.splice(0, steps);
    };
  }
}
