/** What the refiner's thread is started with, and its methods. */
import type { RefinedModel, Refinement } from '../autodiff/refine-latent.ts';
import type { LatentBounds } from '../vnca/latent-map.ts';

/** The `workerData` of the thread. */
export type RefinerStart = RefinedModel & {
  readonly bounds: LatentBounds;
  /** One number; other than 0: the thread ends what it does after the step it is in. */
  readonly stop: Int32Array<SharedArrayBuffer>;
};

export type RefinerMethods = {
  refine(refinement: Refinement): Promise<Float32Array>;
};
