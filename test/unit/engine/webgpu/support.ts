/** Which GPU engines are here; where one is missing, its refusal is tested instead. */
import type { BackendName, PatchStore } from '../../../../server/engine/backend.ts';
import { selectBackend } from '../../../../server/engine/backends.ts';
import type { Engine } from '../../../../server/engine/engine.ts';
import { testNeeding } from '../../../support/needs.ts';

export const present: BackendName[] = [];
export const refusals = new Map<BackendName, unknown>();

for (const name of ['webgpu', 'webgpu-f16'] as const) {
  try {
    await selectBackend(name);
    present.push(name);
  } catch (error) {
    refusals.set(name, error);
  }
}

if (process.env.VIVARIUM_TEST_GPU === '1' && refusals.size > 0) {
  const why = [...refusals].map(([name, refusal]) => `${name}: ${(refusal as Error).message}`);
  throw new Error(`VIVARIUM_TEST_GPU=1, but there is none for the tests: ${why.join('; ')}`);
}

/** A software adapter takes seconds to compile a kernel, and more beside other work, ms. */
export const PATIENCE = 300_000;

/** A test that needs a GPU. */
export const testGpu = (title: string, run: () => Promise<void>): void =>
  testNeeding('WebGPU', present.includes('webgpu'))(title, run, PATIENCE);

export const engineOf = (store: PatchStore): Engine => ({
  info: { name: 'store', device: 'GPU' },
  plant: async (patches) => store.plant(patches),
  step: async (steps) => store.step(steps),
  exportStates: async (patches) => store.exportStates(patches),
  importStates: async (states) => store.importStates(states),
  dispose: async (patches) => store.dispose(patches),
  close: async () => store.close(),
});
