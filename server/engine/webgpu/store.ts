/**
 * The store of patches whose states live on a GPU. The CPU knows their names and stages, and now and then is given a copy
 * of their states: with the steps made since, which it notes down, that is enough to bring each back to the very bit.
 */
import type { Model } from '../../vnca/checkpoint.ts';
import { firstStage, seedState } from '../../vnca/growth.ts';
import type { PatchStore } from '../backend.ts';
import { brokenReadout } from '../core/broken-readout.ts';
import { checkLatent, checkNames, checkState, checkSteps, stageAfter } from '../core/checks.ts';
import { Recovery } from '../core/recovery.ts';
import { type LoggedStep, SAVE_GPU_EVERY } from '../core/state-checkpoint.ts';
import {
  EngineError,
  type NewPatch,
  type PatchId,
  type PatchStep,
  type Readout,
} from '../engine.ts';
import { CallGate } from './call-gate.ts';
import type { OpenGpu } from './device.ts';
import { createMachine, type Machine, type StepResult } from './machine.ts';
import {
  beginSave,
  createPatch,
  type GpuPatch,
  jobOf,
  netOf,
  restorePatches,
  uploadPatch,
} from './patch.ts';
import { fromGroups, toGroups } from './states.ts';

export interface GpuStoreOptions {
  /** Names are those of the cards. */
  readonly models: readonly Model[];
  readonly open: OpenGpu;
  /** Computes in 16 bits. */
  readonly half: boolean;
  /** See `KeeperOptions`. */
  readonly onLoss?: ((why: string) => void) | undefined;
  readonly maxLosses?: number | undefined;
  readonly retryDelays?: readonly number[];
  /** Steps of a patch between two copies of its states. */
  readonly saveEvery?: number;
}

