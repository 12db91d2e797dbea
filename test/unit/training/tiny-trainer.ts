/** Trainers of tiny runs. */
import type { Compute } from '../../../server/autodiff/compute.ts';
import type { TrainingConfig } from '../../../server/training/config.ts';
import { firstState, type RunState } from '../../../server/training/run/run-state.ts';
import { Trainer } from '../../../server/training/run/trainer.ts';
import { tinyData } from './tiny-run.ts';

/**
 * @param compute of all trainers that ask for no other
 * @returns creates a trainer that is disposed after its test
 */
export function tinyTrainers(compute: Compute) {
  const started: Trainer[] = [];
  afterEach(async () => {
    for (const trainer of started.splice(0)) await trainer.dispose();
  });
  return async (
    config: TrainingConfig,
    state: RunState = firstState(config),
    { data = tinyData(), on = compute } = {},
  ): Promise<Trainer> => {
    const trainer = await Trainer.create(on, config, data, state);
    started.push(trainer);
    return trainer;
  };
}
