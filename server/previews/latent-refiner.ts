/** Refines the latents of drawings in a thread of its own, which starts when it is first needed. */
import { Worker } from 'node:worker_threads';
import type { RefinedModel, Refinement } from '../autodiff/refine-latent.ts';
import type { Clock } from '../platform/clock.ts';
import { WorkerRpc } from '../platform/worker-rpc.ts';
import type { LatentBounds } from '../vnca/genome.ts';

/** The `workerData` of the thread. */
export type RefinerStart = RefinedModel & {
  readonly bounds: LatentBounds;
  /** One number; other than 0: the thread ends what it does after the step it is in. */
  readonly stop: Int32Array<SharedArrayBuffer>;
};

/** The methods of the thread. */
export type RefinerMethods = {
  refine(refinement: Refinement): Promise<Float32Array>;
};

interface Thread {
  readonly rpc: WorkerRpc<RefinerMethods>;
  readonly stop: RefinerStart['stop'];
}

/** How long drawings stay unrefined after a thread was late twice or did not start, ms. */
const PAUSE = 60_000;

/** Options of a `LatentRefiner`. */
export interface LatentRefinerOptions {
  readonly clock: Clock;
  /** Bounds of the room: a latent beyond them would be shortened. */
  readonly bounds: LatentBounds;
  /** Maximum time that a drawing waits for the thread, ms. */
  readonly patience: number;
  /** Called with the reason when a drawing stays unrefined. */
  readonly onFailure: (why: string) => void;
}

/** The refiner of a checkpoint that `canRefine`. */
export class LatentRefiner {
  private thread: Thread | undefined;
  private isStopped = false;
  /** Number of drawings in a row for which the thread was late. */
  private delays = 0;
  /** Drawings do not wait for the thread until then, ms. */
  private pausedUntil = Number.NEGATIVE_INFINITY;
  /** Ends of threads that are in their last step. */
  private readonly closing = new Set<Promise<void>>();

  constructor(
    private readonly model: RefinedModel,
    private readonly options: LatentRefinerOptions,
  ) {}

  /**
   * Starts the thread, unless it is running: starting takes a second or more, which the first
   * drawing would wait for. Resolves when it has started, or has failed to.
   */
  async prepare(): Promise<void> {
    if (this.isPaused || this.running) return;
    const thread = this.open();
    try {
      await thread.rpc.ready;
    } catch (error) {
      this.pausedUntil = this.options.clock.now() + PAUSE;
      this.fail(thread, error);
    }
  }

  /** @returns the refined latent [Z], or the given one when the thread cannot */
  async refine(refinement: Refinement): Promise<Float32Array> {
    if (this.isPaused) return refinement.latent;
    const { clock, patience, onFailure } = this.options;
    const thread = this.running ?? this.open();
    const { rpc } = thread;
    let cancel!: () => void;
    const late = new Promise<undefined>((resolve) => {
      cancel = clock.after(patience, () => resolve(undefined));
    });
    try {
      const done = rpc.ready.then(() => rpc.call('refine', refinement));
      // Nobody waits for a result that comes too late.
      done.catch(() => {});
      const refined = await Promise.race([done, late]);
      if (refined) {
        this.delays = 0;
        return refined;
      }
      onFailure('its refinement has not ended in time');
      // The first time it may have started late.
      if (++this.delays < 2) return refinement.latent;
      this.delays = 0;
      this.pausedUntil = clock.now() + PAUSE;
      this.closeAfterStep(thread, 'it is late');
    } catch (error) {
      // The next drawing tries again.
      this.fail(thread, error);
    } finally {
      cancel();
    }
    return refinement.latent;
  }

  /** Lets the thread end after the step it is in. Later latents stay as they are. */
  stop(): void {
    this.isStopped = true;
    if (this.thread) this.closeAfterStep(this.thread, 'the server stops');
  }

  /** Stops all threads and waits for them to exit. */
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

  private fail(thread: Thread, error: unknown): void {
    if (!this.isStopped) this.options.onFailure((error as Error).message);
    this.closeAfterStep(thread, 'it has failed');
  }

  /**
   * A thread that is stopped in the middle of a step ends the whole process: its library cannot
   * tell that thread of its result. `close` also waits for a thread that starts.
   */
  private closeAfterStep(thread: Thread, why: string): void {
    if (this.thread === thread) this.thread = undefined;
    Atomics.store(thread.stop, 0, 1);
    const closed = thread.rpc.close(new Error(why)).finally(() => this.closing.delete(closed));
    this.closing.add(closed);
  }
}
