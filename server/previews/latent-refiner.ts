/** Refines the latents of drawings in a separate thread, which starts on first use. */
import { Worker } from 'node:worker_threads';
import type { RefinedModel, Refinement } from '../autodiff/refine-latent.ts';
import type { Clock } from '../platform/clock.ts';
import { WorkerRpc } from '../platform/worker-rpc.ts';
import type { LatentBounds } from '../vnca/genome.ts';

/** Start options of the refining thread, passed as `workerData`. */
export type RefinerStart = RefinedModel & {
  readonly bounds: LatentBounds;
  /** One number. If it is not 0, the thread stops refining after its current step. */
  readonly stop: Int32Array<SharedArrayBuffer>;
};

export type RefinerMethods = {
  refine(refinement: Refinement): Promise<Float32Array>;
};

type Thread = { readonly rpc: WorkerRpc<RefinerMethods>; readonly stop: RefinerStart['stop'] };

/** How long refining is suspended after a failed start or two late results in succession, in ms. */
const PAUSE = 60_000;

/** Refines the latents of drawings for one checkpoint, for which `canRefine` must return true. */
export class LatentRefiner {
  private thread: Thread | undefined;
  private isStopped = false;
  /** Number of consecutive drawings that the thread did not refine in time. */
  private delays = 0;
  /** Time until which refining is suspended (monotonic clock, ms). */
  private pausedUntil = Number.NEGATIVE_INFINITY;
  /** A promise for each closing thread, which resolves when the thread has exited. */
  private readonly closing = new Set<Promise<void>>();

  /**
   * @param options.bounds bounds within which refined latents lie
   * @param options.patience maximum time to wait for the thread's result, in ms
   * @param options.onFailure called with the reason if a drawing cannot be refined
   */
  constructor(
    private readonly model: RefinedModel,
    private readonly options: {
      readonly clock: Clock;
      readonly bounds: LatentBounds;
      readonly patience: number;
      readonly onFailure: (why: string) => void;
    },
  ) {}

  /** Starts the thread if it is not running. Resolves when the start has succeeded or failed. */
  async prepare(): Promise<void> {
    if (this.isPaused || this.running) return;
    let thread: Thread | undefined;
    try {
      // `open` throws if the system cannot create another thread.
      thread = this.open();
      await thread.rpc.ready;
    } catch (error) {
      this.pausedUntil = this.options.clock.now() + PAUSE;
      this.fail(thread, error);
    }
  }

  /**
   * Refines a latent.
   *
   * @returns the refined latent, or the given latent if the thread fails or is late
   */
  async refine(refinement: Refinement): Promise<Float32Array> {
    if (this.isPaused) return refinement.latent;
    const { clock, patience, onFailure } = this.options;
    let thread: Thread | undefined;
    let cancel!: () => void;
    const late = new Promise<undefined>((resolve) => {
      cancel = clock.after(patience, () => resolve(undefined));
    });
    try {
      thread = this.running ?? this.open();
      const { rpc } = thread;
      const done = rpc.ready.then(() => rpc.call('refine', refinement));
      // Prevent an unhandled rejection if the call fails after the timeout.
      done.catch(() => {});
      const refined = await Promise.race([done, late]);
      if (refined) {
        this.delays = 0;
        return refined;
      }
      onFailure('the refinement took too long');
      // Do not suspend refining after one late result, because the thread may have just started.
      if (++this.delays < 2) return refinement.latent;
      this.delays = 0;
      this.pausedUntil = clock.now() + PAUSE;
      this.closeAfterStep(thread, 'it is late');
    } catch (error) {
      // Close the thread, if it has started. The next drawing starts another thread.
      this.fail(thread, error);
    } finally {
      cancel();
    }
    return refinement.latent;
  }

  /** Stops the thread after its current step. Afterwards, `refine` returns latents unchanged. */
  stop(): void {
    this.isStopped = true;
    if (this.thread) this.closeAfterStep(this.thread, 'the server stops');
  }

  async close(): Promise<void> {
    this.stop();
    await Promise.all(this.closing);
  }

  private get isPaused(): boolean {
    return this.isStopped || this.options.clock.now() < this.pausedUntil;
  }

  private get running(): Thread | undefined {
    return this.thread?.rpc.lost ? undefined : this.thread;
  }

  private open(): Thread {
    const { card, tensors } = this.model;
    const weights = new Map([...tensors].filter(([name]) => name.startsWith('update.')));
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const { bounds } = this.options;
    const workerData: RefinerStart = { card, tensors: weights, bounds, stop };
    const url = new URL('./refiner-worker.mjs', import.meta.url);
    const rpc = new WorkerRpc<RefinerMethods>(new Worker(url, { workerData, name: 'refiner' }), {
      onDeath: ({ cause, why }) => new Error(cause === 'threw' ? why : `its thread ${why}`),
      unref: true,
    });
    this.thread = { rpc, stop };
    return this.thread;
  }

  private fail(thread: Thread | undefined, error: unknown): void {
    if (!this.isStopped) this.options.onFailure((error as Error).message);
    if (thread) this.closeAfterStep(thread, 'it has failed');
  }

  /**
   * Closes a thread after its start or its current step. Terminating the thread during a step would
   * crash the whole process.
   */
  private closeAfterStep(thread: Thread, why: string): void {
    if (this.thread === thread) this.thread = undefined;
    Atomics.store(thread.stop, 0, 1);
    const closed = thread.rpc.close(new Error(why)).finally(() => this.closing.delete(closed));
    this.closing.add(closed);
  }
}
