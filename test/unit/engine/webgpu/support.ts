/** Whether the GPU engine is here; if not, its refusal is tested instead. */
import type { PatchStore } from '../../../../server/engine/backend.ts';
import { selectBackend } from '../../../../server/engine/choose-backend.ts';
import type { Engine } from '../../../../server/engine/engine.ts';
import { testNeeding } from '../../../support/needs.ts';

/** Why there is no GPU engine here. */
export const refusal: Error | undefined = await selectBackend('webgpu').then(
  () => undefined,
  (error: Error) => error,
);
export const isGpuHere = refusal === undefined;

if (process.env.VIVARIUM_TEST_GPU === '1' && refusal) {
  throw new Error(`VIVARIUM_TEST_GPU=1, but there is none for the tests: ${refusal.message}`);
}

/** A test that needs a GPU. */
export const testGpu = testNeeding('WebGPU', isGpuHere);

export const engineOf = (store: PatchStore): Engine => ({
  info: { name: 'store', device: 'GPU' },
  plant: async (patches) => store.plant(patches),
  step: async (steps) => store.step(steps),
  exportStates: async (patches) => store.exportStates(patches),
  importStates: async (states) => store.importStates(states),
  dispose: async (patches) => store.dispose(patches),
  close: async () => store.close(),
});
