/** The TensorFlow.js CPU backend in plain JavaScript: slow, but it runs everywhere. */
import type { RuleBackend } from '../backend.ts';
import { loadTfjsRule, MAX_BATCH_CELLS, useBackend } from './step-rule.ts';

/** Starts the backend. */
export async function startCpu(): Promise<RuleBackend> {
  await import('@tensorflow/tfjs-backend-cpu');
  await useBackend('cpu');
  return {
    info: { name: 'cpu', device: 'CPU (JavaScript)' },
    planar: false,
    gpu: false,
    maxBatchCells: MAX_BATCH_CELLS,
    load: loadTfjsRule,
  };
}
