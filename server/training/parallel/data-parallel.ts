/** Who runs the lives of an update. */
import type { Compute, Values } from '../autodiff/compute.ts';
import type { TrainingConfig } from '../config.ts';
import type { GrowJob, MeansJob, RolloutJob, RolloutOutcome } from '../rollout.ts';
import type { Pixels } from '../training-context.ts';
import { openMultiThread } from './multi-thread.ts';
import { openSingleThread } from './single-thread.ts';

/** What a life came to, but for its gradients. */
export type Outcome = Omit<RolloutOutcome, 'totals'>;

export interface BatchOutcome {
  /** In the lives' order. */
  readonly outcomes: readonly Outcome[];
  /** `total:*` of every parameter, whose sum is the gradient of all lives; the caller's. */
  readonly parts: readonly Values[];
}

/** Parameters are `parameter:*` of the compute that the crew was opened with. */
export interface DataParallel {
  run(parameters: Values, jobs: readonly RolloutJob[]): Promise<BatchOutcome>;
  /** Means of posteriors, or grown states, a row of numbers for each job. */
  rows(parameters: Values, jobs: readonly (MeansJob | GrowJob)[]): Promise<Float32Array[]>;
  dispose(): Promise<void>;
}

/** One that works in this thread, on a GPU; or one of a thread for each core. Equal jobs come out equal, whichever it is. */
export function openDataParallel(
  compute: Compute,
  config: TrainingConfig,
  data: Pixels,
): Promise<DataParallel> {
  return compute.lanes === 1
    ? openSingleThread(compute, config, data)
    : openMultiThread(compute, config, data);
}
