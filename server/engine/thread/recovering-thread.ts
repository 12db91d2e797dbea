import type { TransferredPatch } from '../backend.ts';
import { type LossyResource, Recovery, type RecoveryOptions } from '../core/recovery.ts';
import { SAVE_EVERY, StateCheckpoint } from '../core/state-checkpoint.ts';
import { EngineError, type NewPatch, type PatchId, type PatchStep } from '../engine.ts';
import type { ThreadEngine } from './worker-engine.ts';

export interface RecoveringThreadOptions
  extends Pick<RecoveryOptions<LossyResource>, 'onLoss' | 'retryDelays' | 'clock'> {
  /** Starts a thread in the place of one that is lost. @throws EngineError unavailable */
  readonly restart: () => Promise<ThreadEngine>;
  /** Steps of a patch between two copies of its states. */
  readonly saveEvery?: number;
}

interface StoredPatch {
  readonly planted: NewPatch;
  /** Its states [s, s, C]; `undefined` as it was planted. */
  stateCheckpoint: StateCheckpoint<Float32Array | undefined>;
  /** Whether its states are no numbers any more: nothing to go back to. */
  broken: boolean;
}

/** On its way from one lasting thread to another. */
interface KeptAndCarried extends TransferredPatch {
  readonly kept: StoredPatch;
}

/** An answer, or a refusal, which is one too. */
type Outcome<T> = { readonly result: T } | { readonly refused: EngineError };

/**
 * @param first the thread at work now
 * @returns an engine that fails with `failed` only when threads are lost again and again, or none comes in the place of one
 */
export async function recoveringThread(
  first: ThreadEngine,
  { restart, saveEvery = SAVE_EVERY, ...keeping }: RecoveringThreadOptions,
): Promise<ThreadEngine> {
  const patches = new Map<PatchId, StoredPatch>();
  /** Of the thread at work. */
  const info = { ...first.info };
  let next: ThreadEngine | undefined = first;
  const recovery = new Recovery<LossyResource & { readonly thread: ThreadEngine }>({
    ...keeping,
    what: "the engine's thread",
    async open() {
      const thread = next ?? (await restart());
      next = undefined;
      Object.assign(info, thread.info);
      // What has failed in a thread may have left it half done: it is as good as dead.
      return { thread, isLost: () => true, destroy: () => void thread.close() };
    },
    restore: ({ thread }) => restore(thread, patches),
  });
  await recovery.start();

  let closing: Promise<void> | undefined;
  const ask = async <T>(
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
    // A thread answers in the order it is asked, so what is accepted is always all up to one call.
    const { answer } = recovery.submit([], run, (outcome) => {
      if ('result' in outcome) accept?.(outcome.result);
    });
    const outcome = await answer;
    if ('refused' in outcome) throw outcome.refused;
    return outcome.result;
  };

  const step = async (steps: readonly PatchStep[]) => {
    const own = steps.map(({ keep, ...of }) => ({ ...of, ...(keep && { keep: keep.slice() }) }));
    const due = own.flatMap(({ patch }) => {
      const kept = patches.get(patch);
      if (!kept || kept.broken || !kept.stateCheckpoint.isDue) return [];
      const { stateCheckpoint: past } = kept;
      return [{ patch, past, save: past.beginSave() }];
    });
    const ids = due.map(({ patch }) => patch);
    // Copied before the step, and put by after it: a patch whose last step is not made again has nothing to compare with.
    const call = async (thread: ThreadEngine) => {
      const saved = ids.length > 0 ? thread.exportStates(ids).catch(() => []) : [];
      const readouts = await thread.step(own);
      return { saved: await saved, readouts };
    };
    try {
      const { readouts } = await ask(call, ({ saved, readouts }) => {
        due.forEach(({ past, save }, i) => {
          // Steps are noted when they are answered, in order: noted by now is just what the copy has.
          save(saved[i], past.steps.length);
        });
        readouts.forEach(({ patch, broken = false }, i) => {
          const kept = patches.get(patch)!;
          kept.stateCheckpoint.log(own[i]);
          kept.broken = broken;
        });
      });
      return readouts;
    } catch (error) {
      for (const { save } of due) save();
      throw error;
    }
  };

  const close = async (): Promise<void> => {
    // What was asked before is answered first.
    const last = ask((thread) => thread.dispose([]));
    closing = last.then(
      () => undefined,
      () => undefined,
    );
    await closing;
    const thread = recovery.machine?.thread;
    recovery.close();
    await thread?.close();
  };
  let closed: Promise<void> | undefined;

  return {
    info,
    hasUnusedLibraries: first.hasUnusedLibraries,
    plant: async (news) => {
      const own = news.map((one) => ({ ...one, latent: one.latent.slice() }));
      await ask(
        (thread) => thread.plant(own),
        () => {
          for (const planted of own) {
            const past = new StateCheckpoint<Float32Array | undefined>(
              planted.patch,
              undefined,
              saveEvery,
            );
            patches.set(planted.patch, { planted, stateCheckpoint: past, broken: false });
          }
        },
      );
    },
    step,
    exportStates: (ids) => ask((thread) => thread.exportStates(ids)),
    importStates: async (states) => {
      const own = states.map(({ patch, state }) => ({ patch, state: state.slice() }));
      await ask(
        (thread) => thread.importStates(own),
        () => {
          for (const { patch, state } of own) {
            Object.assign(patches.get(patch)!, {
              past: new StateCheckpoint(patch, state, saveEvery),
              broken: false,
            });
          }
        },
      );
    },
    dispose: (ids) =>
      ask(
        (thread) => thread.dispose(ids),
        () => {
          for (const id of ids) patches.delete(id);
        },
      ),
    take: async (ids) => {
      let taken: KeptAndCarried[] = [];
      await ask(
        (thread) => thread.take(ids),
        (carried) => {
          taken = carried.map((one) => ({ ...one, kept: patches.get(one.patch)! }));
          for (const id of ids) patches.delete(id);
        },
      );
      return taken;
    },
    put: (news) =>
      ask(
        (thread) =>
          thread.put(
            news.map(({ kept, ...carried }: TransferredPatch & { kept?: StoredPatch }) => carried),
          ),
        () => {
          for (const { patch, kept } of news as readonly KeptAndCarried[]) patches.set(patch, kept);
        },
      ),
    close: () => (closed ??= close()),
  };
}

/** Puts all patches on a thread that has none, and makes the steps again that their copies do not have. */
async function restore(
  thread: ThreadEngine,
  patches: ReadonlyMap<PatchId, StoredPatch>,
): Promise<void> {
  const all = [...patches];
  await thread.plant(all.map(([, { planted }]) => planted));
  await thread.importStates(
    all.flatMap(([patch, { stateCheckpoint: past }]) =>
      past.saved ? [{ patch, state: past.saved }] : [],
    ),
  );
  const most = Math.max(0, ...all.map(([, { stateCheckpoint: past }]) => past.steps.length));
  for (let k = 0; k < most; k++) {
    const steps = all.flatMap(([patch, { stateCheckpoint: past }]) => {
      const step = past.steps[k];
      return step ? [{ patch, divide: step.divide, ...(step.keep && { keep: step.keep }) }] : [];
    });
    await thread.step(steps);
  }
}
