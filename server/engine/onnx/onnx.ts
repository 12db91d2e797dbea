/** The ONNX Runtime backend, which runs on the CPU. */

import { growthSchedule } from '../../vnca/architecture.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import { createCondition } from '../../vnca/genome.ts';
import type { Batch, RuleBackend, StepRule } from '../backend.ts';
import { AFTER, MASK, OWN, STATES, type StepModel, stepModel, tileable } from './graph.ts';
import { openSession, Tensor } from './model.ts';

/**
 * Maximum number of cells in a batch: as many as in one patch of 32×32 cells, whose layers fit in
 * the cache of a CPU core.
 */
const MAX_BATCH_CELLS = 1024;

export async function startOnnx(): Promise<RuleBackend> {
  return {
    info: { name: 'onnx', device: 'CPU (ONNX Runtime)' },
    gpu: false,
    planar: true,
    maxBatchCells: MAX_BATCH_CELLS,
    load: loadRule,
  };
}

async function loadRule(model: Model): Promise<StepRule> {
  const ofAnyStage = await start(stepModel(model));
  const ofStage = new Map<number, Session>();
  for (const { stage } of growthSchedule(model.card)) {
    if (!tileable(stage) || ofStage.has(stage)) continue;
    ofStage.set(stage, await start(stepModel(model, stage)));
  }
  const condition = createCondition(model);
  return {
    ...(condition && { condition }),
    async step(batch) {
      const session = ofStage.get(batch.stage);
      if (!session) return ofAnyStage.step(batch);
      // Step one patch at a time, so that its layers stay in the core's cache.
      for (let i = 0; i < batch.count; i++) await session.step(patchOf(batch, i));
    },
    async dispose() {
      for (const session of [ofAnyStage, ...ofStage.values()]) await session.release();
    },
  };
}

type Session = Awaited<ReturnType<typeof start>>;

async function start({ bytes, parts }: StepModel) {
  const session = await openSession(bytes);
  return {
    async step({ count, stage, states, after, conditioning, mask }: Batch): Promise<void> {
      const tensor = (data: Float32Array, shape: readonly number[]): Tensor =>
        new Tensor('float32', data, shape);
      const shape = [count, states.length / (count * stage * stage), stage, stage];
      const feeds: Record<string, Tensor> = { [STATES]: tensor(states, shape) };
      if (conditioning && parts.length === 0) {
        feeds[OWN] = tensor(conditioning, [count, conditioning.length / count]);
      }
      for (const { name, from, size, shape } of parts) {
        feeds[name] = tensor(conditioning!.subarray(from, from + size), shape);
      }
      if (mask) feeds[MASK] = tensor(mask, [count, 1, stage, stage]);
      await session.run(feeds, { [AFTER]: tensor(after, shape) });
    },
    release: () => session.release(),
  };
}

function patchOf(batch: Batch, i: number): Batch {
  if (batch.count === 1) return batch;
  const { count, stage, ...numbers } = batch;
  const part = (all: Float32Array): Float32Array => {
    const size = all.length / count;
    return all.subarray(i * size, (i + 1) * size);
  };
  const { states, after, conditioning, mask } = numbers;
  return {
    ...{ count: 1, stage, states: part(states), after: part(after) },
    ...(conditioning && { conditioning: part(conditioning) }),
    ...(mask && { mask: part(mask) }),
  };
}
