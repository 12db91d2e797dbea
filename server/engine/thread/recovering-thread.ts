/**
 * An engine thread that recovers from crashes. If the thread or its GPU is lost, a new thread is
 * started, all patches are restored on it, and the calls that were not answered are made again.
 * Calls reach the thread immediately, and are answered in the order in which they were made.
 */
import { type Clock, pause, retry, systemClock } from '../../platform/clock.ts';
import { freeBuffers } from '../../platform/worker-rpc.ts';
import type { Genomes } from '../../vnca/chimera.ts';
import type { BackendName, TransferredPatch } from '../backend.ts';
import {
  EngineError,
  type EngineInfo,
  type EngineLoss,
  type NewPatch,
  type PatchId,
  type PatchStep,
} from '../engine.ts';
import type { ThreadEngine, WorkerMethods } from './protocol.ts';

/**
 * Number of steps between two backup copies of a patch's states, if the patch is on a CPU. With
 * this interval, copying takes well under 1 % of the time that the steps take, and after a crash,
 * it takes one or two seconds to repeat the steps since the last copy.
 */
export const SAVE_EVERY = 64;
/**
 * Number of steps between two backup copies of a patch's states, if the patch is on a GPU. The
 * interval is longer than on a CPU, because copying from a GPU takes longer. It must not be much
 * longer: if the GPU stays unavailable after a loss, a slower CPU must repeat the steps since the
 * last copy.
 */
export const SAVE_GPU_EVERY = 128;

const copyOfGenomes = ({ latents, labels }: Genomes): Genomes => ({
  latents: latents.map((latent) => latent.slice()),
  labels: labels?.slice(),
});

/**
 * Copies a step, with its masks and genomes. The step is kept in a log, and the caller may change
 * the original later.
 */
const copyOf = (step: PatchStep): PatchStep => ({
  ...step,
  ...(step.keep && { keep: step.keep.slice() }),
  ...(step.closed && { closed: step.closed.slice() }),
  ...(step.express && { express: copyOfGenomes(step.express) }),
});

/**
 * A backup of a patch: a copy of its states, and a log of the steps that were made since the states
 * were copied. Repeating these steps restores the patch exactly, because the result of a step
 * depends only on the states, the masks and the genomes.
 */
class Backup {
  /** Steps made since the states were copied, in order. */
  steps: PatchStep[] = [];
  /** Whether the states contain NaN or infinity. Such states are not copied. */
  private isBroken = false;
  /**
   * When the log has this number of steps, the states are copied again. `Infinity` while a copy is
   * being made.
   */
  saveAfter: number;

  /**
   * @param seed the patch as it was planted, except for its genomes: they are those that the cells
   * read when the states were copied
   * @param saveEvery number of steps between two copies of the states
   * @param saved the copied states, [s, s, C]; undefined if they have not been copied since
   * planting
   */
  constructor(
    public seed: NewPatch,
    private readonly saveEvery: number,
    public saved?: Float32Array,
  ) {
    // Make the first copy after a number of steps that depends on the patch's id. Otherwise,
    // patches that are planted together would all be copied in the same step.
    this.saveAfter = saveEvery / 2 + (seed.patch % saveEvery);
  }

  /** Whether the states are to be copied before the next step. */
  get isDue(): boolean {
    return !this.isBroken && this.steps.length >= this.saveAfter;
  }

  /** Logs a step, which the caller must not change afterwards. */
  log(step: PatchStep, isBroken: boolean): void {
    this.steps.push(step);
    this.isBroken = isBroken;
  }

  /**
   * Ends an attempt to copy the states. If it was successful, the new copy replaces the old one,
   * and the log of steps becomes empty.
   *
   * @param saved the states after all steps in the log; undefined if the attempt failed
   */
  endSave(saved: Float32Array | undefined): void {
    if (!saved) {
      // Copying failed. Wait for some steps before the next attempt.
      this.saveAfter = this.steps.length + this.saveEvery / 8;
      return;
    }
    this.saveAfter = this.saveEvery;
    this.saved = saved;
    this.seed = this.seedNow;
    this.steps = [];
  }

  /** The patch as planted, but with the genomes that its cells read now. */
  get seedNow(): NewPatch {
    const last = this.steps.findLast(({ express }) => express);
    return last ? { ...this.seed, genomes: last.express } : this.seed;
  }
}

