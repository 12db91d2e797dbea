/** How an engine deals with a worker that dies or sends messages of its own. */
import { Worker } from 'node:worker_threads';
import { attachEngine } from '../../../server/engine/thread/protocol.ts';

const SAY = "const { parentPort } = require('node:worker_threads');";
const READY =
  "parentPort.postMessage({ answer: 0, result: { info: { name: 'fake', device: 'CPU (none)' }, skipped: [] } });";

const workerOf = (code: string): Worker => new Worker(`${SAY}${code}`, { eval: true });

test.each([
  ['ends', 'process.exit(3)', "the engine's thread ended with code 3"],
  ['throws', "throw new Error('no luck')", 'no luck'],
])('a worker that %s before it is ready makes the engine unavailable', async (_, code, why) => {
  await expect(attachEngine(workerOf(code))).rejects.toMatchObject({
    reason: 'unavailable',
    message: `engine: unavailable: ${why}`,
  });
});

test('a worker reports the loss of its device', async () => {
  const whys: string[] = [];
  const loses =
    "parentPort.on('message', ({ call, args }) => {" +
    "parentPort.postMessage({ method: 'lost', args: ['driver reset'] });" +
    'parentPort.postMessage({ answer: call, result: args[0] }); });';
  const worker = workerOf(READY + loses);
  const engine = await attachEngine(worker, { onDeviceLoss: (why) => whys.push(why) });
  expect(await engine.exportStates([1])).toEqual([1]);
  expect(whys).toEqual(['driver reset']);
  await worker.terminate();
});
