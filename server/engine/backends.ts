/** Which back ends there are, which of them works on this machine, and a store on it. */
import { availableParallelism } from 'node:os';
import type { Model } from '../vnca/checkpoint.ts';
import type { Backend, BackendName, PatchStore } from './backend.ts';
import { checkNames } from './core/checks.ts';
import { createPatchStore } from './core/patch-store.ts';
import { EngineError } from './engine.ts';
import { findGpus, GPU_VENDORS, type GpuVendor } from './hardware.ts';
import { missingNativePart } from './tfjs/native-part.ts';
import { mayHaveGpu } from './webgpu/device.ts';

/** What can be started, and what a host must know of it. One row is all that a new backend needs here. */
export interface Candidate {
  /**
   * Why it cannot start here, where that is told without loading what it needs.
   *
   * @param onlyGpu a CPU would not be taken
   */
  readonly unavailableReason?: (onlyGpu: boolean) => string | undefined;
  /**
   * Loaded only when wanted: each brings a large library along.
   *
   * @throws Error it does not start, and why
   */
  readonly start: () => Promise<Backend>;
  /** Threads that make best use of the machine, each with a store of its own; absent: one. */
  readonly threads?: () => number;
  /** What it needs, for people. */
  readonly needs: string;
  /** What a host can do where it does not start. */
  readonly remedy: string;
  /** GPUs that it can use, and what a host can do where it starts without one of them. */
  readonly gpu?: { readonly vendors: readonly GpuVendor[]; readonly remedy: string };
}

export type Candidates = Readonly<Record<BackendName, Candidate>>;

const noGpu = (onlyGpu: boolean): string | undefined =>
  onlyGpu && !mayHaveGpu() ? 'there is no GPU' : undefined;

export const CANDIDATES: Candidates = {
  webgpu: {
    unavailableReason: noGpu,
    start: async () => (await import('./webgpu/webgpu.ts')).startWebgpu(false),
    needs: 'a GPU with a Vulkan, Metal or Direct3D 12 driver',
    remedy: 'npm ci, and a Vulkan driver for the GPU',
    gpu: { vendors: GPU_VENDORS, remedy: 'install a Vulkan driver for the GPU' },
  },
  'webgpu-f16': {
    unavailableReason: noGpu,
    start: async () => (await import('./webgpu/webgpu.ts')).startWebgpu(true),
    needs: 'as webgpu, and a GPU that computes with 16-bit floats',
    remedy: '--engine webgpu',
    gpu: { vendors: GPU_VENDORS, remedy: 'install a Vulkan driver for the GPU' },
  },
  tensorflow: {
    unavailableReason: missingNativePart,
    start: async () => (await import('./tfjs/tensorflow.ts')).startTensorflow(),
    needs: 'tfjs-node-gpu or tfjs-node with its native part; for a GPU also NVIDIA, CUDA and cuDNN',
    remedy: 'npm run install:tensorflow, or npm run build:tensorflow',
    gpu: {
      vendors: ['nvidia'],
      remedy: 'install the CUDA and cuDNN that its native part was built for (README, Settings)',
    },
  },
  onnx: {
    start: async () => (await import('./onnx/onnx.ts')).startOnnx(),
    threads: availableParallelism,
    needs: 'ONNX Runtime, which npm ci brings for Linux (glibc), macOS and Windows',
    remedy: 'npm ci',
  },
  wasm: {
    start: async () => (await import('./tfjs/wasm.ts')).startWasm(),
    needs: 'nothing but Node',
    remedy: 'npm ci',
  },
  cpu: {
    start: async () => (await import('./tfjs/cpu.ts')).startCpu(),
    needs: 'nothing but Node',
    remedy: 'npm ci',
  },
};

interface Choice {
  readonly name: BackendName;
  /** Taken only where it runs on a real GPU. */
  readonly onlyGpu?: boolean;
}

/** A real GPU first; TensorFlow's own CPU build is slower than ONNX Runtime, but faster than WebAssembly. */
const AUTO: readonly Choice[] = [
  { name: 'webgpu', onlyGpu: true },
  { name: 'tensorflow', onlyGpu: true },
  { name: 'onnx' },
  { name: 'tensorflow' },
  { name: 'wasm' },
  { name: 'cpu' },
];

/** What 'auto' goes on with where a GPU does not come back, the best first. */
export const fallbacksFor = (lost: BackendName): readonly BackendName[] =>
  AUTO.flatMap(({ name, onlyGpu }) => (onlyGpu || name === lost ? [] : [name]));

/** What 'auto' tries, the best first, for people. */
export const autoOrder = (): string[] => AUTO.map(nameOf);

/** A choice that was not taken. */
export interface SkippedEngine {
  readonly name: BackendName;
  /** Whether only a GPU of its was wanted. */
  readonly onlyGpu: boolean;
  /** Why, in one line. */
  readonly reason: string;
  /** What a host can do about it; absent where nothing helps, as where there is no such GPU. */
  readonly remedy?: string;
}