/** @throws EngineError unavailable; Error: the GPU's compiler refuses a kernel */
export async function createGpuStore(options: GpuStoreOptions): Promise<PatchStore> {
  const { models, open, half, onLoss, maxLosses, retryDelays } = options;
  const { saveEvery = SAVE_GPU_EVERY } = options;
  checkNames(models);
  const allSpecies = new Map(models.map(({ card }) => [card.name, { card }]));
  const patches = new Map<PatchId, GpuPatch>();
  const find = (id: PatchId): GpuPatch => {
    const patch = patches.get(id);
    if (!patch) throw new EngineError('unknown-patch', String(id));
    return patch;
  };

  let restored: GpuPatch[] = [];
  const recovery = new Recovery<Machine, GpuPatch>({
    what: 'the GPU',
    ...{ onLoss, maxLosses, retryDelays },
    open: async () => createMachine(models, await open(), half),
    restore: async (machine) => {
      restored = [...new Set([...patches.values(), ...recovery.pendingPatches])];
      await machine.reserve(restored.map((patch) => netOf(machine, patch)));
      await restorePatches(machine, restored, (call) => recovery.isPending(call));
    },
    afterRestore: (machine) => {
      const there = new Set(restored);
      for (const patch of patches.values()) if (!there.has(patch)) uploadPatch(machine, patch);
    },
    afterRetry: (machine) => {
      const living = new Set(patches.values());
      for (const patch of restored) {
        if (!living.has(patch)) machine.release(netOf(machine, patch), patch.slot!);
      }
    },
  });
  await recovery.start();

  /** `undefined`: there is no memory to read them into. */
  const read = (wanted: readonly GpuPatch[]): Promise<Float32Array[] | undefined> =>
    recovery.submit(wanted, (machine) => machine.read(wanted.map(({ slot: place }) => place!)))
      .answer;

  /** To be called before a step is asked for. @returns puts the copies by, to be called when it is answered */
  const save = (due: readonly GpuPatch[]): (() => Promise<void>) | undefined => {
    if (due.length === 0) return undefined;
    const keep = due.map(beginSave);
    const copies = read(due);
    // Then every other call fails too, and says why.
    copies.catch(() => {});
    return async () => {
      const states = await copies;
      keep.forEach((put, i) => {
        put(states?.[i]);
      });
    };
  };

  /** Shut while the GPU is asked for memory: the calls that come meanwhile are about patches of which nobody knows yet. */
  const gate = new CallGate();
  const calls = {
    plant(news: readonly NewPatch[]): void | Promise<void> {
      recovery.check();
      const planted = new Map<PatchId, GpuPatch>();
      for (const { patch: id, checkpoint, latent } of news) {
        const species = allSpecies.get(checkpoint);
        if (!species) throw new EngineError('unknown-checkpoint', checkpoint);
        if (patches.has(id) || planted.has(id)) {
          throw new EngineError('duplicate-patch', String(id));
        }
        const { card } = species;
        checkLatent(id, latent, card);
        const stage = firstStage(card);
        const state = toGroups(seedState(latent, stage, card.channels), stage, card.channels);
        planted.set(
          id,
          createPatch({ id, species, latent: latent.slice() }, { stage, state }, saveEvery),
        );
      }
      const settle = (): void => {
        recovery.check();
        for (const [id, patch] of planted) {
          patches.set(id, patch);
          if (recovery.machine) uploadPatch(recovery.machine, patch);
        }
      };
      const { machine } = recovery;
      const nets = machine && [...planted.values()].map((patch) => netOf(machine, patch));
      const room = machine?.reserve(nets!);
      return room ? gate.hold(room.then(settle)) : settle();
    },

    async step(steps: readonly PatchStep[]): Promise<Readout[]> {
      recovery.check();
      const entries = steps.map((step) => ({ patch: find(step.patch), step }));
      checkSteps(entries);
      if (entries.length === 0) return [];
      const stepped = entries.map(({ patch }) => patch);
      const putBy = save(stepped.filter(({ stateCheckpoint: past }) => past.isDue));
      const asked = entries.map(({ patch, step }) => ({
        ...step,
        compare: patch.hasStepped && !step.divide,
      }));
      const { call, answer } = recovery.submit(stepped, (machine) =>
        machine.step(stepped.map((patch, i) => jobOf(machine, patch, asked[i]))),
      );
      const noted: LoggedStep[] = [];
      const stages = entries.map(({ patch, step }) => {
        const { divide, keep } = step;
        const note = { call, divide, ...(keep && { keep: keep.slice() }) };
        noted.push(note);
        patch.stateCheckpoint.log(note);
        patch.hasStepped = true;
        return (patch.stage = stageAfter(patch, step));
      });
      const seen = await answer;
      // It holds on to all that was asked and answered.
      for (const note of noted) note.call = undefined;
      // Not before: a patch whose last step is not made again would have nothing to compare with.
      await putBy?.();
      return seen.map((one, i) => readoutOf(steps[i].patch, stages[i], one));
    },

    async exportStates(ids: readonly PatchId[]): Promise<Float32Array[]> {
      recovery.check();
      const wanted = ids.map(find);
      const stages = wanted.map(({ stage }) => stage);
      const states = await read(wanted);
      if (!states) throw new EngineError('out-of-memory', 'none to read states into');
      return states.map((state, i) =>
        fromGroups(state, stages[i], wanted[i].species.card.channels),
      );
    },

    importStates(states: readonly { patch: PatchId; state: Float32Array }[]): void {
      recovery.check();
      const found = states.map(({ patch: id, state }) => {
        const patch = find(id);
        const { card } = patch.species;
        const stage = checkState(id, state, card);
        return { patch, saved: { stage, state: toGroups(state, stage, card.channels) } };
      });
      for (const { patch, saved } of found) {
        // Another patch from here on: calls that wait are about the one before.
        const next = createPatch(patch, saved, saveEvery);
        patches.set(patch.id, next);
        if (!recovery.machine) continue;
        next.slot = patch.slot;
        recovery.machine.write(patch.slot!, saved.stage, saved.state);
      }
    },

    dispose(ids: readonly PatchId[]): void {
      recovery.check();
      for (const id of ids) {
        const patch = patches.get(id);
        patches.delete(id);
        if (patch && recovery.machine) {
          recovery.machine.release(netOf(recovery.machine, patch), patch.slot!);
        }
      }
    },
  };

  return {
    pipelined: true,
    plant: (news) => gate.pass(() => calls.plant(news)),
    step: async (steps) => gate.pass(() => calls.step(steps)),
    exportStates: (ids) => gate.pass(() => calls.exportStates(ids)),
    importStates: (states) => gate.pass(() => calls.importStates(states)),
    dispose: (ids) => gate.pass(() => calls.dispose(ids)),
    async close() {
      recovery.close();
      patches.clear();
    },
  };
}

/** @param seen its pixels are taken over */
function readoutOf(patch: PatchId, stage: number, { pixels, change, broken }: StepResult): Readout {
  const cells = stage * stage;
  const readout = {
    patch,
    stage,
    rgba: pixels.subarray(0, 4 * cells),
    presence: pixels.subarray(4 * cells),
    change: change ?? 255,
  };
  return broken ? brokenReadout(readout) : readout;
}
