/** What the engine's side of the port makes of a worker that dies or speaks. */
import { Worker } from 'node:worker_threads';
import { attachEngine } from '../../../server/engine/tfjs/workerEngine.ts';

const SAY = "const { parentPort } = require('node:worker_threads');";
const READY = "parentPort.postMessage({ info: { name: 'fake', device: 'CPU (none)' } });";

const workerOf = (code: string): Worker => new Worker(`${SAY}${code}`, { eval: true });

test('a worker that ends before it is ready makes the engine unavailable', async () => {
  await expect(attachEngine(workerOf('process.exit(3)'))).rejects.toMatchObject({
    reason: 'unavailable',
    message: "engine: unavailable: the engine's thread ended with code 3",
  });
});

test('a worker that throws before it is ready makes the engine unavailable', async () => {
  await expect(attachEngine(workerOf("throw new Error('no luck')"))).rejects.toMatchObject({
    reason: 'unavailable',
    message: 'engine: unavailable: no luck',
  });
});

test('a worker that dies fails every call that waits, and every later one', async () => {
  const dies =
    "parentPort.on('message', ({ call }) => { if (call === 1) throw new Error('hit'); });";
  const engine = await attachEngine(workerOf(READY + dies));
  expect(engine.info).toEqual({ name: 'fake', device: 'CPU (none)' });
  const failure = { reason: 'failed', message: 'engine: failed: hit' };
  const first = engine.dispose([]);
  const second = engine.dispose([]);
  await expect(first).rejects.toMatchObject(failure);
  await expect(second).rejects.toMatchObject(failure);
  await expect(engine.step([])).rejects.toMatchObject(failure);
  await engine.close();
  await expect(engine.step([])).rejects.toMatchObject(failure);
});

test('replies find their calls, in whatever order they come', async () => {
  const backwards = `
    const calls = [];
    parentPort.on('message', ({ call, argument }) => {
      calls.push({ call, result: argument });
      if (calls.length === 2) for (const reply of calls.reverse()) parentPort.postMessage(reply);
    });`;
  const engine = await attachEngine(workerOf(READY + backwards));
  const replies = await Promise.all([engine.exportStates([1]), engine.exportStates([2])]);
  expect(replies).toEqual([[1], [2]]);
  const closed = engine.close();
  await expect(engine.dispose([])).rejects.toMatchObject({ reason: 'closed' });
  // This worker does not answer a lone call: closing must not wait for it for ever.
  await expect(Promise.race([closed, Promise.resolve('waits')])).resolves.toBe('waits');
});
