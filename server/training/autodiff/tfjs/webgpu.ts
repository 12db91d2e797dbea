/**
 * TensorFlow.js on any GPU with a Vulkan, Metal or Direct3D driver: WebGPU by Dawn, without a
 * browser or CUDA.
 */
import * as tf from '@tensorflow/tfjs-core';
import { isRealGpu } from '../../../engine/webgpu/device.ts';
import { ComputeError } from './errors.ts';

const NAME = 'webgpu';

/** A started back end of TensorFlow.js. */
export interface Started {
  readonly device: string;
  /** Whether it runs on a real GPU, not a driver that runs on the CPU. */
  readonly gpu: boolean;
  /** @throws ComputeError the device has failed since the start, so its results are invalid */
  check?(): void;
  /** The last user's call destroys the device. */
  stop?(): void;
}

interface StartedGpu extends Required<Omit<Started, 'stop'>> {
  /**
   * Referenced here, because garbage collection would stop Dawn under the running device and crash
   * the process.
   */
  readonly instance: GPU;
  destroy(): void;
}

let started: Promise<StartedGpu> | undefined;
let users = 0;

/**
 * Starts the device and registers it as this thread's tfjs backend 'webgpu'. Several users share
 * it.
 *
 * @throws ComputeError not-installed, no-adapter, does-not-start
 */
export async function startWebgpu(): Promise<Started> {
  users++;
  started ??= start();
  try {
    const { device, gpu, check } = await started;
    return { device, gpu, check, stop: release };
  } catch (error) {
    release();
    throw error;
  }
}

function release(): void {
  if (--users > 0) return;
  const last = started;
  started = undefined;
  last?.then(({ destroy }) => destroy()).catch(() => {});
}

async function start(): Promise<StartedGpu> {
  const { create, globals, WebGPUBackend } = await load();
  Object.assign(globalThis, globals);
  const gpu = create([]);
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) {
    throw new ComputeError(
      NAME,
      'no-adapter',
      'no GPU found; install its Vulkan driver (Debian, also without a GPU: mesa-vulkan-drivers) or train with onnx',
    );
  }
  const { limits, info } = adapter;
  const device = await adapter
    .requestDevice({
      requiredLimits: {
        maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
        maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
        maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
        maxBufferSize: limits.maxBufferSize,
        maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
        maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
      },
    })
    .catch((error: Error) => {
      throw new ComputeError(NAME, 'does-not-start', `${info.description}: ${error.message}`);
    });

  // tfjs does not notice these errors: a kernel without memory would leave zeros.
  let failure: string | undefined;
  device.onuncapturederror = ({ error }) => {
    failure ??= error.message;
  };
  void device.lost.then(({ message }) => {
    failure ??= message;
  });

  const backend = withNavigator(gpu, () => new WebGPUBackend(device, info));
  tf.registerBackend(NAME, () => backend);
  const real = isRealGpu(info);
  const what = info.description || info.device || info.vendor || 'unnamed adapter';
  return {
    instance: gpu,
    device: `${real ? 'GPU' : 'CPU posing as a GPU'} (WebGPU, ${what})`,
    gpu: real,
    check() {
      if (failure === undefined) return;
      const [first] = failure.split('\n');
      throw new ComputeError(
        NAME,
        'device-failed',
        `the device failed; try a smaller batch (${first})`,
      );
    },
    destroy() {
      tf.removeBackend(NAME);
      device.destroy();
    },
  };
}

async function load() {
  try {
    // In this order: without navigator.gpu, the import registers only kernels and no device of its
    // own.
    const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu');
    return { WebGPUBackend, ...(await import('webgpu')) };
  } catch (error) {
    throw new ComputeError(
      NAME,
      'not-installed',
      `the packages webgpu and @tensorflow/tfjs-backend-webgpu do not load; run npm ci (${(error as Error).message.split('\n')[0]})`,
    );
  }
}

/**
 * tfjs needs navigator.gpu when it is given a device; left in place, it would keep the process
 * alive.
 */
function withNavigator<T>(gpu: GPU, use: () => T): T {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true });
  try {
    return use();
  } finally {
    if (before) Object.defineProperty(globalThis, 'navigator', before);
    else delete (globalThis as { navigator?: unknown }).navigator;
  }
}
