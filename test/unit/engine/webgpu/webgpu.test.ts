/** The GPU engine and its contract, on any adapter, even one that computes on the CPU. */
import { createEngine } from '../../../../server/engine/create-engine.ts';
import { mortalEngine } from '../../../support/engine.ts';
import { describeEngineContract } from '../contract.ts';
import { describeLosses, LOSS_MODELS } from '../losses.ts';
import { CONTRACT_MODELS } from '../support.ts';
import { isGpuHere, PATIENCE, refusal } from './support.ts';

const backend = 'webgpu';

if (isGpuHere) {
  describeEngineContract('webgpu', () => createEngine({ checkpoints: CONTRACT_MODELS, backend }));
  describeLosses(
    'a thread of webgpu',
    () => mortalEngine({ checkpoints: LOSS_MODELS, backend }),
    PATIENCE,
  );
} else {
  test(`no webgpu here: ${refusal!.message}`, () => {
    expect(refusal).toMatchObject({ name: 'EngineError', reason: 'unavailable' });
    expect(refusal!.message).toMatch(/install|run npm ci/);
  });
}
