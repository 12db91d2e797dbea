/** A crew of one, in this thread: parameters and gradients stay where the back end has them. */
import type { Compute } from '../autodiff/compute.ts';
import type { TrainingConfig } from '../config.ts';
import { grow, posteriorMeans, type RolloutOutcome, runRollout } from '../rollout.ts';
import { closeTrainingContext, openTrainingContext, type Pixels } from '../training-context.ts';
import type { DataParallel } from './data-parallel.ts';

export async function openSingleThread(
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
      for (const job of jobs) {
        rows.push(
          'images' in job
            ? await posteriorMeans(context, parameters, job)
            : await grow(context, parameters, job),
        );
      }
      return rows;
    },
    dispose: () => closeTrainingContext(context),
  };
}
