/** The thread that refines drawings. It runs at low priority, so that ticks take precedence. */
import { readlinkSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { basename } from 'node:path';
import { workerData } from 'node:worker_threads';
import {
  compileObjective,
  createRefiner,
  nativeObjective,
  type Objective,
} from '../autodiff/refine-latent.ts';
import { openKernel, openSteps } from '../engine/native/native.ts';
import { serveWorker } from '../platform/worker-rpc.ts';
import type { RefinerMethods, RefinerStart } from './latent-refiner.ts';

await serveWorker<RefinerMethods>(async () => {
  yieldToOthers();
  const start = workerData as RefinerStart;
  const refine = createRefiner(await objectiveOf(start), {
    now: () => performance.now(),
    isStopped: () => Atomics.load(start.stop, 0) !== 0,
    bounds: start.bounds,
  });
  return { methods: { refine } };
});

/**
 * Creates the objective (loss function) that refining minimizes. It uses the native kernel if this
 * machine has one, otherwise ONNX Runtime.
 */
async function objectiveOf(model: RefinerStart): Promise<Objective> {
  const kernel = await openKernel().catch(() => undefined);
  if (kernel) return nativeObjective(openSteps(kernel, model.card), model);
  const { createOnnxCompute } = await import('../autodiff/onnx.ts');
  return compileObjective(createOnnxCompute({ threads: 1 }), model);
}

/** Lowers the priority of this thread. Works only on Linux. */
function yieldToOthers(): void {
  try {
    const thread = Number(basename(readlinkSync('/proc/thread-self')));
    setPriority(thread, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // If this fails, the thread keeps its default priority.
  }
}