interface RecoveryOptions {
  /** Starts an engine thread. @throws EngineError unavailable */
  readonly start: (backend: BackendName) => Promise<ThreadEngine>;
  /**
   * Backend to start in place of the current one, if the current one is lost repeatedly or does not
   * start. If absent, only the current backend is tried.
   */
  readonly alternative?: BackendName;
  /** Called when a thread or GPU is lost, before a replacement starts. */
  readonly onLoss?: (what: EngineLoss['what'], why: string) => void;
  readonly onFallback?: (replacement: EngineInfo, why: string) => void;
  /** Delay before each attempt to start a replacement, in ms. */
  readonly retryDelays?: readonly number[];
  readonly clock?: Clock;
  /** Number of steps between two backup copies of a patch's states. */
  readonly saveEvery?: number;
}

/**
 * How long to wait before each attempt to start a replacement, in ms. The waits add up to several
 * seconds, because a driver that has been reset may need this time to make the GPU available again.
 */
const RETRY_DELAYS = [0, 500, 2_000, 5_000];
/**
 * Maximum number of losses within `LOSS_WINDOW` after which a replacement is still started. When
 * this number is reached, the replacement uses the alternative backend, if there is one. One more
 * loss is fatal.
 */
const MAX_LOSSES = 3;
/**
 * After this number of failed attempts to start the current backend, the alternative backend is
 * tried.
 */
const MAX_FAILURES = RETRY_DELAYS.length - 1;
/** Period in which losses are counted for `MAX_LOSSES`, in ms. */
const LOSS_WINDOW = 60_000;

interface PendingCall {
  attempt(thread: ThreadEngine): Promise<void>;
  reject(error: EngineError): void;
}

/**
 * Holds the current thread, and the calls that it has not answered yet. Replaces the thread if it
 * is lost.
 */
class Recovery {
  /** The running thread; undefined while a replacement is starting. */
  private current: ThreadEngine | undefined;
  private failure: EngineError | undefined;
  /** Times of the losses within `LOSS_WINDOW`, in ms. */
  private losses: number[] = [];
  private backend: BackendName;
  private readonly pending = new Set<PendingCall>();

  /**
   * @param restore plants all patches on a new thread and gives them the states that they had
   * before the pending calls
   */
  constructor(
    first: ThreadEngine,
    private readonly options: RecoveryOptions,
    private readonly restore: (thread: ThreadEngine) => Promise<void>,
  ) {
    this.current = first;
    this.backend = first.info.name as BackendName;
  }

  /**
   * Makes a call to the current thread. If the thread is lost before it answers, makes the call
   * again to its replacement.
   *
   * @param run makes the call, immediately, to the thread that is passed to it
   * @param accept called with the thread's answer, before the promise resolves. After this, the
   * call is not made again
   * @throws EngineError 'failed' if threads are lost repeatedly or no replacement starts;
   * EngineError 'closed'; or the error with which the thread answers
   */
  submit<T>(run: (thread: ThreadEngine) => Promise<T>, accept?: (result: T) => void): Promise<T> {
    const { pending } = this;
    return new Promise<T>((resolve, reject) => {
      const call: PendingCall = {
        reject,
        attempt: async (thread) => {
          let settle: () => void;
          try {
            const result = await run(thread);
            settle = () => {
              accept?.(result);
              resolve(result);
            };
          } catch (error) {
            const { reason } = error as EngineError;
            if (reason === 'failed' || reason === 'gpu-lost')
              return this.replace(thread, error as EngineError);
            settle = () => reject(error);
          }
          // Ignore the answer of a thread that has been lost: the call is made again to its
          // replacement, which gives the answer that counts.
          if (thread !== this.current) return;
          pending.delete(call);
          settle();
        },
      };
      if (this.failure) return reject(this.failure);
      pending.add(call);
      if (this.current) void call.attempt(this.current);
    });
  }

  /** Rejects all pending and later calls, and closes the thread. */
  async close(): Promise<void> {
    const thread = this.current;
    this.current = undefined;
    this.end(new EngineError('closed'));
    await thread?.close();
  }

