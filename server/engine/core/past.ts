/** What brings a patch back to the very bit when that which held its states is lost. */
import type { PatchId, PatchStep } from '../engine.ts';

/** A step that was made, or is on its way. */
interface NotedStep extends Pick<PatchStep, 'divide' | 'keep'> {
  /** Of which call. */
  readonly call?: object | undefined;
}

/**
 * The more steps between two copies, the less is copied, and the more is to be made again. So many cost well under a hundredth
 * of what the steps take on a CPU, and are made again in a second or two.
 */
export const SAVE_EVERY = 64;
/** A GPU makes steps again many times faster, and copies weigh more on it. */
export const SAVE_GPU_EVERY = 512;

/** A copy of a patch's states, some steps old, and the steps since then. Steps are functions of the states, so that is enough. */
export class Past<S> {
  /** In order. */
  steps: NotedStep[] = [];
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
  note(step: NotedStep): void {
    this.steps.push(step);
  }

  /**
   * To be called when a copy is asked for.
   *
   * @returns what to do with it, and how many of the noted steps are in it: those noted by now, unless said otherwise; without a
   *   copy, the patch stays due
   */
  beginSave(): (saved?: S, steps?: number) => void {
    const noted = this.steps.length;
    this.saveAfter = Infinity;
    return (saved, steps = noted) => {
      this.saveAfter = this.saveEvery;
      if (saved === undefined) return;
      this.saved = saved;
      this.steps.splice(0, steps);
    };
  }
}
