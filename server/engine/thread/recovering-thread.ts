/**
 * An engine thread that recovers: if the thread or its GPU is lost, the thread is replaced and all
 * its patches are restored.
 */
import { freeBuffers } from '../../platform/worker-rpc.ts';
import type { Genomes } from '../../vnca/chimera.ts';
import type { TransferredPatch } from '../backend.ts';
import { EngineError, type NewPatch, type PatchId, type PatchStep } from '../engine.ts';
import type { ThreadEngine, WorkerMethods } from './protocol.ts';
import { Recovery, type RecoveryOptions } from './replace-lost-thread.ts';

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

type LoggedStep = Omit<PatchStep, 'patch'>;

/**
 * Log entries for steps with neither mask nor genomes: not dividing, dividing. All patches share
 * them, which saves thousands of objects.
 */
const UNMASKED: readonly LoggedStep[] = [{ divide: false }, { divide: true }];

const isUnmasked = ({ keep, closed, express }: LoggedStep): boolean => !(keep || closed || express);

const copyOfGenomes = ({ latents, labels }: Genomes): Genomes => ({
  latents: latents.map((latent) => latent.slice()),
  labels: labels?.slice(),
});

/** Copies a step's masks and genomes, because the caller may change the originals. */
const copyOf = (step: PatchStep): PatchStep =>
  isUnmasked(step)
    ? step
    : {
        ...step,
        ...(step.keep && { keep: step.keep.slice() }),
        ...(step.closed && { closed: step.closed.slice() }),
        ...(step.express && { express: copyOfGenomes(step.express) }),
      };

/**
 * A copy of a patch's states and the steps made since the copy. A step depends only on the states,
 * its masks and its genomes, so repeating the steps gives the same result.
 */
class Backup {
  /** Steps since the copy, in order. */
  steps: LoggedStep[] = [];
  /** Whether the states contain NaN or infinity. Such states are not copied. */
  private isBroken = false;
  /** Number of logged steps after which a copy is due; `Infinity` while a copy is being made. */
  private saveAfter: number;

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

  /** Logs a step, whose masks and genomes the caller must not change afterwards. */
  log(step: PatchStep, isBroken: boolean): void {
    this.steps.push(isUnmasked(step) ? UNMASKED[Number(step.divide)] : step);
    this.isBroken = isBroken;
  }

  /** Records that a copy of the thread's patches was requested. */
  beginSave(): void {
    this.saveAfter = Infinity;
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

  /** Returns a new backup of the patch after its states were replaced. */
  withStates(saved: Float32Array): Backup {
    return new Backup(this.seedNow, this.saveEvery, saved);
  }

  /** The seed with the genomes that the rule reads now. */
  private get seedNow(): NewPatch {
    const last = this.steps.findLast(({ express }) => express);
    return last ? { ...this.seed, genomes: last.express } : this.seed;
  }
}

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
    await thread.step(left.map(({ seed: { patch }, steps }) => ({ ...steps[k], patch })));
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
  { saveEvery = SAVE_EVERY, ...options }: RecoveryOptions & { readonly saveEvery?: number },
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
    for (const backup of due) backup.beginSave();
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
          backups.set(patch, backups.get(patch)!.withStates(state));
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
