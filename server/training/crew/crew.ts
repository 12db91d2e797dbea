/** Who runs the lives of an update. */
import type { Compute, Values } from '../autodiff/compute.ts';
import type { TrainingConfig } from '../config.ts';
import type { GrowJob, LifeResult, LiveJob, MeansJob } from '../living.ts';
import type { Pixels } from '../workshop.ts';
import { openSolo } from './solo.ts';
import { openThreads } from './threads.ts';

/** What a life came to, but for its gradients. */
export type Outcome = Omit<LifeResult, 'totals'>;

export interface Lived {
  /** In the lives' order. */
  readonly outcomes: readonly Outcome[];
  /** `total:*` of every parameter, whose sum is the gradient of all lives; the caller's. */
  readonly parts: readonly Values[];
}

/** Parameters are `parameter:*` of the compute that the crew was opened with. */
export interface Crew {
  live(parameters: Values, jobs: readonly LiveJob[]): Promise<Lived>;
  /** Means of posteriors, or grown states, a row of numbers for each job. */
  rows(parameters: Values, jobs: readonly (MeansJob | GrowJob)[]): Promise<Float32Array[]>;
  dispose(): Promise<void>;
}

/** One that works in this thread, on a GPU; or one of a thread for each core. Equal jobs come out equal, whichever it is. */
export function openCrew(compute: Compute, config: TrainingConfig, data: Pixels): Promise<Crew> {
  return compute.lanes === 1 ? openSolo(compute, config, data) : openThreads(compute, config, data);
}