export interface Selection {
  readonly backend: Backend;
  /** What would have come before it, in that order. */
  readonly skipped: readonly SkippedEngine[];
  /** Whether libraries were loaded in vain: they stay in the memory of this thread. */
  readonly hasUnusedLibraries: boolean;
}

/** Nothing that was wanted works here. */
export class NoBackendError extends EngineError {
  constructor(readonly skipped: readonly SkippedEngine[]) {
    super('unavailable', skipped.map(explain).join('; '));
  }
}

/** What was passed over and why, in one line. */
export function explain(passed: SkippedEngine): string {
  const { reason, remedy } = passed;
  return `${nameOf(passed)}: ${reason}${remedy ? ` (to mend it: ${remedy})` : ''}`;
}

/** Those better ones that a host can have here. */
export const withRemedy = (passed: readonly SkippedEngine[]): SkippedEngine[] =>
  passed.filter(({ remedy }) => remedy !== undefined);

/** What selection looks at; given by tests. */
export interface HostEnvironment {
  readonly candidates?: Candidates;
  /** GPUs that are built into this machine, whether or not anything can use them. */
  readonly gpus?: readonly GpuVendor[];
}

/**
 * Starts a backend in this thread. 'auto' takes the first of `autoOrder` that works here.
 *
 * @throws NoBackendError
 */
export async function selectBackend(
  wanted: BackendName | 'auto',
  surroundings: HostEnvironment = {},
): Promise<Selection> {
  const { used: backend, ...rest } = await firstThatWorks(
    wanted,
    async (started) => started,
    surroundings,
  );
  return { backend, ...rest };
}

/** As many threads as will be of use here, as far as can be told before anything is loaded; one, where that is not sure. */
export function expectedThreads(wanted: BackendName | 'auto', candidates = CANDIDATES): number {
  const likely = choicesOf(wanted).find(
    ({ name, onlyGpu = false }) => candidates[name].unavailableReason?.(onlyGpu) === undefined,
  );
  return !likely || likely.onlyGpu ? 1 : threadsFor(likely.name, candidates);
}

/** Threads that make best use of the machine. */
export const threadsFor = (name: BackendName, candidates = CANDIDATES): number =>
  candidates[name].threads?.() ?? 1;

const choicesOf = (wanted: BackendName | 'auto'): readonly Choice[] =>
  wanted === 'auto' ? AUTO : [{ name: wanted }];

/** A store, on the backend that it runs on. */
export interface OpenStore {
  readonly backend: Backend;
  readonly store: PatchStore;
  readonly skipped: readonly SkippedEngine[];
  /** As `Selection.inVain`. */
  readonly hasUnusedLibraries: boolean;
}

/**
 * Starts a backend as `selectBackend` does, and a store on it; one that cannot have these models does not work.
 *
 * @param onLoss as `StoreBackend.open`, and `mostLosses` too
 * @throws NoBackendError; EngineError unavailable: two models have one name
 */
export async function openStore(
  wanted: BackendName | 'auto',
  models: readonly Model[],
  onLoss?: (why: string) => void,
  mostLosses?: number,
): Promise<OpenStore> {
  checkNames(models);
  const { used, ...rest } = await firstThatWorks(wanted, async (backend) => ({
    backend,
    store: await ('open' in backend
      ? backend.open(models, onLoss, mostLosses)
      : createPatchStore({ models, backend })),
  }));
  return { ...used, ...rest };
}

async function firstThatWorks<T>(
  wanted: BackendName | 'auto',
  use: (backend: Backend) => Promise<T>,
  { candidates = CANDIDATES, gpus = findGpus() }: HostEnvironment = {},
): Promise<Omit<Selection, 'backend'> & { readonly used: T }> {
  const passed: SkippedEngine[] = [];
  let inVain = false;
  for (const { name, onlyGpu = false } of choicesOf(wanted)) {
    const { unavailableReason: absent, start, remedy, gpu } = candidates[name];
    const pass = (reason: string, help: string | undefined): void => {
      // Where there is no such GPU, whatever a host installs would be in vain.
      const helps = !onlyGpu || gpus.some((vendor) => gpu?.vendors.includes(vendor));
      passed.push({ name, onlyGpu, reason, ...(helps && help !== undefined && { remedy: help }) });
    };
    const why = absent?.(onlyGpu);
    if (why !== undefined) {
      pass(why, remedy);
      continue;
    }
    try {
      const backend = await start();
      if (!onlyGpu || backend.gpu)
        return { used: await use(backend), skipped: passed, hasUnusedLibraries: inVain };
      pass(`no GPU that it can use, only ${backend.info.device}`, gpu?.remedy);
    } catch (error) {
      pass(reasonOf(error), remedy);
    }
    inVain = true;
  }
  throw new NoBackendError(passed);
}

const nameOf = ({ name, onlyGpu }: Choice): string => (onlyGpu ? `${name} on a GPU` : name);

function reasonOf(error: unknown): string {
  if (error instanceof EngineError) return error.detail;
  const message = error instanceof Error ? error.message : String(error);
  const missing = /^Cannot find (?:module|package) '([^']+)'/.exec(message)?.[1];
  return missing ? `${missing} is not installed` : message.trim().split('\n')[0];
}