  /**
   * Replaces a thread: starts a new one, restores the patches on it, and makes the pending calls
   * again. If a call failed although the thread still runs, the thread is replaced, too, because
   * the failed call may have left it in an inconsistent state.
   */
  private async replace(lost: ThreadEngine, error: EngineError): Promise<void> {
    if (lost !== this.current) return;
    this.current = undefined;
    void lost.close();
    try {
      const thread = await this.startReplacement(error);
      const failed = this.failure
        ? undefined
        : await this.restore(thread).catch((failure: EngineError) => failure);
      if (this.failure) {
        void thread.close();
        return;
      }
      this.current = thread;
      if (failed) await this.replace(thread, failed);
      else for (const call of this.pending) void call.attempt(thread);
    } catch (failure) {
      this.end(new EngineError('failed', detailOf(failure as Error)));
    }
  }

  /**
   * Starts a thread that replaces a lost one.
   *
   * @throws Error if threads have been lost repeatedly, or if no replacement starts
   */
  private async startReplacement(error: EngineError): Promise<ThreadEngine> {
    const { onLoss, retryDelays = RETRY_DELAYS, clock = systemClock } = this.options;
    const [first, ...pauses] = retryDelays;
    const why = detailOf(error);
    const time = clock.now();
    this.losses = [...this.losses.filter((loss) => time - loss < LOSS_WINDOW), time];
    if (this.losses.length > MAX_LOSSES) {
      throw new Error(`the engine's thread was lost repeatedly (${why})`);
    }
    onLoss?.(error.reason === 'gpu-lost' ? 'gpu' : 'thread', why);
    await pause(clock, first);
    return retry(this.replacementStarter(), { clock, pauses }).catch((failure: Error) => {
      throw new Error(
        `the engine's thread was lost and could not be reopened: ${detailOf(failure)}`,
      );
    });
  }

  /**
   * Returns a function that starts a thread. The thread has the same backend as the lost one or,
   * after repeated losses or failed starts, the alternative backend.
   */
  private replacementStarter(): () => Promise<ThreadEngine> {
    const { start, alternative, onFallback } = this.options;
    let failures = this.losses.length < MAX_LOSSES ? 0 : MAX_FAILURES;
    let why = 'it was lost repeatedly';
    return async () => {
      if (alternative && this.backend !== alternative && failures >= MAX_FAILURES) {
        const thread = await start(alternative).catch(() => undefined);
        if (thread) {
          this.backend = alternative;
          onFallback?.(thread.info, why);
          return thread;
        }
      }
      try {
        return await start(this.backend);
      } catch (error) {
        failures++;
        why = (error as Error).message;
        throw error;
      }
    };
  }

  private end(error: EngineError): void {
    this.failure ??= error;
    for (const call of this.pending) call.reject(this.failure);
    this.pending.clear();
  }
}

const detailOf = (error: Error): string =>
  error instanceof EngineError ? error.detail : error.message;

/** A patch that is moving from one recovering thread to another. */
interface TransferredBackup extends TransferredPatch {
  readonly backup: Backup;
  /** Name of the engine from which the states come. Each engine has its own layout of states. */
  readonly engine: string;
}

/**
 * Restores patches on a new thread: plants them, imports the copies of their states, and repeats
 * the steps in their logs.
 */
async function restore(thread: ThreadEngine, backups: readonly Backup[]): Promise<void> {
  await thread.plant(backups.map(({ seed }) => seed));
  await thread.importStates(
    backups.flatMap(({ seed: { patch }, saved }) => (saved ? [{ patch, state: saved }] : [])),
  );
  const most = Math.max(0, ...backups.map(({ steps }) => steps.length));
  for (let k = 0; k < most; k++) {
    const left = backups.filter(({ steps }) => k < steps.length);
    await thread.step(left.map(({ steps }) => steps[k]));
  }
}

/**
 * Wraps an engine thread: returns an engine that recovers if the thread is lost. Calls to the
 * returned engine fail with EngineError 'failed' only if threads are lost repeatedly or no
 * replacement starts.
 *
 * @param first the thread to begin with, which is already running
 */
