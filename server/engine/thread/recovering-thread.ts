/** An engine thread that is replaced when it dies, with all patches restored. */
import { freeBuffers } from '../../platform/worker-rpc.ts';
import type { BackendName, TransferredPatch } from '../backend.ts';
import {
  copyOfStep,
  type LossyResource,
  loggedStep,
  Recovery,
  type RecoveryOptions,
  repeatSteps,
  SAVE_EVERY,
  StateCheckpoint,
} from '../core/recovery.ts';
import {
  EngineError,
  type EngineInfo,
  type NewPatch,
  type PatchId,
  type PatchStep,
} from '../engine.ts';
import type { ThreadEngine, WorkerMethods } from './protocol.ts';

/** Options of `recoveringThread`. */
export interface RecoveringThreadOptions
  extends Pick<RecoveryOptions<LossyResource>, 'onLoss' | 'retryDelays' | 'clock'> {
  /** Starts a replacement for a lost thread. @throws EngineError unavailable */
  readonly restart: () => Promise<ThreadEngine>;
  /** Steps of a patch between two copies of its states. */
  readonly saveEvery?: number;
}

interface StoredPatch {
  readonly planted: NewPatch;
  /** Of its states [s, s, C]; undefined while they are as planted. */
  stateCheckpoint: StateCheckpoint<Float32Array | undefined>;
  /** Whether its states hold NaN or infinity, of which no copy is made. */
  broken: boolean;
}

/** A patch in transfer between two recovering threads. */
interface TransferredStoredPatch extends TransferredPatch {
  readonly stored: StoredPatch;
  /** Of the engine whose layout it has. */
  readonly engine: string;
}

/** A result, or an error that the thread has answered with, which is not repeated. */
type Outcome<T> = { readonly result: T } | { readonly refused: EngineError };

/**
 * Wraps a thread. The returned engine fails with `failed` only if threads are lost repeatedly or no
 * replacement starts.
 *
 * @param first the running thread
 */
export async function recoveringThread(
  first: ThreadEngine,
  { restart, saveEvery = SAVE_EVERY, ...options }: RecoveringThreadOptions,
): Promise<ThreadEngine> {
  const patches = new Map<PatchId, StoredPatch>();
  /** Of the current thread. */
  const info = { ...first.info };
  let next: ThreadEngine | undefined = first;
  const recovery = new Recovery<LossyResource & { readonly thread: ThreadEngine }>({
    ...options,
    what: "the engine's thread",
    async open() {
      const thread = next ?? (await restart());
      next = undefined;
      Object.assign(info, thread.info);
      // A failed call may have left a thread in an inconsistent state, so it counts as lost.
      return { thread, isLost: () => true, destroy: () => void thread.close() };
    },
    restore: ({ thread }) => restore(thread, patches),
  });
  await recovery.start();

  let closing: Promise<void> | undefined;
  const perform = async <T>(
    call: (thread: ThreadEngine) => Promise<T>,
    accept?: (result: T) => void,
  ): Promise<T> => {
    if (closing) throw new EngineError('closed');
    const run = ({ thread }: { thread: ThreadEngine }): Promise<Outcome<T>> =>
      call(thread).then(
        (result) => ({ result }),
        (error: EngineError) => {
          if (error.reason === 'failed') throw error;
          return { refused: error };
        },
      );
    // A thread answers in order, so the accepted calls are always all those up to one call.
    const { answer } = recovery.submit([], run, (outcome) => {
      if ('result' in outcome) accept?.(outcome.result);
    });
    const outcome = await answer;
    if ('refused' in outcome) throw outcome.refused;
    return outcome.result;
  };

  /** Calls a method of the thread. @param accept see `Recovery.submit` */
  const ask = <M extends keyof WorkerMethods>(
    method: M,
    argument: Parameters<ThreadEngine[M]>[0],
    accept?: (result: Awaited<ReturnType<ThreadEngine[M]>>) => void,
  ) => {
    type Result = Promise<Awaited<ReturnType<ThreadEngine[M]>>>;
    return perform((thread) => thread[method](argument as never) as Result, accept);
  };

  /** What is stored of a patch whose states have just become these. */
  const unbroken = (patch: PatchId, saved?: Float32Array) => ({
    stateCheckpoint: new StateCheckpoint(
      patch,
      saved,
      saveEvery,
      patches.get(patch)?.stateCheckpoint.expressedNow,
    ),
    broken: false,
  });

  const step = async (steps: readonly PatchStep[]) => {
    const own = steps.map(copyOfStep);
    const due = own.flatMap(({ patch }) => {
      const stored = patches.get(patch);
      if (!stored || stored.broken || !stored.stateCheckpoint.isDue) return [];
      const { stateCheckpoint } = stored;
      return [{ patch, stateCheckpoint, save: stateCheckpoint.beginSave() }];
    });
    const ids = due.map(({ patch }) => patch);
    // Copied before the step but saved after it: a restored patch repeats its last step, so that
    // the next one has a read-out to compare with.
    const call = async (thread: ThreadEngine) => {
      const saved = ids.length > 0 ? thread.exportStates(ids).catch(() => []) : [];
      const readouts = await thread.step(own);
      return { saved: await saved, readouts };
    };
    try {
      const { readouts } = await perform(call, ({ saved, readouts }) => {
        const replaced = due.map(({ stateCheckpoint }) => stateCheckpoint.saved);
        due.forEach(({ stateCheckpoint, save }, i) => {
          // Steps are logged when answered, in order: those logged by now are exactly those in the
          // copy.
          save(saved[i], stateCheckpoint.steps.length);
        });
        if (saved.length > 0) freeBuffers(replaced);
        readouts.forEach(({ patch, broken = false }, i) => {
          const stored = patches.get(patch)!;
          stored.stateCheckpoint.log(loggedStep(own[i]));
          stored.broken = broken;
        });
      });
      return readouts;
    } catch (error) {
      for (const { save } of due) save();
      throw error;
    }
  };

  const close = async (): Promise<void> => {
    // An empty call, to wait for the answers of all earlier ones.
    closing = ask('dispose', []).catch(() => {});
    await closing;
    const thread = recovery.machine?.thread;
    recovery.close();
    await thread?.close();
  };
  let closed: Promise<void> | undefined;

  return {
    info,
    plant: async (newPatches) => {
      const own = newPatches.map((one) => ({ ...one, latent: one.latent.slice() }));
      return ask('plant', own, () => {
        for (const planted of own) {
          patches.set(planted.patch, { planted, ...unbroken(planted.patch) });
        }
      });
    },
    step,
    exportStates: (ids) => ask('exportStates', ids),
    importStates: async (states) => {
      const own = states.map(({ patch, state }) => ({ patch, state: state.slice() }));
      return ask('importStates', own, () => {
        for (const { patch, state } of own) {
          Object.assign(patches.get(patch)!, unbroken(patch, state));
        }
      });
    },
    dispose: (ids) =>
      ask('dispose', ids, () => {
        for (const id of ids) patches.delete(id);
      }),
    take: async (ids) => {
      let taken: TransferredStoredPatch[] = [];
      await ask('take', ids, (transferred) => {
        const engine = info.name;
        taken = transferred.map((one) => ({ ...one, stored: patches.get(one.patch)!, engine }));
        for (const id of ids) patches.delete(id);
      });
      return taken;
    },
    put: async (newPatches) => {
      const given = newPatches as readonly TransferredStoredPatch[];
      const arrive = (thread: ThreadEngine): Promise<void> => {
        const isAlike = given.every(({ engine }) => engine === thread.info.name);
        // Another engine lays out cells in another way: one of the two may have fallen back meanwhile.
        if (!isAlike) return restore(thread, new Map(given.map((one) => [one.patch, one.stored])));
        return thread.put(given.map(({ stored, engine, ...transferred }) => transferred));
      };
      return perform(arrive, () => {
        for (const { patch, stored } of given) patches.set(patch, stored);
      });
    },
    close: () => (closed ??= close()),
  };
}

