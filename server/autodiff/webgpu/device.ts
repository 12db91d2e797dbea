/**
 * TensorFlow.js on any GPU with a Vulkan, Metal or Direct3D driver: WebGPU by Dawn, without a
 * browser or CUDA.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { EngineError } from '../../engine/engine.ts';
import { openGpu } from '../../engine/webgpu/device.ts';
import { ComputeError } from '../errors.ts';

const NAME = 'webgpu';

/** An open GPU. */
export interface Device {
  readonly device: string;
  /** Whether it is not a driver that runs on the CPU. */
  readonly gpu: boolean;
  /** @throws ComputeError the device has failed, so results are invalid */
  check(): void;
  destroy(): void;
}

/**
 * Opens the GPU as this thread's tfjs backend 'webgpu'.
 *
 * @throws ComputeError there is no GPU, or a package is missing
 */
export async function startDevice(): Promise<Device> {
  // Before navigator.gpu is there: the import then registers only kernels and no device of its own.
  const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu').catch(
    (error: Error) => {
      const [why] = error.message.split('\n');
      const what = `@tensorflow/tfjs-backend-webgpu does not load; run npm ci (${why})`;
      throw new ComputeError(what);
    },
  );
  const { instance, device, info, name, real } = await openGpu().catch(
    ({ detail }: EngineError) => {
      throw new ComputeError(`${detail}, or train with onnx`);
    },
  );

  // tfjs does not notice these errors: a kernel without memory would leave zeros.
  let failure: string | undefined;
  device.onuncapturederror = ({ error }) => {
    failure ??= error.message;
  };
  void device.lost.then(({ message }) => {
    failure ??= message;
  });

  const backend = withNavigator(instance, () => new WebGPUBackend(device, info));
  tf.registerBackend(NAME, () => backend);
  tf.enableProdMode();
  await tf.setBackend(NAME);
  return {
    device: name,
    gpu: real,
    check() {
      if (failure === undefined) return;
      const what = `the device failed; try a smaller batch (${failure.split('\n')[0]})`;
      throw new ComputeError(what);
    },
    destroy() {
      tf.removeBackend(NAME);
      device.destroy();
      // Garbage collection of the instance stops Dawn, and crashes the process while the device ends.
      void device.lost.then(() => instance);
    },
  };
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
