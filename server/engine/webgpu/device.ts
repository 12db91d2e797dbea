/**
 * Finds and opens a GPU with Dawn, a WebGPU library, which needs a Vulkan, Metal or Direct3D 12
 * driver.
 */

import { existsSync } from 'node:fs';
import { installLine } from '../../platform/installation.ts';
import { EngineError } from '../engine.ts';

export type Gpu = Awaited<ReturnType<typeof openGpu>>;

/** Describes the GPU that the WebGPU library selects. @throws EngineError 'unavailable' */
export const findGpu = async () => describe((await request()).adapter);

function describe({ info }: GPUAdapter) {
  const real = isRealGpu(info);
  const what = info.description || info.device || info.vendor || 'unnamed adapter';
  return {
    /** Kind and name of the adapter, in words for the person who runs the server. */
    name: `${real ? 'GPU' : 'CPU emulating a GPU'} (WebGPU, ${what.trim()})`,
    /** Whether the adapter is a hardware GPU, and not a driver that emulates a GPU on the CPU. */
    real,
    info,
  };
}

/**
 * Files that exist on Linux if there is a GPU: created by the kernel's drivers, by NVIDIA's driver,
 * and by WSL.
 */
const DEVICE_FILES = ['/dev/dri', '/dev/nvidiactl', '/dev/dxg'];

/**
 * Whether this machine may have a GPU. Check this before opening a GPU, because drivers may print
 * errors on a machine without a GPU.
 */
export const mayHaveGpu = (): boolean =>
  process.platform !== 'linux' || DEVICE_FILES.some((file) => existsSync(file));

/** Names of drivers that emulate a GPU on the CPU. Some of them do not set `isFallbackAdapter`. */
const SOFTWARE = /llvmpipe|lavapipe|swiftshader|basic render|software/i;

/** Whether an adapter is a hardware GPU, and not a driver that emulates a GPU on the CPU. */
export const isRealGpu = (
  info: Pick<GPUAdapterInfo, 'isFallbackAdapter' | 'architecture' | 'description'>,
): boolean => !info.isFallbackAdapter && !SOFTWARE.test(`${info.architecture} ${info.description}`);

/** Opens the machine's preferred GPU. @throws EngineError 'unavailable' */
export async function openGpu() {
  // Request a new adapter, because an adapter can open only one device.
  const { instance, adapter } = await request();
  const { limits } = adapter;
  const device = await adapter
    .requestDevice({
      requiredLimits: {
        maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
        maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
        maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
        maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
        maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
        maxBufferSize: limits.maxBufferSize,
      },
    })
    .catch((error: Error) => {
      throw new EngineError('unavailable', `the GPU does not start (${error.message})`);
    });
  return {
    ...describe(adapter),
    device,
    /**
     * Keep a reference until the device is lost. If Dawn's instance is garbage-collected earlier,
     * Dawn crashes the process.
     */
    instance,
  };
}

async function request(): Promise<{ instance: GPU; adapter: GPUAdapter }> {
  const { create, globals } = await load();
  // Dawn, the WebGPU library, expects its classes to be global.
  Object.assign(globalThis, globals);
  const instance = create([]);
  const adapter = await instance.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter) return { instance, adapter };
  const text =
    'no GPU found; install a Vulkan driver (on Debian: mesa-vulkan-drivers, which also works without a GPU)';
  throw new EngineError('unavailable', text);
}

async function load(): Promise<typeof import('webgpu')> {
  try {
    return await import('webgpu');
  } catch (error) {
    const [why] = (error as Error).message.split('\n');
    const text = `cannot load the package webgpu (${why}); run ${installLine('webgpu')}`;
    throw new EngineError('unavailable', text);
  }
}
