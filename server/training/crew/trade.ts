/** A crew's thread: lives with parameters from shared memory, gradients as one row of numbers. */
import type { Compute, Value, Values } from '../autodiff/compute.ts';
import type { TrainingConfig } from '../config.ts';
import { Layout } from '../flat.ts';
import type { Trade } from '../lanes/trade.ts';
import {
  type GrowJob,
  grow,
  type LiveJob,
  live,
  type MeansJob,
  posteriorMeans,
} from '../living.ts';
import { trainedShapes } from '../trained.ts';
import { closeWorkshop, openWorkshop, type Pixels } from '../workshop.ts';
import type { Outcome } from './crew.ts';

export interface Plan {
  readonly config: TrainingConfig;
  /** Pixels in shared memory. */
  readonly data: Pixels;
  /** Parameters in shared memory, laid out as `trainedShapes`. Do not change while there is a job. */
  readonly parameters: Float32Array;
}

export interface Job {
  /** Counts the changes of the parameters. */
  readonly version: number;
  readonly do: LiveJob | MeansJob | GrowJob;
}

/** Of a life, else the row of numbers that was asked for. */
export type Result = Float32Array | { readonly totals: Float32Array; readonly outcome: Outcome };

export const trade: Trade<Plan, Job, Result> = {
  module: import.meta.url,
  async open(compute, { config, data, parameters: shared }) {
    const workshop = await openWorkshop(compute, config, data);
    const layout = new Layout(trainedShapes(config));
    const parameters = new SharedParameters(compute, layout, shared);
    return {
      async work({ version, do: job }) {
        const values = parameters.at(version);
        if ('images' in job) return posteriorMeans(workshop, values, job);
        if ('latents' in job) return grow(workshop, values, job);
        const { totals, ...outcome } = await live(workshop, values, job);
        const row = new Float32Array(layout.length);
        for (const name of layout.shapes.keys()) {
          layout.part(row, name).set(await compute.read(totals[`total:${name}`]));
        }
        compute.free(...Object.values(totals));
        return { totals: row, outcome };
      },
      async close() {
        parameters.free();
        await closeWorkshop(workshop);
      },
    };
  },
};

/** The parameters as this thread's values: ONNX Runtime takes no shared memory, so they are copied at each change. */
class SharedParameters {
  private values: Record<string, Value> = {};
  private version = -1;

  constructor(
    private readonly compute: Compute,
    private readonly layout: Layout,
    private readonly shared: Float32Array,
  ) {}

  at(version: number): Values {
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
