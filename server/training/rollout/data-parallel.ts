/**
 * Computes the rollouts of an update in this thread, or on one thread per core. With several
 * threads, parameters are in shared memory and gradients are returned as flat rows of numbers.
 * Equal jobs give equal results either way.
 */
import type { Compute, Value, Values } from '../../autodiff/compute.ts';
import { sizeOf } from '../../autodiff/graph.ts';
import { Mutex } from '../../platform/queues.ts';
import type { TrainingConfig } from '../config.ts';
import { runShapes, trainedShapes } from '../run/run-state.ts';
import { openWorkerPool, type WorkerJob } from '../workers/worker-pool.ts';
import {
  openTrainingContext,
  type Pixels,
  type RolloutJob,
  type RolloutOutcome,
  type RowsJob,
  runRollout,
  runRows,
} from './rollout.ts';

/** The outcome of one rollout without its gradients. */
export type Outcome = Omit<RolloutOutcome, 'totals'>;

/**
 * Runs jobs. Parameters are `parameter:*` values of the compute that this object was opened with.
 */
export interface DataParallel {
  /**
   * Runs the rollouts of an update.
   *
   * @returns outcomes in the order of the jobs; and parts, each with `total:*` of every parameter,
   * which add up to the gradient of all rollouts. The caller frees the parts
   */
  run(
    parameters: Values,
    jobs: readonly RolloutJob[],
  ): Promise<{ readonly outcomes: readonly Outcome[]; readonly parts: readonly Values[] }>;
  /** Computes posterior means or grown states: one row of numbers per job. */
  rows(parameters: Values, jobs: readonly RowsJob[]): Promise<Float32Array[]>;
  dispose(): Promise<void>;
}

/** Opens the implementation that suits the back end. */
export async function openDataParallel(
  compute: Compute,
  config: TrainingConfig,
  data: Pixels,
): Promise<DataParallel> {
  if (compute.workers > 1) return openMultiThread(compute, config, data);
  const context = await openTrainingContext(compute, config, data);
  return {
    async run(parameters, jobs) {
      const outcomes: RolloutOutcome[] = [];
      for (const job of jobs) outcomes.push(await runRollout(context, parameters, job));
      return { outcomes, parts: outcomes.map(({ totals }) => totals) };
    },
    async rows(parameters, jobs) {
      const rows: Float32Array[] = [];
      for (const job of jobs) rows.push(await runRows(context, parameters, job));
      return rows;
    },
    dispose: () => context.close(),
  };
}

/** One micro-batch, with the version number of the parameters, which increases with each change. */
interface Job {
  readonly version: number;
  readonly do: RolloutJob | RowsJob;
}

type Numbers = Readonly<Record<string, Float32Array>>;

/** Gradients `total:*` and outcome of a rollout, or the requested row of numbers. */
type Result = Float32Array | { readonly totals: Numbers; readonly outcome: Outcome };

