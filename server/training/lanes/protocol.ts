/** What a lane and its thread say to each other: a job goes there, words about it come back until it is done. */
import type { ComputeName } from '../autodiff/compute.ts';
import type { Failure } from './failure.ts';

/** The thread's `workerData`. */
export interface LaneStart {
  /** Address of the module whose `trade` the thread plies. */
  readonly module: string;
  readonly backend: ComputeName;
  readonly plan: unknown;
}

export type Reply =
  /** The first message: the thread is ready for jobs, or will never be. */
  | { readonly ready: true }
  | { readonly unopened: Failure }
  | { readonly told: number }
  | { readonly result: unknown }
  | { readonly failure: Failure };
