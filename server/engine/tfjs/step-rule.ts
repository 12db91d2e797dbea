/** Steps on the TensorFlow.js backend that is set in this thread. */
import * as tf from '@tensorflow/tfjs-core';
import type { Model } from '../../vnca/checkpoint.ts';
import { createRule, disposeRule, readGenome, stepStates } from '../../vnca/rule.ts';
import type { Batch, RuleBackend, StepRule } from '../backend.ts';

/** 64 patches of 32×32: about 100 MB with a hidden layer of 72. */
const MAX_BATCH_CELLS = 65_536;

/** A backend that steps on the TensorFlow.js backend that is set in this thread. */
export const tfjsBackend = (
  own: Pick<RuleBackend, 'info' | 'gpu' | 'batchPatches'>,
): RuleBackend => ({
  ...own,
  planar: false,
  maxBatchCells: MAX_BATCH_CELLS,
  load: loadTfjsRule,
});

/** Sets this thread's backend, which must be registered. @throws Error it does not start */
export async function useBackend(name: string): Promise<void> {
  // Disables debug checks and a message on the console.
  tf.enableProdMode();
  // tfjs hides the backend's own error and returns false.
  if (!(await tf.setBackend(name))) throw new Error('the backend does not start');
  await tf.ready();
}

/** Loads a model on the backend. */
async function loadTfjsRule(model: Model): Promise<StepRule> {
  const rule = createRule(model);
  const { channels, latentSize } = model.card;
  return {
    ...(model.card.update.standingInput && {
      condition: (latent: Float32Array) =>
        tf.tidy(
          () => readGenome(rule, tf.tensor2d(latent, [1, latentSize])).dataSync() as Float32Array,
        ),
    }),
    step({ count, stage, states, after: target, conditioning, mask }: Batch) {
      const after = tf.tidy(() => {
        const genome =
          conditioning && tf.tensor2d(conditioning, [count, conditioning.length / count]);
        const parts = mask && tf.tensor4d(mask, [count, stage, stage, 1]);
        return stepStates(rule, tf.tensor4d(states, [count, stage, stage, channels]), {
          ...(genome && { genome }),
          ...(parts && { mask: parts }),
        });
      });
      try {
        target.set(after.dataSync() as Float32Array);
      } finally {
        after.dispose();
      }
    },
    dispose: () => disposeRule(rule),
  };
}
