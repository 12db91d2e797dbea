/**
 * An engine thread that recovers from crashes. If the thread or its GPU is lost, a new thread
 * restores all patches and repeats the unanswered calls. Calls are answered in the order in which
 * they were made.
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
 * Number of steps between two backups of a patch's states on a CPU. Copying the states takes less
 * than 1 % of the time of these steps. After a crash, repeating the lost steps takes one or two
 * seconds.
 */
export const SAVE_EVERY = 64;
/**
 * Number of steps between two backups of a patch's states on a GPU. Larger than `SAVE_EVERY`,
 * because copying from a GPU takes longer. Not much larger: if the GPU stays lost, a CPU, which is
 * slower, must repeat the steps since the backup.
 */
export const SAVE_GPU_EVERY = 128;

const copyOfGenomes = ({ latents, labels }: Genomes): Genomes => ({
  latents: latents.map((latent) => latent.slice()),
  labels: labels?.slice(),
});

/**
 * Copies a step with its masks and genomes, because the caller may change the step's arrays later.
 */
const copyOf = (step: PatchStep): PatchStep => ({
  ...step,
  ...(step.keep && { keep: step.keep.slice() }),
  ...(step.closed && { closed: step.closed.slice() }),
  ...(step.express && { express: copyOfGenomes(step.express) }),
});

/**
 * A backup of a patch: a copy of its states, and a log of the steps since then. Repeating these
 * steps restores the patch exactly.
 */
class Backup {
  steps: PatchStep[] = [];
  /** Whether the states contain NaN or infinity. Such states are not copied. */
  private isBroken = false;
  /**
   * Number of steps in the log at which the states are copied again. `Infinity` while they are
   * being copied.
   */
  saveAfter: number;

  /**
   * @param seed the patch as planted, but with its genomes at the time of the copy
   * @param saved the copied states, [s, s, C]; undefined if not copied since planting
   */
  constructor(
    public seed: NewPatch,
    private readonly saveEvery: number,
    public saved?: Float32Array,
  ) {
    // If many patches are planted together, spread their first copies over several steps, so that
    // no step must make them all.
    this.saveAfter = saveEvery / 2 + (seed.patch % saveEvery);
  }

  /** Whether to copy the states before the next step. */
  get isDue(): boolean {
    return !this.isBroken && this.steps.length >= this.saveAfter;
  }

  /** Logs a step, which the caller must not change afterwards. */
  log(step: PatchStep, isBroken: boolean): void {
    this.steps.push(step);
    this.isBroken = isBroken;
  }

  /**
   * Ends an attempt to copy the states. If it was successful, the log of steps becomes empty.
   *
   * @param saved the states after all steps in the log; undefined if the attempt failed
   */
  endSave(saved: Float32Array | undefined): void {
    if (!saved) {
      this.saveAfter = this.steps.length + this.saveEvery / 8;
      return;
    }
    this.saveAfter = this.saveEvery;
    this.saved = saved;
    this.seed = this.seedNow;
    this.steps = [];
  }

  /** The patch as planted, but with its current genomes. */
  get seedNow(): NewPatch {
    const last = this.steps.findLast(({ express }) => express);
    return last ? { ...this.seed, genomes: last.express } : this.seed;
  }
}

interface RecoveryOptions {
  /** Starts an engine thread. @throws EngineError unavailable */
  readonly start: (backend: BackendName) => Promise<ThreadEngine>;
  /** Backend to start if the current one is lost repeatedly or does not start. Default: none. */
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
 * Delay before each attempt to start a replacement, in ms. After a reset, a driver may need several
 * seconds to make the GPU available again.
 */
const RETRY_DELAYS = [0, 500, 2_000, 5_000];
/**
 * After this number of lost threads within `LOSS_WINDOW`, the replacement uses the alternative
 * backend, if there is one. One more lost thread within `LOSS_WINDOW` is fatal.
 */
const MAX_LOSSES = 3;
/**
 * Number of failed attempts to start the current backend before the alternative backend is tried.
 */
const MAX_FAILURES = RETRY_DELAYS.length - 1;
/** Period in which lost threads are counted, in ms. */
const LOSS_WINDOW = 60_000;

interface PendingCall {
  attempt(thread: ThreadEngine): Promise<void>;
  reject(error: EngineError): void;
}

/** Holds the current thread and its unanswered calls. Replaces the thread if it is lost. */
class Recovery {
  /** The running thread; undefined while a replacement is starting. */
  private current: ThreadEngine | undefined;
  private failure: EngineError | undefined;
  /** Times at which threads were lost within `LOSS_WINDOW`, in ms. */
  private losses: number[] = [];
  private backend: BackendName;
  private readonly pending = new Set<PendingCall>();

  /**
   * @param restore restores all patches in a new thread, to their states before the pending calls
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
   * @param run makes the call to the thread that it receives
   * @param accept called once with the thread's answer, before the promise resolves
   * @throws EngineError 'failed' if threads are lost repeatedly or no replacement starts; 'closed';
   * or the error with which the thread answers
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
          // Ignore the answer of a lost thread, because the replacement will answer the same call.
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
   * Replaces a thread, restores its patches, and makes the pending calls again. A thread that still
   * runs after a failed call is replaced, too, because its patches may be inconsistent.
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

  /** @throws Error if threads have been lost repeatedly, or if no replacement starts */
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
      const text = `the engine's thread was lost and could not be reopened: ${detailOf(failure)}`;
      throw new Error(text);
    });
  }

  /**
   * Returns a function that starts a thread with the current backend or, after repeated losses of
   * threads or failed starts, with the alternative backend.
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
  /** Name of the engine that the states come from. Each engine has its own layout of states. */
  readonly engine: string;
}

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
 * Wraps an engine thread in an engine that replaces the thread if it is lost. Calls of this engine
 * fail with EngineError 'failed' only if threads are lost repeatedly or no replacement starts.
 *
 * @param first a thread that is already running
 */
export function recoveringThread(
  first: ThreadEngine,
  { saveEvery = SAVE_EVERY, ...options }: RecoveryOptions,
): ThreadEngine {
  const backups = new Map<PatchId, Backup>();
  /** Describes the current thread's engine. Overwritten when the thread is replaced. */
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
    // Copy the states before this step, not after it. If the thread is lost, the new thread must
    // repeat this step to draw its picture. `Readout.change` compares the next picture with this
    // picture.
    const call = async (thread: ThreadEngine) => {
      const saved = ids.length > 0 ? thread.exportStates(ids).catch(() => []) : [];
      const readouts = await thread.step(own);
      return { saved: await saved, readouts };
    };
    try {
      const { readouts } = await submit(call, ({ saved, readouts }) => {
        const replaced = due.map((backup) => backup.saved);
        // Calls are answered in order, so the log now holds exactly the steps before the copy.
        // Replace these steps by the copy.
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
    // Calls are answered in order, so this call, which disposes of no patches, ends after all
    // earlier calls.
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
        // If the patches come from a thread with another engine, their states have another layout.
        // Restore them from their backups, which do not depend on the layout.
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
