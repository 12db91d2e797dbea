/**
 * Lists the backends, selects the best one that works on this machine, and opens a patch store on
 * it.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { installLine, isInstalled } from '../platform/installation.ts';
import type { Model } from '../vnca/checkpoint.ts';
import { type Backend, type BackendName, type PatchStore, StartError } from './backend.ts';
import { createPatchStore } from './core/patch-store.ts';
import { checkNames } from './core/patch-table.ts';
import { EngineError } from './engine.ts';
import { compilerRemedy, missingKernel } from './native/compile.ts';
import { missingNativePart } from './tfjs/native-part.ts';
import { mayHaveGpu } from './webgpu/device.ts';

/** Vendors whose GPUs can be used by at least one backend. */
const GPU_VENDORS = ['nvidia', 'amd', 'intel', 'apple'] as const;
export type GpuVendor = (typeof GPU_VENDORS)[number];

/** GPU vendors by PCI vendor id. */
const VENDORS: Readonly<Record<string, GpuVendor>> = {
  '0x10de': 'nvidia',
  '0x1002': 'amd',
  '0x8086': 'intel',
};
/** First byte of the PCI class code of display controllers. */
const DISPLAY = '0x03';

/**
 * Lists the vendors of this machine's GPUs, each vendor once. On Linux, finds only PCI devices. On
 * macOS, always returns 'apple'. On other systems, returns an empty list.
 *
 * @param devices the folder in which Linux lists PCI devices
 */
export function findGpus(
  platform: NodeJS.Platform = process.platform,
  devices = '/sys/bus/pci/devices',
): GpuVendor[] {
  if (platform === 'darwin') return ['apple'];
  if (platform !== 'linux') return [];
  const found = new Set<GpuVendor>();
  const contentOf = (...path: string[]): string =>
    attempt(() => readFileSync(join(devices, ...path), 'utf8').trim(), '');
  for (const device of attempt(() => readdirSync(devices), [])) {
    const vendor = VENDORS[contentOf(device, 'vendor')];
    if (vendor && contentOf(device, 'class').startsWith(DISPLAY)) found.add(vendor);
  }
  return [...found];
}

function attempt<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

/** A backend that the host or 'auto' can select. */
export interface Candidate {
  /**
   * Returns a known reason why the backend cannot start on this machine. Even if the result is
   * undefined, the start may fail. Does not load the backend's libraries.
   *
   * @param onlyGpu whether the backend must run on a GPU
   */
  readonly unavailableReason?: (onlyGpu: boolean) => string | undefined;
  /**
   * Does work that all threads of the backend need only once, such as compiling. Called before the
   * threads start. If this work fails, no thread is started.
   */
  readonly prepare?: () => Promise<void>;
  /** Loads the backend's libraries and starts the backend. @throws Error if this fails */
  readonly start: () => Promise<Backend>;
  /** Recommended number of threads; each thread has its own patch store. If absent, one thread. */
  readonly threads?: () => number;
  /** Requirements of the backend, as text for the host. */
  readonly needs: string;
  /**
   * Advice for the host if the backend does not start; undefined if nothing helps on this system.
   */
  readonly remedy: string | undefined;
  /**
   * For backends that can use a GPU. `vendors`: vendors of the supported GPUs. `remedy`: advice for
   * the host if the backend does not find the machine's GPU.
   */
  readonly gpu?: { readonly vendors: readonly GpuVendor[]; readonly remedy: string };
}

export type Candidates = Readonly<Record<BackendName, Candidate>>;

const noGpu = (onlyGpu: boolean): string | undefined =>
  onlyGpu && !mayHaveGpu() ? 'there is no GPU' : undefined;

/**
 * Operating systems and processor architectures for which ONNX Runtime has a library. The library
 * for Linux also needs glibc.
 */
const ONNX_SYSTEMS = ['linux x64', 'linux arm64', 'darwin arm64', 'win32 x64', 'win32 arm64'];

