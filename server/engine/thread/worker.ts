/**
 * The engine's thread: a patch store behind a message port. Calls run, and are answered, in order.
 */
import { workerData } from 'node:worker_threads';
import { Mutex } from '../../platform/queues.ts';
import { serveWorker } from '../../platform/worker-rpc.ts';
import type { PatchStore } from '../backend.ts';
import { openStore } from '../backends.ts';
import {
  eachMethod,
  type PackedSteps,
  packReadouts,
  type Started,
  unpackSteps,
  type WorkerMethods,
  type WorkerStart,
} from './protocol.ts';

await serveWorker<WorkerMethods, object, Started>(async () => {
  const { backend: wanted, models } = workerData as WorkerStart;
  const { backend, store, skipped } = await openStore(wanted, models);
  return { methods: inOrder(store), ready: { info: backend.info, skipped } };
});

function inOrder(store: PatchStore): WorkerMethods {
  const mutex = new Mutex();
  const step = async (steps: PackedSteps) => packReadouts(await store.step(unpackSteps(steps)));
  return eachMethod((method) => {
    const call = { ...store, step }[method] as (argument: unknown) => unknown;
    return (argument: unknown): Promise<unknown> => {
      const perform = async (): Promise<unknown> => call(argument);
      const early = store.pipelined ? perform() : undefined;
      // A failure is reported in the order of the calls.
      early?.catch(() => {});
      return mutex.runExclusive(() => early ?? perform());
    };
  }) as WorkerMethods;
}
