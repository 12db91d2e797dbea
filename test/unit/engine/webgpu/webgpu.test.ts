/** The GPU engine and its contract, on any adapter, even one that computes on the CPU. */
import { createEngine } from '../../../../server/engine/create-engine.ts';
import { mortalEngine } from '../../../support/engine.ts';
import { describeEngineContract } from '../contract.ts';
import { describeLosses } from '../losses.ts';
import { CONTRACT_MODELS } from '../support.ts';
import { PATIENCE, present, refusals } from './support.ts';

// The same kernels with another type of numbers: left to `npm run test:full`.
const full = process.env.VIVARIUM_TEST_FULL === '1';

for (const backend of present) {
  if (backend === 'webgpu-f16' && !full) continue;
  describeEngineContract(backend, () => createEngine({ checkpoints: CONTRACT_MODELS, backend }));
  describeLosses(
    `a thread of ${backend}`,
    () => mortalEngine({ checkpoints: CONTRACT_MODELS, backend }),
    PATIENCE,
  );
}

for (const [name, refusal] of refusals) {
  test(`no ${name} here: ${(refusal as Error).message}`, () => {
    expect(refusal).toMatchObject({ name: 'EngineError', reason: 'unavailable' });
    expect((refusal as Error).message).toMatch(/install|run npm ci|take webgpu/);
  });
}
