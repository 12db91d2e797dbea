/** The WebGPU backend: steps on a GPU with compute shaders. */
import type { StoreBackend } from '../backend.ts';
import { findGpu, openGpu } from './device.ts';
import { createGpuStore } from './store.ts';

/**
 * Finds a GPU and returns a backend on it.
 *
 * @throws EngineError unavailable
 */
export async function startWebgpu(): Promise<StoreBackend> {
  const { name, real } = await findGpu();
  return {
    info: { name: 'webgpu', device: name },
    gpu: real,
    open: (models, options) => createGpuStore({ ...options, models, open: openGpu }),
  };
}
