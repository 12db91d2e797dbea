/** A trade that shows where it runs, meets others, and fails in every way. */
import { threadId } from 'node:worker_threads';
import { TrainingError } from '../../../../server/training/errors.ts';
import type { WorkerJob } from '../../../../server/training/workers/worker-job.ts';

/** Two counters in shared memory: workers that are open, and jobs that have come to meet. */
export type Plan = { readonly counters: Int32Array; readonly refuse?: boolean };

export type Job =
  | { readonly kind: 'echo'; readonly value: Float32Array }
  /** Ends once so many jobs have come. */
  | { readonly kind: 'meet'; readonly wanted: number }
  | { readonly kind: 'tell'; readonly amount: number }
  | { readonly kind: 'throw'; readonly what: 'training' | 'range' | 'other' }
  | { readonly kind: 'die'; readonly how: 'exit' | 'throw' };

export type Result = { readonly thread: number; readonly value?: Float32Array };

export const workerJob: WorkerJob<Plan, Job, Result> = {
  module: import.meta.url,
  async open(_, { counters, refuse }, tell) {
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
          case 'tell':
            tell(job.amount);
            return { thread: threadId };
          case 'throw':
            if (job.what === 'training') throw new TrainingError('not-finite', 'no number');
            if (job.what === 'range') throw new RangeError('too far');
            throw new Error('no luck');
          case 'die':
            if (job.how === 'exit') process.exit(3);
            setImmediate(() => {
              throw new Error('hit');
            });
            return new Promise(() => {});
        }
      },
      async close() {},
    };
  },
};