/** Restores all patches on a new thread and repeats the steps made since their copies. */
async function restore(
  thread: ThreadEngine,
  patches: ReadonlyMap<PatchId, StoredPatch>,
): Promise<void> {
  const all = [...patches];
  await thread.plant(
    all.map(
      ([
        ,
        {
          planted,
          stateCheckpoint: { expressed },
        },
      ]) => ({
        ...planted,
        ...(expressed && { latent: expressed }),
      }),
    ),
  );
  await thread.importStates(
    all.flatMap(([patch, { stateCheckpoint }]) =>
      stateCheckpoint.saved ? [{ patch, state: stateCheckpoint.saved }] : [],
    ),
  );
  const logs = all.map(([patch, { stateCheckpoint }]) => ({ patch, steps: stateCheckpoint.steps }));
  await repeatSteps(logs, (steps) => thread.step(steps));
}

/**
 * Consecutive failures to start before an alternative is used: all but the last retry of
 * `Recovery`.
 */
const MAX_FAILURES = 3;
/** Losses of threads and devices within `WINDOW` after which an alternative is used. */
const MAX_LOSSES = 3;
/** ms */
const WINDOW = 60_000;
const REPEATED = 'it was lost repeatedly';

/** Options of a `Fallback`. */
export interface FallbackOptions {
  /** Starts a thread. @throws EngineError unavailable */
  readonly start: (backend: BackendName) => Promise<ThreadEngine>;
  /** The backend of the lost thread. */
  readonly chosen: BackendName;
  /** What may replace `chosen`; absent if the host has asked for `chosen` by name. */
  readonly alternative?: BackendName;
  /** Called with the alternative that is used from now on, and why `chosen` is not. */
  readonly onFallback: (replacement: EngineInfo, why: string) => void;
  /** Monotonic clock, ms. */
  readonly now?: () => number;
}

/** Replaces the threads of one backend. */
export class Fallback {
  private losses: number[] = [];
  private failures = 0;
  private why = REPEATED;
  private replacement: BackendName | undefined;

  constructor(private readonly options: FallbackOptions) {}

  /** Records the loss of a device, also if its thread has reopened it. */
  recordLoss(): void {
    const { now = () => performance.now() } = this.options;
    const time = now();
    this.losses = [...this.losses.filter((loss) => time - loss < WINDOW), time];
  }

  /**
   * Starts the next thread, on the chosen backend or on an alternative.
   *
   * @throws EngineError unavailable
   */
  async next(): Promise<ThreadEngine> {
    const { start, chosen, alternative, onFallback } = this.options;
    if (this.replacement) return start(this.replacement);
    // Repeated attempts to replace one lost thread count as one loss.
    if (this.failures === 0) this.recordLoss();
    if (alternative && (this.failures >= MAX_FAILURES || this.losses.length >= MAX_LOSSES)) {
      const thread = await start(alternative).catch(() => undefined);
      if (thread) {
        this.replacement = alternative;
        onFallback(thread.info, this.why);
        return thread;
      }
    }
    try {
      const thread = await start(chosen);
      this.failures = 0;
      this.why = REPEATED;
      return thread;
    } catch (error) {
      this.failures++;
      this.why = (error as Error).message;
      throw error;
    }
  }
}
