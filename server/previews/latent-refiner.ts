/** Refines the latents of drawings in a thread of its own, which starts when it is first needed. */
import { Worker } from 'node:worker_threads';
import type { Refinement } from '../autodiff/refine-latent.ts';
import type { Clock } from '../platform/clock.ts';
import { WorkerRpc } from '../platform/worker-rpc.ts';
import type { Checkpoint } from '../vnca/checkpoint.ts';
import type { LatentBounds } from '../vnca/latent-map.ts';
import type { RefinerMethods, RefinerStart } from './refiner-protocol.ts';

/** Refines latents. */
export interface LatentRefiner {
  /**
   * Starts its thread, unless it has one: that would otherwise take a second or more of the first
   * drawing's time. Resolves when it has started, or has failed to.
   */
  prepare(): Promise<void>;
  /** @returns the refined latent [Z], or the given one when the thread cannot */
  refine(refinement: Refinement): Promise<Float32Array>;
  /** Lets its thread end after the step it is in. Later latents stay as they are. */
  stop(): void;
  /** Stops, and waits until no thread runs any more. */
  close(): Promise<void>;
}

/** After a thread that was late twice, ms. */
const PAUSE = 60_000;

interface Thread {
  readonly rpc: WorkerRpc<RefinerMethods>;
  /** See `RefinerStart`. */
  readonly stop: RefinerStart['stop'];
}

export interface LatentRefinerOptions {
  readonly clock: Clock;
  /** Those of the room: a latent beyond them would be shortened. */
  readonly bounds: LatentBounds;
  /** Most time that a drawing waits for the thread, ms. */
  readonly patience: number;
  /** Called with the reason when a drawing stays unrefined. */
  readonly onFailure: (why: string) => void;
}

/** The refiner of a checkpoint that `canRefine`. */
export function createLatentRefiner(
  { card, tensors }: Checkpoint,
  { clock, bounds, patience, onFailure }: LatentRefinerOptions,
): LatentRefiner {
  let thread: Thread | undefined;
  let isStopped = false;
  /** Drawings in a row for which it was late. */
  let delays = 0;
  /** Ends of threads that are in their last step. */
  const closing = new Set<Promise<void>>();
  /**
   * A thread that is stopped in the middle of a step ends the whole process: its library cannot
   * tell that thread of its result. `close` also waits for a thread that starts.
   */
  const closeAfterStep = (one: Thread, why: string): void => {
    if (thread === one) thread = undefined;
    Atomics.store(one.stop, 0, 1);
    const closed = one.rpc.close(new Error(why)).finally(() => closing.delete(closed));
    closing.add(closed);
  };
  /** Until then drawings do not wait for it, ms. */
  let pausedUntil = Number.NEGATIVE_INFINITY;
  const open = (): Thread => {
    const weights = new Map([...tensors].filter(([name]) => name.startsWith('update.')));
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const start: RefinerStart = { card, tensors: weights, bounds, stop };
    const url = new URL('./refiner-worker.mjs', import.meta.url);
    const worker = new Worker(url, { workerData: start, name: 'refiner' });
    const rpc = new WorkerRpc<RefinerMethods>(worker, {
      onDeath: ({ cause, why }) => new Error(cause === 'threw' ? why : `its thread ${why}`),
      unref: true,
    });
    return { rpc, stop };
  };
  const living = (): Thread | undefined => (thread?.rpc.lost ? undefined : thread);
  const running = (): Thread => {
    thread = living() ?? open();
    return thread;
  };
  const fail = (error: unknown, own: Thread | undefined): void => {
    if (!isStopped) onFailure((error as Error).message);
    if (own) closeAfterStep(own, 'it has failed');
  };
  const stop = (): void => {
    isStopped = true;
    if (thread) closeAfterStep(thread, 'the server stops');
  };
  return {
    async prepare() {
      if (isStopped || living() || clock.now() < pausedUntil) return;
      let own: Thread | undefined;
      try {
        own = running();
        await own.rpc.ready;
      } catch (error) {
        pausedUntil = clock.now() + PAUSE;
        fail(error, own);
      }
    },
    async refine(refinement) {
      if (isStopped || clock.now() < pausedUntil) return refinement.latent;
      let cancel = (): void => {};
      const late = new Promise<undefined>((resolve) => {
        cancel = clock.after(patience, () => resolve(undefined));
      });
      let own: Thread | undefined;
      try {
        own = running();
        const { rpc } = own;
        const done = rpc.ready.then(() => rpc.call('refine', refinement));
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
        closeAfterStep(own, 'it is late');
      } catch (error) {
        // The next drawing tries again.
        fail(error, own);
      } finally {
        cancel();
      }
      return refinement.latent;
    },
    stop,
    async close() {
      stop();
      await Promise.all(closing);
    },
  };
}