/** Opens the multi-threaded implementation. Its threads start with the first jobs. */
function openMultiThread(compute: Compute, config: TrainingConfig, data: Pixels): DataParallel {
  const parameters: Numbers = Object.fromEntries(
    Array.from(runShapes(config), ([name, shape]) => {
      return [`parameter:${name}`, new Float32Array(new SharedArrayBuffer(4 * sizeOf(shape)))];
    }),
  );
  const { side, channels, count, splits } = data;
  const images = { side, channels, count, splits, pixels: sharedBytes(data.pixels) };
  const pool = openWorkerPool(workerJob, compute, { config, data: images, parameters });
  const mutex = new Mutex();
  let version = 0;

  /**
   * Finishes the jobs of a call before it starts the jobs of the next call, because all calls share
   * the memory of the parameters.
   */
  const work = (
    values: Values,
    jobs: readonly Job['do'][],
    onResult: (result: Result, i: number) => void,
  ): Promise<void> =>
    mutex.runExclusive(async () => {
      for (const [key, shared] of Object.entries(parameters)) {
        shared.set(await compute.read(values[key]));
      }
      version++;
      await pool.work(
        jobs.map((job) => ({ version, do: job })),
        onResult,
        (job) => ('plan' in job.do ? costOf(job.do) : 0),
      );
    });

  return {
    async run(values, jobs) {
      const outcomes = new Array<Outcome>(jobs.length);
      const sum = new OrderedSum();
      await work(values, jobs, (result, i) => {
        const { totals, outcome } = result as Exclude<Result, Float32Array>;
        outcomes[i] = outcome;
        sum.add(totals, i);
      });
      const gradient = Array.from(trainedShapes(config), ([name, shape]) => {
        const key = `total:${name}`;
        return [key, compute.upload(shape, sum.total[key])] as const;
      });
      return { outcomes, parts: [Object.fromEntries(gradient)] };
    },
    async rows(values, jobs) {
      const rows = new Array<Float32Array>(jobs.length);
      await work(values, jobs, (result, i) => {
        rows[i] = result as Float32Array;
      });
      return rows;
    },
    dispose: () => pool.dispose(),
  };
}

/** Estimates the cost of a rollout in cell-steps. Differentiated cell-steps count three times. */
function costOf({ plan: { segments, differentiated } }: RolloutJob): number {
  const first = segments.length - differentiated;
  return segments.reduce(
    (sum, { stage, steps }, i) => sum + stage * stage * steps * (i < first ? 1 : 3),
    0,
  );
}

/** Copies bytes to shared memory, unless they are there already. */
export function sharedBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.buffer instanceof SharedArrayBuffer) return bytes;
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  return shared;
}

/** The job that worker threads load and execute. Pixels and parameters are in shared memory. */
export const workerJob: WorkerJob<
  {
    readonly config: TrainingConfig;
    readonly data: Pixels;
    /** `parameter:*`, as in `runShapes`. Constant while a job runs. */
    readonly parameters: Numbers;
  },
  Job,
  Result
> = {
  module: import.meta.url,
  async open(compute, { config, data, parameters: shared }) {
    const context = await openTrainingContext(compute, config, data);
    const shapes = runShapes(config);
    /** The parameters as values of this thread. */
    const values: Record<string, Value> = {};
    let known = -1;
    const update = (version: number): void => {
      if (version === known) return;
      compute.free(...Object.values(values));
      for (const [name, shape] of shapes) {
        const key = `parameter:${name}`;
        // Copy, because ONNX Runtime does not accept shared memory.
        values[key] = compute.upload(shape, Float32Array.from(shared[key]));
      }
      known = version;
    };
    return {
      async work({ version, do: job }) {
        update(version);
        if (!('plan' in job)) return runRows(context, values, job);
        const { totals, ...outcome } = await runRollout(context, values, job);
        const numbers: Record<string, Float32Array> = {};
        for (const [key, value] of Object.entries(totals)) {
          numbers[key] = Float32Array.from(await compute.read(value));
        }
        compute.free(...Object.values(totals));
        return { totals: numbers, outcome };
      },
      async close() {
        compute.free(...Object.values(values));
        await context.close();
      },
    };
  },
};

/**
 * Adds numbers in the order of their index, in whatever order they arrive, so that equal runs round
 * equally.
 */
class OrderedSum {
  private readonly waiting = new Map<number, Numbers>();
  private next = 0;
  /** The sum of all numbers before the first missing index. */
  total: Numbers = {};

  /** @param numbers numbers with index i, 0…; the caller must not use them afterwards */
  add(numbers: Numbers, i: number): void {
    this.waiting.set(i, numbers);
    for (;;) {
      const found = this.waiting.get(this.next);
      if (!found) return;
      this.waiting.delete(this.next);
      if (this.next++ === 0) this.total = found;
      else {
        for (const [key, sum] of Object.entries(this.total)) {
          for (let k = 0; k < sum.length; k++) sum[k] += found[key][k];
        }
      }
    }
  }
}
