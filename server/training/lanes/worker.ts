/** A lane's thread: a trade behind a message port, with a compute of its own. */
import { parentPort, workerData } from 'node:worker_threads';
import { createCompute } from '../autodiff/create.ts';
import { failureOf } from './failure.ts';
import type { LaneStart, Reply } from './protocol.ts';
import type { Trade } from './trade.ts';

const port = parentPort!;

try {
  const { module, backend, plan } = workerData as LaneStart;
  const { trade } = (await import(module)) as { trade: Trade<unknown, unknown, unknown> };
  const compute = await createCompute(backend, { threads: 1 });
  const lane = await trade.open(compute, plan, (told) => send({ told }));
  port.on('message', async (job: unknown) => {
    try {
      const result = await lane.work(job);
      send({ result }, [...buffersOf(result)]);
    } catch (error) {
      send({ failure: failureOf(error) });
    }
  });
  send({ ready: true });
} catch (error) {
  send({ unopened: failureOf(error) });
}

function send(reply: Reply, transfer: ArrayBuffer[] = []): void {
  port.postMessage(reply, transfer);
}

/** Results are made for one reader, so their buffers move to it. */
function buffersOf(part: unknown, found = new Set<ArrayBuffer>()): Set<ArrayBuffer> {
  if (ArrayBuffer.isView(part)) {
    if (part.buffer instanceof ArrayBuffer) found.add(part.buffer);
  } else if (typeof part === 'object' && part !== null) {
    for (const inner of Object.values(part)) buffersOf(inner, found);
  }
  return found;
}
