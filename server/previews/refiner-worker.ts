/** The thread that refines drawings. It runs at a low priority, as ticks are more urgent. */
import { readlinkSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { basename } from 'node:path';
import { workerData } from 'node:worker_threads';
import { createOnnxCompute } from '../autodiff/onnx.ts';
import { openRefiner } from '../autodiff/refine-latent.ts';
import { serveWorker } from '../platform/worker-rpc.ts';
import type { RefinerMethods, RefinerStart } from './latent-refiner.ts';

await serveWorker<RefinerMethods>(async () => {
  yieldToOthers();
  const compute = createOnnxCompute({ threads: 1 });
  const start = workerData as RefinerStart;
  const isStopped = () => Atomics.load(start.stop, 0) !== 0;
  const { refine } = await openRefiner(compute, start, {
    now: () => performance.now(),
    isStopped,
    bounds: start.bounds,
  });
  return { methods: { refine } };
});

/**
 * Lowers the priority of this thread alone. Only Linux supports that; on other systems the thread
 * competes equally for the CPU.
 */
function yieldToOthers(): void {
  try {
    setPriority(
      Number(basename(readlinkSync('/proc/thread-self'))),
      constants.priority.PRIORITY_BELOW_NORMAL,
    );
  } catch {
    // The thread keeps its default priority.
  }
}
