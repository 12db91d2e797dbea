/** The interface of what computes the gradients of a batch, on one thread or on many. */
import type { Values } from '../../autodiff/compute.ts';
import type { GrowJob, MeansJob, RolloutJob, RolloutOutcome } from '../rollout.ts';

/** The outcome of one rollout without its gradients. */
export type Outcome = Omit<RolloutOutcome, 'totals'>;

/** The outcome of all rollouts of an update. */
export interface BatchOutcome {
  /** In the order of the jobs. */
  readonly outcomes: readonly Outcome[];
  /**
   * `total:*` of every parameter; their sum is the gradient of all rollouts. The caller frees them.
   */
  readonly parts: readonly Values[];
}

/** Runs jobs; the parameters are the `parameter:*` values of the compute it was opened with. */
export interface DataParallel {
  run(parameters: Values, jobs: readonly RolloutJob[]): Promise<BatchOutcome>;
  /** Posterior means, or grown states: one row of numbers per job. */
  rows(parameters: Values, jobs: readonly (MeansJob | GrowJob)[]): Promise<Float32Array[]>;
  dispose(): Promise<void>;
}