export function recoveringThread(
  first: ThreadEngine,
  { saveEvery = SAVE_EVERY, ...options }: RecoveryOptions,
): ThreadEngine {
  const backups = new Map<PatchId, Backup>();
  /**
   * Describes the engine of the current thread. When the thread is replaced, the properties of this
   * object are overwritten.
   */
  const info = { ...first.info };
  const recovery = new Recovery(first, options, (thread) => {
    Object.assign(info, thread.info);
    return restore(thread, [...backups.values()]);
  });

  let closing: Promise<unknown> | undefined;
  const submit: Recovery['submit'] = async (run, accept) => {
    if (closing) throw new EngineError('closed');
    return recovery.submit(run, accept);
  };

  /** Calls a method of the current thread. @param accept see `Recovery.submit` */
  const ask = <M extends keyof WorkerMethods>(
    method: M,
    argument: Parameters<ThreadEngine[M]>[0],
    accept?: (result: Awaited<ReturnType<ThreadEngine[M]>>) => void,
  ) => {
    type Result = Promise<Awaited<ReturnType<ThreadEngine[M]>>>;
    return submit((thread) => thread[method](argument as never) as Result, accept);
  };

  const step = async (steps: readonly PatchStep[]) => {
    const own = steps.map(copyOf);
    const due = own.flatMap(({ patch }) => {
      const backup = backups.get(patch);
      return backup?.isDue ? [backup] : [];
    });
    for (const backup of due) backup.saveAfter = Infinity;
    const ids = due.map(({ seed }) => seed.patch);
    // Copy the states before this step and not after it. The log then always contains at least one
    // step, which is repeated if the patch must be restored. Repeating a step also reads out its
    // picture. The new thread needs this picture, because the picture of the next step is compared
    // with it (`Readout.change`).
    const call = async (thread: ThreadEngine) => {
      const saved = ids.length > 0 ? thread.exportStates(ids).catch(() => []) : [];
      const readouts = await thread.step(own);
      return { saved: await saved, readouts };
    };
    try {
      const { readouts } = await submit(call, ({ saved, readouts }) => {
        const replaced = due.map((backup) => backup.saved);
        // Now the log can be cleared. It contains exactly the steps that the copied states already
        // include, because steps are logged when they are answered, and answers come in the order
        // of the calls.
        due.forEach((backup, i) => {
          backup.endSave(saved[i]);
        });
        if (saved.length > 0) freeBuffers(replaced);
        readouts.forEach(({ patch, broken = false }, i) => {
          backups.get(patch)!.log(own[i], broken);
        });
      });
      return readouts;
    } catch (error) {
      for (const backup of due) backup.endSave(undefined);
      throw error;
    }
  };

  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    // Make a call that does nothing. When it is answered, all earlier calls have been answered,
    // too.
    closing = ask('dispose', []).catch(() => {});
    await closing;
    await recovery.close();
  };

  return {
    info,
    plant: async (news) => {
      const own = news.map((one) => ({
        ...one,
        latent: one.latent.slice(),
        genomes: one.genomes && copyOfGenomes(one.genomes),
      }));
      return ask('plant', own, () => {
        for (const seed of own) backups.set(seed.patch, new Backup(seed, saveEvery));
      });
    },
    step,
    exportStates: (ids) => ask('exportStates', ids),
    importStates: async (states) => {
      const own = states.map(({ patch, state }) => ({ patch, state: state.slice() }));
      return ask('importStates', own, () => {
        for (const { patch, state } of own)
          backups.set(patch, new Backup(backups.get(patch)!.seedNow, saveEvery, state));
      });
    },
    dispose: (ids) =>
      ask('dispose', ids, () => {
        for (const id of ids) backups.delete(id);
      }),
    take: async (ids) => {
      let taken: TransferredBackup[] = [];
      await ask('take', ids, (transferred) => {
        const engine = info.name;
        taken = transferred.map((one) => ({ ...one, backup: backups.get(one.patch)!, engine }));
        for (const { patch } of taken) backups.delete(patch);
      });
      return taken;
    },
    put: async (patches) => {
      const given = patches as readonly TransferredBackup[];
      const arrive = (thread: ThreadEngine): Promise<void> => {
        const isAlike = given.every(({ engine }) => engine === thread.info.name);
        // If only one of the two threads has fallen back to another engine, the threads differ in
        // their layout of states. In this case, restore the patches from their backups, which do
        // not depend on the layout.
        if (!isAlike)
          return restore(
            thread,
            given.map(({ backup }) => backup),
          );
        return thread.put(given.map(({ backup, engine, ...transferred }) => transferred));
      };
      return submit(arrive, () => {
        for (const { patch, backup } of given) backups.set(patch, backup);
      });
    },
    close: () => (closed ??= close()),
  };
}
