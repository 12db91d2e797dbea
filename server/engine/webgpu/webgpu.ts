/** Steps on a GPU, with kernels of our own. */
import type { StoreBackend } from '../backend.ts';
import { EngineError } from '../engine.ts';
import { findGpu, openGpu } from './device.ts';
import { createGpuStore } from './store.ts';

/**
 * @param half computes in 16 bits
 * @throws EngineError unavailable
 */
export async function startWebgpu(half: boolean): Promise<StoreBackend> {
  const found = await findGpu();
  if (half && !found.half) {
    throw new EngineError('unavailable', `${found.name} does not compute in 16 bits; take webgpu`);
  }
  return {
    info: { name: half ? 'webgpu-f16' : 'webgpu', device: found.name },
    gpu: found.real,
    open: (models, onLoss, mostLosses) =>
      createGpuStore({ models, open: () => openGpu(half), half, onLoss, maxLosses: mostLosses }),
  };
}
