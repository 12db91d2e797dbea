/**
 * Runs rollouts on one thread per core: parameters in shared memory, gradients returned as flat
 * rows of numbers.
 */
import type { Compute, Value, Values } from '../../autodiff/compute.ts';
import { Mutex } from '../../platform/queues.ts';
import type { TrainingConfig } from '../config.ts';
import { type RolloutJob, type RolloutOutcome, runRollout, runRows } from '../rollout.ts';
import { OrderedSum, ParameterLayout, runShapes, trainedShapes } from '../run-state.ts';
import { openTrainingContext, type Pixels } from '../training-context.ts';
import { openWorkerPool, type WorkerPool } from '../workers/worker-pool.ts';
import type { DataParallel, Outcome } from './data-parallel.ts';
import { type Job, type Plan, type Result, workerJob } from './rollout-job.ts';

/** Opens the threads lazily, with the first jobs. */
export async function openMultiThread(
  compute: Compute,
  config: TrainingConfig,
  data: Pixels,
): Promise<DataParallel> {
  const layout = new ParameterLayout(runShapes(config));
  const gradients = new ParameterLayout(trainedShapes(config));
  const parameters = new Float32Array(new SharedArrayBuffer(4 * layout.length));
  const { side, channels, count, splits } = data;
  const plan: Plan = {
    config,
    data: { side, channels, count, splits, pixels: sharedBytes(data.pixels) },
    parameters,
  };
  const pool: WorkerPool<Job, Result> = openWorkerPool(workerJob, compute, plan);
  const mutex = new Mutex();
  let version = 0;

  /**
   * Runs jobs with these parameters, one call after the other: all share the memory of the
   * parameters.
   */
  const work = (
    values: Values,
    jobs: readonly Job['do'][],
    onResult: (result: Result, i: number) => void,
  ): Promise<void> =>
    mutex.runExclusive(async () => {
      for (const name of layout.shapes.keys()) {
        layout.part(parameters, name).set(await compute.read(values[`parameter:${name}`]));
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
      const gradient: Record<string, Value> = {};
      for (const [name, shape] of gradients.shapes) {
        gradient[`total:${name}`] = compute.upload(shape, gradients.part(sum.total, name));
      }
      return { outcomes, parts: [gradient] };
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

/** Cell-steps; differentiated ones count three times. */
function costOf({ plan: { segments, differentiated } }: RolloutJob): number {
  const first = segments.length - differentiated;
  return segments.reduce(
    (sum, { stage, steps }, i) => sum + stage * stage * steps * (i < first ? 1 : 3),
    0,
  );
}

/** Moves bytes to shared memory, by a copy unless they are there already. */
export function sharedBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.buffer instanceof SharedArrayBuffer) return bytes;
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  return shared;
}

/** Opens the implementation that suits the back end. Equal jobs have equal results on either. */
export function openDataParallel(
  compute: Compute,
  config: TrainingConfig,
  data: Pixels,
): Promise<DataParallel> {
  return compute.workers === 1
    ? openSingleThread(compute, config, data)
    : openMultiThread(compute, config, data);
}

/** Runs jobs in this thread: parameters and gradients stay in the memory of the back end. */
async function openSingleThread(
  compute: Compute,
  config: TrainingConfig,
  data: Pixels,
): Promise<DataParallel> {
  const context = await openTrainingContext(compute, config, data);
  return {
    async run(parameters, jobs) {
      const results: RolloutOutcome[] = [];
      for (const job of jobs) results.push(await runRollout(context, parameters, job));
      return { outcomes: results, parts: results.map(({ totals }) => totals) };
    },
    async rows(parameters, jobs) {
      const rows: Float32Array[] = [];
      for (const job of jobs) rows.push(await runRows(context, parameters, job));
      return rows;
    },
    dispose: () => context.close(),
  };
}
