/**
 * The worker job of training: rollouts with parameters from shared memory, gradients as one row of
 * numbers.
 */
import type { Compute, Value, Values } from '../../autodiff/compute.ts';
import type { TrainingConfig } from '../config.ts';
import { type GrowJob, type MeansJob, type RolloutJob, runRollout, runRows } from '../rollout.ts';
import { ParameterLayout, runShapes, trainedShapes } from '../run-state.ts';
import { openTrainingContext, type Pixels } from '../training-context.ts';
import type { WorkerJob } from '../workers/worker-pool.ts';
import type { Outcome } from './data-parallel.ts';

/** What a worker is opened with. */
export interface Plan {
  readonly config: TrainingConfig;
  /** Pixels in shared memory. */
  readonly data: Pixels;
  /** Parameters in shared memory, laid out as `runShapes`; constant while a job runs. */
  readonly parameters: Float32Array;
}

/** One micro-batch. */
export interface Job {
  /** Version of the parameters, raised with each change. */
  readonly version: number;
  readonly do: RolloutJob | MeansJob | GrowJob;
}

/** Gradients and outcome of a rollout, or the row of numbers that was asked for. */
export type Result = Float32Array | { readonly totals: Float32Array; readonly outcome: Outcome };

/** Loaded by the worker threads. */
export const workerJob: WorkerJob<Plan, Job, Result> = {
  module: import.meta.url,
  async open(compute, { config, data, parameters: shared }) {
    const context = await openTrainingContext(compute, config, data);
    const layout = new ParameterLayout(trainedShapes(config));
    const parameters = new SharedParameters(
      compute,
      new ParameterLayout(runShapes(config)),
      shared,
    );
    return {
      async work({ version, do: job }) {
        const values = parameters.ofVersion(version);
        if (!('plan' in job)) return runRows(context, values, job);
        const { totals, ...outcome } = await runRollout(context, values, job);
        const row = new Float32Array(layout.length);
        for (const name of layout.shapes.keys()) {
          layout.part(row, name).set(await compute.read(totals[`total:${name}`]));
        }
        compute.free(...Object.values(totals));
        return { totals: row, outcome };
      },
      async close() {
        parameters.free();
        await context.close();
      },
    };
  },
};

/**
 * The parameters as values of this thread. ONNX Runtime takes no shared memory, so each new version
 * is copied.
 */
class SharedParameters {
  private values: Record<string, Value> = {};
  private version = -1;

  constructor(
    private readonly compute: Compute,
    private readonly layout: ParameterLayout,
    private readonly shared: Float32Array,
  ) {}

  ofVersion(version: number): Values {
    if (version === this.version) return this.values;
    this.free();
    const own = Float32Array.from(this.shared);
    for (const [name, shape] of this.layout.shapes) {
      this.values[`parameter:${name}`] = this.compute.upload(shape, this.layout.part(own, name));
    }
    this.version = version;
    return this.values;
  }

  free(): void {
    this.compute.free(...Object.values(this.values));
    this.values = {};
    this.version = -1;
  }
}
