/** Refines the latents of drawings in a thread of its own, which starts with the first drawing. */
import { Worker } from 'node:worker_threads';
import type { Refinement } from '../autodiff/refine-latent.ts';
import type { Clock } from '../platform/clock.ts';
import { WorkerRpc } from '../platform/worker-rpc.ts';
import type { Checkpoint } from '../vnca/checkpoint.ts';
import type { RefinerMethods, RefinerStart } from './refiner-protocol.ts';

/** Refines latents. */
export interface LatentRefiner {
  /** @returns the refined latent [Z], or the given one when the thread cannot */
  refine(refinement: Refinement): Promise<Float32Array>;
  close(): Promise<void>;
}

/** After a thread that was late twice, ms. */
const PAUSE = 60_000;

type Thread = WorkerRpc<RefinerMethods>;

export interface LatentRefinerOptions {
  readonly clock: Clock;
  /** Most time that a drawing waits for the thread, ms. */
  readonly patience: number;
  /** Called with the reason when a drawing stays unrefined. */
  readonly onFailure: (why: string) => void;
}

/** The refiner of a checkpoint that `canRefine`. */
export function createLatentRefiner(
  { card, tensors }: Checkpoint,
  { clock, patience, onFailure }: LatentRefinerOptions,
): LatentRefiner {
  let thread: Thread | undefined;
  let isClosed = false;
  /** Drawings in a row for which it was late. */
  let delays = 0;
  /** Until then drawings do not wait for it, ms. */
  let pausedUntil = Number.NEGATIVE_INFINITY;
  const open = (): Thread => {
    const weights = new Map([...tensors].filter(([name]) => name.startsWith('update.')));
    const start: RefinerStart = { card, tensors: weights };
    const url = new URL('./refiner-worker.mjs', import.meta.url);
    const worker = new Worker(url, { workerData: start, name: 'refiner' });
    return new WorkerRpc<RefinerMethods>(worker, {
      onDeath: ({ cause, why }) => new Error(cause === 'threw' ? why : `its thread ${why}`),
      unref: true,
    });
  };
  return {
    async refine(refinement) {
      let cancel = (): void => {};
      const late = new Promise<undefined>((resolve) => {
        cancel = clock.after(patience, () => resolve(undefined));
      });
      try {
        if (isClosed || clock.now() < pausedUntil) return refinement.latent;
        if (!thread || thread.lost) thread = open();
        const own = thread;
        const done = own.ready.then(() => own.call('refine', refinement));
        // What comes too late concerns nobody.
        done.catch(() => {});
        const refined = await Promise.race([done, late]);
        if (refined) {
          delays = 0;
          return refined;
        }
        onFailure('its refinement has not ended in time');
        // The first time it may have started late.
        if (++delays < 2) return refinement.latent;
        delays = 0;
        pausedUntil = clock.now() + PAUSE;
        thread = undefined;
        void own.terminate(new Error('it is late'));
      } catch (error) {
        // The next drawing tries again.
        thread = undefined;
        if (!isClosed) onFailure((error as Error).message);
      } finally {
        cancel();
      }
      return refinement.latent;
    },
    async close() {
      isClosed = true;
      await thread?.terminate(new Error('the server stops'));
    },
  };
}
