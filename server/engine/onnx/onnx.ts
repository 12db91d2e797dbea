/** ONNX Runtime on the CPU, all cores. */
import { availableParallelism } from 'node:os';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Model } from '../../vnca/checkpoint.ts';
import type { Batch, RuleBackend, StepRule } from '../backend.ts';
import { AFTER, GENOME, MASK, STATES, stepModel } from './graph.ts';

/** Sixteen patches of 32×32: half as many cells a second were measured with 64, whose layers fall out of the cache. */
const MAX_BATCH_CELLS = 16_384;

export async function startOnnx(): Promise<RuleBackend> {
  const threads = availableParallelism();
  return {
    info: { name: 'onnx', device: `CPU (ONNX Runtime, ${threads} threads)` },
    gpu: false,
    maxBatchCells: MAX_BATCH_CELLS,
    load: (model) => loadRule(model, threads),
  };
}

async function loadRule(model: Model, threads: number): Promise<StepRule> {
  const session = await InferenceSession.create(stepModel(model), {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
  });
  const { channels, latentSize } = model.card;
  return {
    async step({ count, stage, states, latents, mask }: Batch) {
      const feeds: Record<string, Tensor> = {
        [STATES]: new Tensor('float32', states, [count, stage, stage, channels]),
      };
      if (latents) feeds[GENOME] = new Tensor('float32', latents, [count, latentSize]);
      if (mask) feeds[MASK] = new Tensor('float32', mask, [count, stage, stage, 1]);
      const results = await session.run(feeds);
      return results[AFTER].data as Float32Array;
    },
    dispose: () => session.release(),
  };
}
