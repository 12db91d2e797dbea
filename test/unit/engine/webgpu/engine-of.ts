import type { PatchStore } from '../../../../server/engine/backend.ts';
import type { Engine } from '../../../../server/engine/engine.ts';

export const engineOf = (store: PatchStore): Engine => ({
  info: { name: 'store', device: 'GPU' },
  plant: async (patches) => store.plant(patches),
  step: async (steps) => store.step(steps),
  exportStates: async (patches) => store.exportStates(patches),
  importStates: async (states) => store.importStates(states),
  dispose: async (patches) => store.dispose(patches),
  close: async () => store.close(),
});
