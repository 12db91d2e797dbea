/**
 * A patch store with its states on a GPU. The CPU keeps ids and stages, occasional copies of the
 * states and the steps made since, from which it restores every patch, bit for bit, after a loss of
 * the GPU.
 */

import { seedState } from '../../vnca/architecture.ts';
import type { Card } from '../../vnca/card.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import type { DeviceLossOptions, PatchStore } from '../backend.ts';
import { brokenReadout } from '../core/patch-store.ts';
import { checkNames, PatchTable, stageAfter } from '../core/patch-table.ts';
import {
  copyOfStep,
  type LoggedStep,
  Recovery,
  repeatSteps,
  SAVE_GPU_EVERY,
  StateCheckpoint,
} from '../core/recovery.ts';
import {
  EngineError,
  type NewPatch,
  type PatchId,
  type PatchStep,
  type Readout,
} from '../engine.ts';
import type { OpenGpu } from './device.ts';
import { createMachine, type Machine, type NetJob, type StepResult } from './machine.ts';
import type { Net } from './net.ts';
import { groupsOf } from './plan.ts';
import type { GpuSlot } from './slots.ts';

/** Runs calls immediately, or in order once the closed gate opens. */
export class CallGate {
  private until: Promise<unknown> | undefined;

  /** Runs or queues a call. @returns its result, as a promise if it was queued */
  pass<T>(call: () => T | Promise<T>): T | Promise<T> {
    // An earlier call in the queue may close the gate again.
    const retry = (): T | Promise<T> => this.pass(call);
    return this.until ? this.until.then(retry, retry) : call();
  }

  /** Closes the open gate until a promise settles. */
  hold<T>(until: Promise<T>): Promise<T> {
    const open = (): void => {
      this.until = undefined;
    };
    this.until = until;
    until.then(open, open);
    return until;
  }
}

/** A copy of states in the GPU's layout. */
export interface Saved {
  /** Side s. */
  readonly stage: number;
  /** [C/4, s, s, 4] */
  readonly state: Float32Array;
}

/** A patch of a GPU store. */
export interface GpuPatch {
  readonly id: PatchId;
  readonly species: { readonly card: Card };
  /** [Z] as it was planted, or read when its states were last imported. */
  readonly latent: Float32Array;
  /** Side s after all submitted calls, answered or not. */
  stage: number;
  /** Whether a step was submitted since it was planted or imported. */
  hasStepped: boolean;
  readonly stateCheckpoint: StateCheckpoint<Saved>;
  /** Its slot on the current GPU; undefined while there is none. */
  slot: GpuSlot | undefined;
}

/**
 * Creates a patch that is not yet on a GPU.
 *
 * @param saved its current states
 * @param saveEvery steps between two copies of its states
 */
export function createPatch(
  { id, species, latent }: Pick<GpuPatch, 'id' | 'species' | 'latent'>,
  saved: Saved,
  saveEvery: number,
): GpuPatch {
  const { stage } = saved;
  const past = new StateCheckpoint(id, saved, saveEvery);
  return { id, species, latent, stage, hasStepped: false, stateCheckpoint: past, slot: undefined };
}

/** The net that steps a patch. */
export const netOf = (machine: Machine, { species }: GpuPatch): Net =>
  machine.nets.get(species.card.name)!;

/** Uploads the saved states of a patch. */
export function uploadPatch(machine: Machine, patch: GpuPatch): void {
  const net = netOf(machine, patch);
  const { saved, expressed } = patch.stateCheckpoint;
  const record = net.recordOf(expressed ?? patch.latent);
  patch.slot = machine.plant(net, saved.stage, saved.state, record);
}

/**
 * Uploads patches and repeats the steps made since they were saved.
 *
 * @param isPending whether a call is still to be submitted again, so that its steps are not
 *   repeated here
 */
