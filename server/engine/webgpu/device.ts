/** Finds and opens a GPU with a Vulkan, Metal or Direct3D 12 driver, through Dawn. */

import { existsSync } from 'node:fs';
import { installLine } from '../../platform/installation.ts';
import { EngineError } from '../engine.ts';

export type Gpu = Awaited<ReturnType<typeof openGpu>>;

/** Finds the preferred GPU. @throws EngineError unavailable */
export const findGpu = async () => describe((await request()).adapter);

/** Describes a GPU before it is opened. */
function describe({ info }: GPUAdapter) {
  const real = isRealGpu(info);
  const what = info.description || info.device || info.vendor || 'unnamed adapter';
  return {
    /** Name of the device, as text for the host. */
    name: `${real ? 'GPU' : 'CPU emulating a GPU'} (WebGPU, ${what.trim()})`,
    /** Whether the adapter is a GPU, not a driver that computes on the CPU. */
    real,
    info,
  };
}

/** Device files of GPUs on Linux, created by kernel drivers, by NVIDIA's driver and by WSL. */
const DEVICE_FILES = ['/dev/dri', '/dev/nvidiactl', '/dev/dxg'];

/**
 * Whether the machine may have a GPU. Check this before opening one: on machines without a GPU,
 * drivers would print errors on the terminal.
 */
export const mayHaveGpu = (): boolean =>
  process.platform !== 'linux' || DEVICE_FILES.some((file) => existsSync(file));

/** Matches software drivers by name, because not all of them set `isFallbackAdapter`. */
const SOFTWARE = /llvmpipe|lavapipe|swiftshader|basic render|software/i;

/** Whether an adapter is a GPU, not a driver that computes on the CPU. */
export const isRealGpu = (
  info: Pick<GPUAdapterInfo, 'isFallbackAdapter' | 'architecture' | 'description'>,
): boolean => !info.isFallbackAdapter && !SOFTWARE.test(`${info.architecture} ${info.description}`);

/** Opens the preferred GPU. @throws EngineError unavailable */
export async function openGpu() {
  // Requests a new adapter, as an adapter can open only one device.
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
     * Keep a reference until the device is lost, because Dawn crashes the process if the instance
     * is garbage-collected earlier.
     */
    instance,
  };
}

async function request(): Promise<{ instance: GPU; adapter: GPUAdapter }> {
  const { create, globals } = await load();
  // Dawn expects its classes to be global.
  Object.assign(globalThis, globals);
  const instance = create([]);
  const adapter = await instance.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter) return { instance, adapter };
  throw new EngineError(
    'unavailable',
    'no GPU found; install its Vulkan driver (Debian, also without a GPU: mesa-vulkan-drivers)',
  );
}

async function load(): Promise<typeof import('webgpu')> {
  try {
    return await import('webgpu');
  } catch (error) {
    const [why] = (error as Error).message.split('\n');
    throw new EngineError(
      'unavailable',
      `the package webgpu does not load; run ${installLine('webgpu')} (${why})`,
    );
  }
}
