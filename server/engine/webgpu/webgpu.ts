/** The WebGPU backend: steps on a GPU with compute shaders. */
import type { StoreBackend } from '../backend.ts';
import { EngineError } from '../engine.ts';
import { findGpu, openGpu } from './device.ts';
import { createGpuStore } from './store.ts';

/**
 * Finds a GPU and returns a backend on it.
 *
 * @param half whether shaders compute in 16-bit floats
 * @throws EngineError unavailable
 */
export async function startWebgpu(half: boolean): Promise<StoreBackend> {
  const found = await findGpu();
  if (half && !found.half) {
    throw new EngineError('unavailable', `${found.name} does not compute in 16 bits; use webgpu`);
  }
  return {
    info: { name: half ? 'webgpu-f16' : 'webgpu', device: found.name },
    gpu: found.real,
    open: (models, options) =>
      createGpuStore({ ...options, models, open: () => openGpu(half), half }),
  };
}
