/** The TensorFlow.js CPU backend in plain JavaScript: slow, but it runs everywhere. */
import type { RuleBackend } from '../backend.ts';
import { tfjsBackend, useBackend } from './step-rule.ts';

/** Starts the backend. */
export async function startCpu(): Promise<RuleBackend> {
  await import('@tensorflow/tfjs-backend-cpu');
  await useBackend('cpu');
  return tfjsBackend({ info: { name: 'cpu', device: 'CPU (JavaScript)' } });
}
