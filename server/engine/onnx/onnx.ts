/** ONNX Runtime on the CPU: a thread for each core, and in each thread a share of the patches. */
import { availableParallelism } from 'node:os';
import './noTelemetry.ts';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Model } from '../../vnca/checkpoint.ts';
import { createExpress } from '../../vnca/genome.ts';
import type { Batch, RuleBackend, StepRule } from '../backend.ts';
import { AFTER, MASK, OWN, STATES, stepModel } from './graph.ts';

/**
 * Two patches of 32×32: their layers stay in a core's own cache. With sixteen, a quarter fewer cells a second were measured
 * (net of 32 channels and 80 hidden units, AVX-512).
 */
const MAX_BATCH_CELLS = 2048;

export async function startOnnx(): Promise<RuleBackend> {
  const threads = availableParallelism();
  return {
    info: { name: 'onnx', device: `CPU (ONNX Runtime, ${threads} threads)` },
    gpu: false,
    planar: true,
    maxBatchCells: MAX_BATCH_CELLS,
    load: loadRule,
  };
}

async function loadRule(model: Model): Promise<StepRule> {
  const session = await InferenceSession.create(stepModel(model), {
    executionProviders: ['cpu'],
    // Threads that share one product wait for each other at every layer; patches have nothing to share.
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
  });
  const { channels } = model.card;
  const express = createExpress(model);
  return {
    ...(express && { express }),
    async step({ count, stage, states, after, standing, mask }: Batch) {
      const shape = [count, channels, stage, stage];
      const feeds: Record<string, Tensor> = { [STATES]: new Tensor('float32', states, shape) };
      if (standing) {
        feeds[OWN] = new Tensor('float32', standing, [count, standing.length / count]);
      }
      if (mask) feeds[MASK] = new Tensor('float32', mask, [count, 1, stage, stage]);
      await session.run(feeds, { [AFTER]: new Tensor('float32', after, shape) });
    },
    dispose: () => session.release(),
  };
}
