/** Engines whose threads can be killed. */
import type { Worker } from 'node:worker_threads';
import {
  createEngine,
  type EngineOptions,
  spawnThread,
} from '../../server/engine/create-engine.ts';
import type { Engine } from '../../server/engine/engine.ts';

export interface LossyEngine {
  readonly engine: Engine;
  /** All that were started, in that order. */
  readonly threads: readonly Worker[];
  /** Ends a thread, another one each time. */
  lose(): void;
  /** What it has said of its losses. */
  readonly heard: readonly string[];
}

export async function lossyEngine(options: EngineOptions): Promise<LossyEngine> {
  const threads: Worker[] = [];
  const heard: string[] = [];
  let lost = 0;
  const engine = await createEngine({
    ...options,
    spawn: (start) => {
      const thread = spawnThread(start);
      threads.push(thread);
      return thread;
    },
    onLoss: ({ what, why, count }) => heard.push(`${what} ${count}: ${why}`),
  });
  return { engine, threads, heard, lose: () => void threads[lost++].terminate() };
}
