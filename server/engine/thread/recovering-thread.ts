/**
 * An engine thread that recovers. If the thread or its GPU is lost, a new thread starts, all
 * patches are restored, and unanswered calls are submitted again. Calls are submitted immediately
 * and answered in order.
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
 * Number of steps between two backup copies of a patch's states. On a CPU, copying at this interval
 * costs well under 1 % of the time for steps. After a loss, repeating the steps since the last copy
 * takes a second or two.
 */
export const SAVE_EVERY = 64;
/**
 * Number of steps between two backup copies on a GPU. Copies cost more there, but the interval
 * stays short because a CPU repeats the steps if the GPU does not return.
 */
export const SAVE_GPU_EVERY = 128;

const copyOfGenomes = ({ latents, labels }: Genomes): Genomes => ({
  latents: latents.map((latent) => latent.slice()),
  labels: labels?.slice(),
});

/** Copies a step with its masks and genomes, because the caller may change the originals. */
const copyOf = (step: PatchStep): PatchStep => ({
  ...step,
  ...(step.keep && { keep: step.keep.slice() }),
  ...(step.closed && { closed: step.closed.slice() }),
  ...(step.express && { express: copyOfGenomes(step.express) }),
});

/**
 * A copy of a patch's states and the steps made since the copy. A step depends only on the states,
 * its masks and its genomes, so repeating the steps gives the same result.
 */
class Backup {
  /** Steps since the copy, in order. */
  steps: PatchStep[] = [];
  /** Whether the states contain NaN or infinity. Such states are not copied. */
  private isBroken = false;
  /** Number of logged steps after which a copy is due; `Infinity` while a copy is being made. */
  saveAfter: number;

  /**
   * @param seed the patch as planted, but with the genomes that the rule was reading when the copy
   * was made
   * @param saveEvery number of steps between two copies
   * @param saved the copied states [s, s, C]; undefined if they are still as planted
   */
  constructor(
    public seed: NewPatch,
    private readonly saveEvery: number,
    public saved?: Float32Array,
  ) {
    // Patches planted together are then copied at different steps.
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
   * Replaces the copy and clears the log.
   *
   * @param saved a copy of the states after all logged steps; undefined if copying failed
   */
  endSave(saved: Float32Array | undefined): void {
    if (!saved) {
      // Delays the next attempt after a failed copy.
      this.saveAfter = this.steps.length + this.saveEvery / 8;
      return;
    }
    this.saveAfter = this.saveEvery;
    this.saved = saved;
    this.seed = this.seedNow;
    this.steps = [];
  }

  /** The seed with the genomes that the rule reads now. */
  get seedNow(): NewPatch {
    const last = this.steps.findLast(({ express }) => express);
    return last ? { ...this.seed, genomes: last.express } : this.seed;
  }
}

interface RecoveryOptions {
  /** Starts a thread. @throws EngineError unavailable */
  readonly start: (backend: BackendName) => Promise<ThreadEngine>;
  /**
   * Backend to start instead if the current one is lost repeatedly or does not start. If absent, no
   * other backend is tried.
   */
  readonly alternative?: BackendName;
  /** Called for each loss, before the replacement starts. */
  readonly onLoss?: (what: EngineLoss['what'], why: string) => void;
  /** Called when the alternative backend takes over. */
  readonly onFallback?: (replacement: EngineInfo, why: string) => void;
  /** Delay before each attempt to start a replacement, in ms. */
  readonly retryDelays?: readonly number[];
  readonly clock?: Clock;
  /** Number of steps between two backup copies of a patch's states. */
  readonly saveEvery?: number;
}

/**
 * Delays before the attempts to start a replacement, in ms. After a reset, a driver may take
 * seconds to make a GPU available.
 */
const RETRY_DELAYS = [0, 500, 2_000, 5_000];
/**
 * Maximum number of recoveries within `LOSS_WINDOW`. The last of them starts the alternative
 * backend.
 */
const MAX_LOSSES = 3;
/** Number of failed starts before the last attempt, which starts the alternative backend. */
const MAX_FAILURES = RETRY_DELAYS.length - 1;
/** Period in which losses are counted, in ms. */
const LOSS_WINDOW = 60_000;

interface PendingCall {
  attempt(thread: ThreadEngine): Promise<void>;
  reject(error: EngineError): void;
}

/** Holds the current thread and the calls that it has not answered. */
class Recovery {
  /** Undefined while a replacement is starting. */
  private current: ThreadEngine | undefined;
  private failure: EngineError | undefined;
  /** When the losses within `LOSS_WINDOW` happened, in ms. */
  private losses: number[] = [];
  private backend: BackendName;
  private readonly pending = new Set<PendingCall>();

  /** @param restore restores all patches on a new thread, as they were before the pending calls */
  constructor(
    first: ThreadEngine,
    private readonly options: RecoveryOptions,
    private readonly restore: (thread: ThreadEngine) => Promise<void>,
  ) {
    this.current = first;
    this.backend = first.info.name as BackendName;
  }

  /**
   * Submits a call to the current thread.
   *
   * @param run calls the thread without waiting first; called again if that thread is lost
   * @param accept receives the answer; afterwards the call is never submitted again
   * @throws EngineError failed, closed; or the error that the thread answers with
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
          // Ignore the answer of a lost thread, because the call is submitted again.
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

  /** Rejects pending and later calls, and closes the thread. */
  async close(): Promise<void> {
    const thread = this.current;
    this.current = undefined;
    this.end(new EngineError('closed'));
    await thread?.close();
  }

  /**
   * Replaces a thread, restores the patches and submits the pending calls again. A thread is
   * replaced even if only a call has failed, because the call may have left it in an inconsistent
   * state.
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

  /** @throws Error if threads are lost repeatedly or no replacement starts */
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
   * Returns a function that starts the same backend or, after repeated losses or failed starts, its
   * alternative.
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

/** A patch on its way from one recovering thread to another. */
interface TransferredBackup extends TransferredPatch {
  readonly backup: Backup;
  /** Name of the engine that defines the layout of the states. */
  readonly engine: string;
}

/** Restores patches on a new thread and repeats the steps made since their copies. */
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
 * Wraps a thread. The returned engine fails with `failed` only if threads are lost repeatedly or no
 * replacement starts.
 *
 * @param first the running thread
 */
export function recoveringThread(
  first: ThreadEngine,
  { saveEvery = SAVE_EVERY, ...options }: RecoveryOptions,
): ThreadEngine {
  const backups = new Map<PatchId, Backup>();
  /** Describes the current thread. Updated in place when the thread is replaced. */
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
    // Copies the states before this step, so that the log after the copy begins with this step.
    // Restoring a patch then repeats at least one step, whose read-out the next step is compared
    // with.
    const call = async (thread: ThreadEngine) => {
      const saved = ids.length > 0 ? thread.exportStates(ids).catch(() => []) : [];
      const readouts = await thread.step(own);
      return { saved: await saved, readouts };
    };
    try {
      const { readouts } = await submit(call, ({ saved, readouts }) => {
        const replaced = due.map((backup) => backup.saved);
        // Steps are logged when they are answered, in order. So the log now contains exactly the
        // steps that the copy includes, and can be cleared.
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
    // Makes an empty call, whose answer means that all earlier calls are answered.
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
        // If one of the threads has fallen back, the two threads have different engines, whose
        // states differ in layout. The patches are then restored from their backups.
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
