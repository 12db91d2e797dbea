/** The WebGPU backend: a patch store that holds and steps states on a GPU. */
import { seedState } from '../../vnca/architecture.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import type { PatchStore, StoreBackend } from '../backend.ts';
import { PatchTable } from '../core/patch-table.ts';
import { findGpu, type Gpu, openGpu } from './device.ts';
import { Machine } from './machine.ts';
import type { GpuPatch } from './net.ts';
import { groupsOf } from './plan.ts';

/** Finds a GPU and returns a backend that uses it. @throws EngineError 'unavailable' */
export async function startWebgpu(): Promise<StoreBackend> {
  const { name, real } = await findGpu();
  return {
    info: { name: 'webgpu', device: name },
    gpu: real,
    open: (models) => createGpuStore(models),
  };
}

/**
 * Converts states from [s, s, C] to the GPU's layout, [C/4, s, s, 4], padded with zeros if C is not
 * a multiple of four.
 */
export function toGroups(state: Float32Array, stage: number, channels: number) {
  const cells = stage * stage;
  const groups = new Float32Array(groupsOf(channels) * cells * 4);
  for (let cell = 0; cell < cells; cell++) {
    for (let c = 0; c < channels; c++)
      groups[((c >> 2) * cells + cell) * 4 + (c & 3)] = state[cell * channels + c];
  }
  return groups;
}

/** Converts states from the GPU's layout, [C/4, s, s, 4], to [s, s, C]. */
export function fromGroups(groups: Float32Array, stage: number, channels: number): Float32Array {
  const cells = stage * stage;
  const state = new Float32Array(cells * channels);
  for (let cell = 0; cell < cells; cell++) {
    for (let c = 0; c < channels; c++)
      state[cell * channels + c] = groups[((c >> 2) * cells + cell) * 4 + (c & 3)];
  }
  return state;
}

/**
 * Opens the GPU and creates a patch store on it. If the GPU is lost later, steps and reads fail
 * with EngineError 'gpu-lost'.
 *
 * @throws EngineError 'unavailable'; Error if a kernel cannot be compiled
 */
export async function createGpuStore(
  models: readonly Model[],
  open: () => Promise<Gpu> = openGpu,
): Promise<PatchStore> {
  const machine = await Machine.open(models, await open());
  const patches = new PatchTable<GpuPatch>(machine.nets);
  /**
   * Resolves when memory for new patches has been allocated, and the patches have been planted.
   * Other calls wait for this promise, because they may refer to the new patches.
   */
  let allocation: Promise<void> | undefined;
  const inOrder =
    <A, T>(call: (argument: A) => T | Promise<T>) =>
    async (argument: A): Promise<T> => {
      // Use a loop: while this call waits, another waiting call may start a new allocation.
      while (allocation) await allocation;
      return call(argument);
    };

  const plant: PatchStore['plant'] = (news) => {
    const planted = patches.checkNew(news);
    const commit = (): void => {
      for (const { one, species, stage } of planted) {
        const { channels } = species.card;
        const state = toGroups(seedState(one.latent, stage, channels), stage, channels);
        const genomes = one.genomes ?? { latents: [one.latent] };
        patches.set(one.patch, species.plant(stage, state, genomes));
      }
    };
    const room = machine.reserve(planted.map(({ species }) => species));
    if (!room) return commit();
    const planting = room.then(commit);
    const settle = (): void => {
      allocation = undefined;
    };
    allocation = planting.then(settle, settle);
    return planting;
  };

  const exportStates: PatchStore['exportStates'] = async (ids) => {
    const wanted = ids.map((id) => patches.require(id));
    const stages = wanted.map(({ stage }) => stage);
    const states = await machine.read(wanted);
    return states.map((state, i) => fromGroups(state, stages[i], wanted[i].species.card.channels));
  };

  const importStates: PatchStore['importStates'] = (states) => {
    for (const { patch, state, stage } of patches.importsOf(states)) {
      const { species } = patch;
      species.write(patch, stage, toGroups(state, stage, species.card.channels));
    }
  };

  const dispose: PatchStore['dispose'] = (ids) => {
    for (const id of ids) {
      const patch = patches.get(id);
      patches.delete(id);
      patch?.species.release(patch);
    }
  };

  return {
    pipelined: true,
    plant: inOrder(plant),
    step: inOrder((steps) => machine.step(patches.entriesOf(steps))),
    exportStates: inOrder(exportStates),
    importStates: inOrder(importStates),
    dispose: inOrder(dispose),
    async close() {
      machine.destroy();
      patches.clear();
    },
  };
}
