/** What the refiner's thread is started with, and its methods. */
import type { RefinedModel, Refinement } from '../autodiff/refine-latent.ts';

/** The `workerData` of the thread. */
export type RefinerStart = RefinedModel;

export type RefinerMethods = {
  refine(refinement: Refinement): Promise<Float32Array>;
};
