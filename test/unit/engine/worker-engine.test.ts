/** How an engine deals with a worker that dies. */
import { Worker } from 'node:worker_threads';
import { attachEngine } from '../../../server/engine/thread/protocol.ts';

const workerOf = (code: string): Worker => new Worker(code, { eval: true });

test.each([
  ['ends', 'process.exit(3)', "the engine's thread ended with code 3"],
  ['throws', "throw new Error('no luck')", 'no luck'],
])('a worker that %s before it is ready makes the engine unavailable', async (_, code, why) => {
  await expect(attachEngine(workerOf(code))).rejects.toMatchObject({
    reason: 'unavailable',
    message: `engine: unavailable: ${why}`,
  });
});
