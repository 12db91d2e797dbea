/** Finds a GPU with a Vulkan, Metal or Direct3D 12 driver, by Dawn, and opens it. */
import { existsSync } from 'node:fs';
import { EngineError } from '../engine.ts';

export interface Gpu {
  readonly device: GPUDevice;
  /** Of the adapter: what a shader may ask for. */
  readonly limits: GPUSupportedLimits;
  /** Held: when it is collected, Dawn ends under the device that still works, and the process with it. */
  readonly instance: GPU;
}

export interface FoundGpu {
  /** In words, for people. */
  readonly name: string;
  /** Not a driver that computes on the CPU. */
  readonly real: boolean;
  /** Whether shaders may compute in 16 bits. */
  readonly half: boolean;
}

export type OpenGpu = () => Promise<Gpu>;

/** @throws EngineError unavailable */
export async function findGpu(): Promise<FoundGpu> {
  const { adapter } = await request();
  const { info } = adapter;
  const real = isRealGpu(info);
  const what = info.description || info.device || info.vendor || 'unnamed adapter';
  return {
    name: `${real ? 'GPU' : 'CPU posing as a GPU'} (WebGPU, ${what.trim()})`,
    real,
    half: adapter.features.has('shader-f16'),
  };
}

/** What Linux calls GPUs: of the kernel's own drivers, NVIDIA's, and Windows' beneath it. */
const DEVICE_FILES = ['/dev/dri', '/dev/nvidiactl', '/dev/dxg'];

/** Whether it is worth asking for a real GPU: drivers that find none complain on the terminal. */
export const mayHaveGpu = (): boolean =>
  process.platform !== 'linux' || DEVICE_FILES.some((file) => existsSync(file));

/** Drivers that do not all say of themselves that they are a fallback. */
const SOFTWARE = /llvmpipe|lavapipe|swiftshader|basic render|software/i;

/** Whether an adapter is a GPU, not a driver that computes on the CPU. */
export const isRealGpu = ({
  isFallbackAdapter,
  architecture,
  description,
}: Pick<GPUAdapterInfo, 'isFallbackAdapter' | 'architecture' | 'description'>): boolean =>
  !isFallbackAdapter && !SOFTWARE.test(`${architecture} ${description}`);

/**
 * @param half shaders will compute in 16 bits
 * @throws EngineError unavailable
 */
export async function openGpu(half: boolean): Promise<Gpu> {
  // An adapter opens one device and is spent, so each device has its own.
  const { instance, adapter } = await request();
  const { limits } = adapter;
  const device = await adapter
    .requestDevice({
      requiredFeatures: half ? ['shader-f16'] : [],
      requiredLimits: {
        maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
        maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
        maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
        maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
        maxBufferSize: limits.maxBufferSize,
      },
    })
    .catch((error: Error) => {
      throw new EngineError('unavailable', `the GPU does not start (${error.message})`);
    });
  return { device, limits: device.limits, instance };
}

async function request(): Promise<{ instance: GPU; adapter: GPUAdapter }> {
  const { create, globals } = await load();
  // Dawn looks its own classes up there.
  Object.assign(globalThis, globals);
  const instance = create([]);
  const adapter = await instance.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter) return { instance, adapter };
  throw new EngineError(
    'unavailable',
    'no GPU answers; install its Vulkan driver (Debian, also without a GPU: mesa-vulkan-drivers)',
  );
}

async function load(): Promise<typeof import('webgpu')> {
  try {
    return await import('webgpu');
  } catch (error) {
    const [why] = (error as Error).message.split('\n');
    throw new EngineError('unavailable', `the package webgpu does not load; run npm ci (${why})`);
  }
}
