/** A worker job that reports its thread, waits for others, and fails in every way. */
import { threadId } from 'node:worker_threads';
import { TrainingError } from '../../../../server/training/errors.ts';
import type { WorkerJob } from '../../../../server/training/workers/worker-pool.ts';

/** Two counters in shared memory: open workers, and jobs that wait for each other. */
export type Plan = { readonly counters: Int32Array; readonly refuse?: boolean };

export type Job =
  | { readonly kind: 'echo'; readonly value: Float32Array }
  /** Ends once `wanted` jobs have started. */
  | { readonly kind: 'meet'; readonly wanted: number }
  | { readonly kind: 'throw'; readonly what: 'training' | 'range' };

export type Result = { readonly thread: number; readonly value?: Float32Array };

export const workerJob: WorkerJob<Plan, Job, Result> = {
  module: import.meta.url,
  async open(_, { counters, refuse }) {
    if (refuse) throw new TrainingError('bad-data', 'nothing to work with');
    Atomics.add(counters, 0, 1);
    return {
      async work(job) {
        switch (job.kind) {
          case 'echo':
            return { thread: threadId, value: job.value };
          case 'meet':
            Atomics.add(counters, 1, 1);
            Atomics.notify(counters, 1);
            for (;;) {
              const come = Atomics.load(counters, 1);
              if (come >= job.wanted) return { thread: threadId };
              if (Atomics.wait(counters, 1, come, 200_000) === 'timed-out') {
                throw new Error('alone');
              }
            }
          case 'throw':
            if (job.what === 'training') throw new TrainingError('not-finite', 'no number');
            throw new RangeError('too far');
        }
      },
      async close() {},
    };
  },
};