/**
 * Handles an error that occurred when ONNX Runtime was loaded. Always throws.
 *
 * @throws `error` if ONNX Runtime supports this system; otherwise a StartError without a remedy
 */
export function notLoaded(
  error: Error,
  { platform, arch, report }: Pick<NodeJS.Process, 'platform' | 'arch' | 'report'> = process,
): never {
  const { header } = report.getReport() as { header: { glibcVersionRuntime?: string } };
  const isMusl = platform === 'linux' && header.glibcVersionRuntime === undefined;
  if (ONNX_SYSTEMS.includes(`${platform} ${arch}`) && !isMusl) throw error;
  const text = `ONNX Runtime has no library for ${platform} on ${arch}${isMusl ? ' without glibc' : ''}`;
  throw new StartError(text);
}

/** The backends, in the order in which `auto` prefers them. */
export const CANDIDATES: Candidates = {
  webgpu: {
    unavailableReason: noGpu,
    start: async () => (await import('./webgpu/store.ts')).startWebgpu(),
    needs: 'a GPU with a Vulkan, Metal or Direct3D 12 driver',
    remedy: `run ${installLine('webgpu')}, and install a Vulkan driver for the GPU`,
    gpu: { vendors: GPU_VENDORS, remedy: 'install a Vulkan driver for the GPU' },
  },
  tensorflow: {
    unavailableReason: missingNativePart,
    start: async () => (await import('./tfjs/tensorflow.ts')).startTensorflow(),
    needs:
      'the package tfjs-node-gpu or tfjs-node with its native part; to use a GPU, also an NVIDIA GPU with CUDA and cuDNN',
    remedy: isInstalled
      ? 'run npm install @tensorflow/tfjs-node-gpu'
      : 'run npm run install:tensorflow, or npm run build:tensorflow',
    gpu: {
      vendors: ['nvidia'],
      remedy:
        'install the versions of CUDA and cuDNN that TensorFlow was built for (see npm run build:tensorflow -- --help)',
    },
  },
  native: {
    unavailableReason: missingKernel,
    prepare: async () => (await import('./native/native.ts')).prepareNative(),
    start: async () => (await import('./native/native.ts')).startNative(),
    threads: availableParallelism,
    needs:
      'a prebuilt kernel (included in releases, for Linux with AVX2 or ARM64), or a C compiler (cc) on a Unix system',
    remedy: compilerRemedy(),
  },
  onnx: {
    start: async () => (await import('./onnx/onnx.ts').catch(notLoaded)).startOnnx(),
    threads: availableParallelism,
    needs:
      'ONNX Runtime, which npm installs on 64-bit Linux with glibc, on 64-bit Windows, and on macOS with Apple silicon',
    remedy: `run ${installLine('onnxruntime-node')}`,
  },
};

interface Choice {
  readonly name: BackendName;
  /** Whether the backend may be used only if it runs on a GPU. */
  readonly onlyGpu: boolean;
}

/**
 * Lists the backends to try. For 'auto', a backend that supports GPUs may be used only on a GPU.
 */
const choicesOf = (wanted: BackendName | 'auto'): readonly Choice[] =>
  wanted === 'auto'
    ? (Object.keys(CANDIDATES) as BackendName[]).map((name) => ({
        name,
        onlyGpu: CANDIDATES[name].gpu !== undefined,
      }))
    : [{ name: wanted, onlyGpu: false }];

/**
 * Names of the backends that 'auto' tries, as text for the host; the preferred backend comes first.
 */
export const autoOrder = (): string[] => choicesOf('auto').map(nameOf);

/** A backend that was tried and does not work on this machine. */
export interface SkippedEngine extends Choice {
  readonly reason: string;
  /** What a host can do to make the backend work. Absent if nothing helps. */
  readonly remedy?: string;
}

export interface Selection {
  readonly backend: Backend;
  /**
   * Backends that are preferred to `backend` but do not work on this machine, the most preferred
   * first.
   */
  readonly skipped: readonly SkippedEngine[];
}

