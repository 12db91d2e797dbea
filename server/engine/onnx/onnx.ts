/** ONNX Runtime on the CPU, all cores. */
import { availableParallelism } from 'node:os';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Model } from '../../vnca/checkpoint.ts';
import { createExpress } from '../../vnca/genome.ts';
import type { Batch, RuleBackend, StepRule } from '../backend.ts';
import { AFTER, MASK, OWN, STATES, stepModel } from './graph.ts';

/** Sixteen patches of 32×32: half as many cells a second were measured with 64, whose layers fall out of the cache. */
const MAX_BATCH_CELLS = 16_384;

export async function startOnnx(): Promise<RuleBackend> {
  const threads = availableParallelism();
  return {
    info: { name: 'onnx', device: `CPU (ONNX Runtime, ${threads} threads)` },
    gpu: false,
    planar: true,
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