export async function restorePatches(
  machine: Machine,
  patches: readonly GpuPatch[],
  isPending: (call: object) => boolean,
): Promise<void> {
  for (const patch of patches) uploadPatch(machine, patch);
  const logs = patches.map((patch) => ({
    patch,
    steps: patch.stateCheckpoint.steps.filter(({ call }) => !call || !isPending(call)),
  }));
  await repeatSteps(logs, (steps) =>
    machine.step(
      steps.map(({ patch, ...step }) => jobOf(machine, patch, { ...step, compare: true })),
    ),
  );
}

/** The job for a step of a patch. */
export function jobOf(
  machine: Machine,
  patch: GpuPatch,
  { express, ...step }: Omit<PatchStep, 'patch'> & Pick<NetJob, 'compare'>,
): NetJob {
  const net = netOf(machine, patch);
  return { ...step, net, slot: patch.slot!, record: express && net.recordOf(express) };
}

/** [s, s, C] → [C/4, s, s, 4], padded with zeros. */
export function toGroups(state: Float32Array, stage: number, channels: number): Float32Array {
  const cells = stage * stage;
  const groups = new Float32Array(groupsOf(channels) * cells * 4);
  for (let cell = 0; cell < cells; cell++) {
    for (let c = 0; c < channels; c++) {
      groups[((c >> 2) * cells + cell) * 4 + (c & 3)] = state[cell * channels + c];
    }
  }
  return groups;
}

/** [C/4, s, s, 4] → [s, s, C]. */
export function fromGroups(groups: Float32Array, stage: number, channels: number): Float32Array {
  const cells = stage * stage;
  const state = new Float32Array(cells * channels);
  for (let cell = 0; cell < cells; cell++) {
    for (let c = 0; c < channels; c++) {
      state[cell * channels + c] = groups[((c >> 2) * cells + cell) * 4 + (c & 3)];
    }
  }
  return state;
}

/** Options of `createGpuStore`. */
export interface GpuStoreOptions extends DeviceLossOptions {
  /** Patches refer to a model by the name in its card. */
  readonly models: readonly Model[];
  readonly open: OpenGpu;
  /** See `RecoveryOptions`. */
  readonly retryDelays?: readonly number[];
  /** Steps of a patch between two copies of its states. */
  readonly saveEvery?: number;
}

/**
 * Opens the GPU and a store on it.
 *
 * @throws EngineError unavailable; Error: a kernel does not compile
 */
