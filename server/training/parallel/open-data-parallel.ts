/** Opens what computes a batch: this thread for a GPU, one thread per core for a CPU. */
import type { Compute } from '../../autodiff/compute.ts';
import type { TrainingConfig } from '../config.ts';
import { type RolloutOutcome, runRollout, runRows } from '../rollout.ts';
import { openTrainingContext, type Pixels } from '../training-context.ts';
import type { DataParallel } from './data-parallel.ts';
import { openMultiThread } from './multi-thread.ts';

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
