/** The real engine: on the shipped checkpoint, or with threads that can be killed. */
import type { Worker } from 'node:worker_threads';
import type { BackendName } from '../../server/engine/backend.ts';
import {
  createEngine,
  type EngineOptions,
  spawnThread,
} from '../../server/engine/create-engine.ts';
import type { Engine } from '../../server/engine/engine.ts';
import { speciesOf } from '../../server/rooms/loaded-checkpoint.ts';
import { loadCheckpoint } from '../../server/vnca/checkpoint.ts';
import { CHECKPOINT_FOLDER } from './organisms.ts';

/**
 * Starts an engine with one checkpoint.
 *
 * @param backend 'auto' chooses the best backend of this machine
 */
export async function startEngine(
  backend: BackendName | 'auto' = 'auto',
  folder = CHECKPOINT_FOLDER,
) {
  const checkpoint = await loadCheckpoint(folder);
  const engine = await createEngine({ checkpoints: [checkpoint], backend });
  return { checkpoint, species: speciesOf(checkpoint), engine };
}

export interface MortalEngine {
  readonly engine: Engine;
  /** All that were started, in that order. */
  readonly threads: readonly Worker[];
  /** Ends a thread, another one each time. */
  lose(): void;
  /** What it has said of its losses. */
  readonly heard: readonly string[];
}

export async function mortalEngine(options: EngineOptions): Promise<MortalEngine> {
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

let worlds = 0;

/** One engine for many worlds at once: for each call, one whose patches have names of their own. */
export function sharedEngine({ info, close, ...all }: Engine): Engine {
  const first = 100_000 * ++worlds;
  const own = <T extends { readonly patch: number }>(items: readonly T[]): T[] =>
    items.map((item) => ({ ...item, patch: item.patch + first }));
  const ids = (patches: readonly number[]): number[] => patches.map((patch) => patch + first);
  return {
    info,
    close,
    plant: (patches) => all.plant(own(patches)),
    step: (steps) => all.step(own(steps)),
    exportStates: (patches) => all.exportStates(ids(patches)),
    importStates: (states) => all.importStates(own(states)),
    dispose: (patches) => all.dispose(ids(patches)),
  };
}