/** Thrown if none of the wanted backends works on this machine. */
export class NoBackendError extends EngineError {
  constructor(readonly skipped: readonly SkippedEngine[]) {
    super('unavailable', skipped.map(explain).join('; '));
  }
}

export function explain(skipped: SkippedEngine): string {
  const { reason, remedy } = skipped;
  return `${nameOf(skipped)}: ${reason}${remedy ? ` (remedy: ${remedy})` : ''}`;
}

/** Returns the skipped backends for which a remedy is known. */
export const withRemedy = (skipped: readonly SkippedEngine[]): SkippedEngine[] =>
  skipped.filter(({ remedy }) => remedy !== undefined);

/**
 * Predicts which backend will be selected, without loading any backend. Returns undefined if no
 * backend is likely to work, or if the choice depends on whether a GPU works.
 */
export function expectedBackend(wanted: BackendName | 'auto', candidates = CANDIDATES) {
  const likely = choicesOf(wanted).find(
    ({ name, onlyGpu }) => candidates[name].unavailableReason?.(onlyGpu) === undefined,
  );
  return likely?.onlyGpu ? undefined : likely?.name;
}

/** Returns the recommended number of threads for a backend on this machine. */
export const threadsFor = (name: BackendName, candidates = CANDIDATES): number =>
  candidates[name].threads?.() ?? 1;

/**
 * Selects a backend with `selectBackend`, and opens a patch store on it. Skips backends that cannot
 * load the models.
 *
 * @throws NoBackendError if no wanted backend works
 * @throws EngineError 'unavailable' if two models have the same name
 */
export async function openStore(wanted: BackendName | 'auto', models: readonly Model[]) {
  checkNames(models);
  let store!: PatchStore;
  const selection = await selectBackend(wanted, async (backend) => {
    store =
      'open' in backend ? await backend.open(models) : await createPatchStore(models, backend);
  });
  return { ...selection, store };
}

/**
 * Starts a backend in this thread: the wanted backend or, for 'auto', the first of `autoOrder` that
 * works on this machine.
 *
 * @param use called with each backend that starts; if `use` throws, the next backend is tried
 * @param options.gpus vendors of this machine's GPUs
 * @throws NoBackendError if no wanted backend works
 */
export async function selectBackend(
  wanted: BackendName | 'auto',
  use: (backend: Backend) => Promise<void> = async () => {},
  { candidates = CANDIDATES, gpus = findGpus() as readonly GpuVendor[] } = {},
): Promise<Selection> {
  const skipped: SkippedEngine[] = [];
  for (const { name, onlyGpu } of choicesOf(wanted)) {
    const { unavailableReason, start, remedy, gpu } = candidates[name];
    const skip = (reason: string, help: string | undefined): void => {
      // If the backend needs a GPU that this machine does not have, installing software does not
      // help, so omit the remedy.
      const helps = !onlyGpu || gpus.some((vendor) => gpu?.vendors.includes(vendor));
      skipped.push({ name, onlyGpu, reason, ...(helps && help !== undefined && { remedy: help }) });
    };
    const reason = unavailableReason?.(onlyGpu);
    if (reason !== undefined) {
      skip(reason, remedy);
      continue;
    }
    try {
      const backend = await start();
      if (!onlyGpu || backend.gpu) {
        await use(backend);
        return { backend, skipped };
      }
      skip(`found no usable GPU, only ${backend.info.device}`, gpu?.remedy);
    } catch (error) {
      skip(reasonOf(error), error instanceof StartError ? error.remedy : remedy);
    }
  }
  throw new NoBackendError(skipped);
}

const nameOf = ({ name, onlyGpu }: Choice): string => (onlyGpu ? `${name} on a GPU` : name);

function reasonOf(error: unknown): string {
  if (error instanceof EngineError) return error.detail;
  const message = error instanceof Error ? error.message : String(error);
  const missing = /^Cannot find (?:module|package) '([^']+)'/.exec(message)?.[1];
  return missing ? `the package ${missing} is not installed` : message.trim().split('\n')[0];
}
