/** A crew of one, in this thread: parameters and gradients stay where the back end has them. */
import type { Compute } from '../autodiff/compute.ts';
import type { TrainingConfig } from '../config.ts';
import { grow, type LifeResult, live, posteriorMeans } from '../living.ts';
import { closeWorkshop, openWorkshop, type Pixels } from '../workshop.ts';
import type { Crew } from './crew.ts';

export async function openSolo(
  compute: Compute,
  config: TrainingConfig,
  data: Pixels,
): Promise<Crew> {
  const workshop = await openWorkshop(compute, config, data);
  return {
    async live(parameters, jobs) {
      const results: LifeResult[] = [];
      for (const job of jobs) results.push(await live(workshop, parameters, job));
      return { outcomes: results, parts: results.map(({ totals }) => totals) };
    },
    async rows(parameters, jobs) {
      const rows: Float32Array[] = [];
      for (const job of jobs) {
        rows.push(
          'images' in job
            ? await posteriorMeans(workshop, parameters, job)
            : await grow(workshop, parameters, job),
        );
      }
      return rows;
    },
    dispose: () => closeWorkshop(workshop),
  };
}