export async function createGpuStore(options: GpuStoreOptions): Promise<PatchStore> {
  const { models, open, onLoss, maxLosses, retryDelays } = options;
  const { saveEvery = SAVE_GPU_EVERY } = options;
  checkNames(models);
  const patches = new PatchTable<GpuPatch>(
    new Map(models.map((model) => [model.card.name, model])),
  );

  let restored: GpuPatch[] = [];
  const recovery = new Recovery<Machine, GpuPatch>({
    what: 'the GPU',
    ...{ onLoss, maxLosses, retryDelays },
    open: async () => createMachine(models, await open()),
    restore: async (machine) => {
      restored = [...new Set([...patches.values(), ...recovery.pendingPatches])];
      await machine.reserve(restored.map((patch) => netOf(machine, patch)));
      await restorePatches(machine, restored, (call) => recovery.isPending(call));
    },
    afterRestore: (machine) => {
      const uploaded = new Set(restored);
      for (const patch of patches.values()) if (!uploaded.has(patch)) uploadPatch(machine, patch);
    },
    afterRetry: (machine) => {
      const current = new Set(patches.values());
      for (const patch of restored) {
        if (!current.has(patch)) netOf(machine, patch).slots.release(patch.slot!);
      }
    },
  });
  await recovery.start();

  /** Reads states; undefined if memory is short. */
  const read = (wanted: readonly GpuPatch[]): Promise<Float32Array[] | undefined> =>
    recovery.submit(wanted, (machine) => machine.read(wanted.map(({ slot: place }) => place!)))
      .answer;

  /** Requests copies before a step. @returns stores them; call it when the step is answered */
  const save = (due: readonly GpuPatch[]): (() => Promise<void>) | undefined => {
    if (due.length === 0) return undefined;
    const saves = due.map(({ stage, stateCheckpoint }) => ({
      stage,
      save: stateCheckpoint.beginSave(),
    }));
    const copies = read(due);
    // If this fails, the step fails with the same error.
    copies.catch(() => {});
    return async () => {
      const states = await copies;
      saves.forEach(({ stage, save }, i) => {
        save(states && { stage, state: states[i] });
      });
    };
  };

  /** Closed while memory is being allocated: later calls may refer to patches not yet planted. */
  const gate = new CallGate();
  const calls = {
    plant(newPatches: readonly NewPatch[]): void | Promise<void> {
      recovery.check();
      const planted = patches.create(newPatches, ({ patch: id, latent }, species, stage) => {
        const { channels } = species.card;
        const state = toGroups(seedState(latent, stage, channels), stage, channels);
        return createPatch({ id, species, latent: latent.slice() }, { stage, state }, saveEvery);
      });
      const all = [...planted.values()];
      const commit = (): void => {
        recovery.check();
        patches.addAll(planted);
        const { machine } = recovery;
        if (machine) for (const patch of all) uploadPatch(machine, patch);
      };
      const { machine } = recovery;
      const room = machine?.reserve(all.map((patch) => netOf(machine, patch)));
      return room ? gate.hold(room.then(commit)) : commit();
    },

    async step(steps: readonly PatchStep[]): Promise<Readout[]> {
      recovery.check();
      const entries = patches.entriesOf(steps);
      if (entries.length === 0) return [];
      const stepped = entries.map(({ patch }) => patch);
      const storeCopies = save(stepped.filter(({ stateCheckpoint: past }) => past.isDue));
      const requests = entries.map(({ patch, step }) => ({
        ...step,
        compare: patch.hasStepped && !step.divide,
      }));
      const { call, answer } = recovery.submit(stepped, (machine) =>
        machine.step(stepped.map((patch, i) => jobOf(machine, patch, requests[i]))),
      );
      const logged: LoggedStep[] = [];
      const stages = entries.map(({ patch, step }) => {
        const entry: LoggedStep = { ...copyOfStep(step), call };
        logged.push(entry);
        patch.stateCheckpoint.log(entry);
        patch.hasStepped = true;
        return (patch.stage = stageAfter(patch, step));
      });
      const seen = await answer;
      // Lets the call and its answer be garbage-collected.
      for (const entry of logged) entry.call = undefined;
      // Only now: a restored patch repeats its last step, so that the next has one to compare with.
      await storeCopies?.();
      return seen.map((one, i) => readoutOf(steps[i].patch, stages[i], one));
    },

    async exportStates(ids: readonly PatchId[]): Promise<Float32Array[]> {
      recovery.check();
      const wanted = ids.map((id) => patches.require(id));
      const stages = wanted.map(({ stage }) => stage);
      const states = await read(wanted);
      if (!states) throw new EngineError('out-of-memory', 'no memory to read states into');
      return states.map((state, i) =>
        fromGroups(state, stages[i], wanted[i].species.card.channels),
      );
    },

    importStates(states: readonly { patch: PatchId; state: Float32Array }[]): void {
      recovery.check();
      for (const { patch, state, stage } of patches.importsOf(states)) {
        const saved = { stage, state: toGroups(state, stage, patch.species.card.channels) };
        // A new object: pending calls refer to the previous one.
        const latent = patch.stateCheckpoint.expressedNow ?? patch.latent;
        const next = createPatch({ ...patch, latent }, saved, saveEvery);
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
        if (patch && recovery.machine) netOf(recovery.machine, patch).slots.release(patch.slot!);
      }
    },
  };

  return {
    pipelined: true,
    plant: (newPatches) => gate.pass(() => calls.plant(newPatches)),
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

/** Converts a result to a read-out, which takes over its pixels. */
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
