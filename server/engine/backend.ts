/**
 * What computes the steps. Most backends step a batch of states that they are lent, and no more: patches, masks and
 * read-outs are the core's. Those that keep the states in a memory of their own bring a whole store instead.
 */
import type { Model } from '../vnca/checkpoint.ts';
import { checkNames } from './core/checks.ts';
import { createPatchStore, type PatchStore } from './core/patchStore.ts';
import { EngineError, type EngineInfo } from './engine.ts';

export const BACKEND_NAMES = ['webgpu', 'webgpu-f16', 'tensorflow', 'onnx', 'wasm', 'cpu'] as const;
export type BackendName = (typeof BACKEND_NAMES)[number];

/** A batch of patches of one checkpoint and stage. */
export interface Batch {
  readonly count: number;
  /** Side s. */
  readonly stage: number;
  /** [count, s, s, C]; only lent for the call. */
  readonly states: Float32Array;
  /** [count, Z], for rules with a standing input. */
  readonly latents?: Float32Array;
  /** [count, s, s, 1], 1 = the cell takes part, for rules whose cells update by chance. */
  readonly mask?: Float32Array;
}

/** One checkpoint's update net on a backend. */
export interface StepRule {
  /** @returns [count, s, s, C] after one step; the caller's to keep */
  step(batch: Batch): Float32Array | Promise<Float32Array>;
  dispose(): void | Promise<void>;
}

interface BackendFacts {
  readonly info: EngineInfo;
  /** Whether it really runs on a GPU. */
  readonly gpu: boolean;
}

/** Steps batches for the core's store. */
export interface RuleBackend extends BackendFacts {
  /** Cells in the largest batch it should be given: bounds memory, and keeps what it works on in the cache. */
  readonly maxBatchCells: number;
  /**
   * Patches in every batch, short ones padded with zeros; absent: any number. Set where the library chooses its
   * algorithm by the size of the batch, which would let a patch's result depend on its company.
   */
  readonly batchPatches?: number;
  load(model: Model): Promise<StepRule>;
}

/** Owns the states too. */
export interface StoreBackend extends BackendFacts {
  /** @throws EngineError unavailable */
  open(models: readonly Model[]): Promise<PatchStore>;
}

export type Backend = RuleBackend | StoreBackend;

/** Loaded only when wanted: each brings a large library along. */
const STARTERS: Readonly<Record<BackendName, (onlyGpu?: boolean) => Promise<Backend>>> = {
  webgpu: async (onlyGpu) => (await import('./webgpu/webgpu.ts')).startWebgpu(false, onlyGpu),
  'webgpu-f16': async (onlyGpu) => (await import('./webgpu/webgpu.ts')).startWebgpu(true, onlyGpu),
  tensorflow: async () => (await import('./tfjs/tensorflow.ts')).startTensorflow(),
  onnx: async () => (await import('./onnx/onnx.ts')).startOnnx(),
  wasm: async () => (await import('./tfjs/wasm.ts')).startWasm(),
  cpu: async () => (await import('./tfjs/cpu.ts')).startCpu(),
};

/** A real GPU first; TensorFlow's own CPU build is slower than ONNX Runtime, but faster than WebAssembly. */
const AUTO: readonly { readonly name: BackendName; readonly onlyGpu?: boolean }[] = [
  { name: 'webgpu', onlyGpu: true },
  { name: 'tensorflow', onlyGpu: true },
  { name: 'onnx' },
  { name: 'tensorflow' },
  { name: 'wasm' },
  { name: 'cpu' },
];

/**
 * Starts a backend in this thread. 'auto' takes the first that works here, a real GPU before the CPU.
 *
 * @throws EngineError unavailable
 */
export function selectBackend(wanted: BackendName | 'auto'): Promise<Backend> {
  return firstThatWorks(wanted, async (backend) => backend);
}

/**
 * Starts a backend as `selectBackend` does, and a store on it; one that cannot have these models does not work.
 *
 * @throws EngineError unavailable; also when two models have one name
 */
export function openStore(
  wanted: BackendName | 'auto',
  models: readonly Model[],
): Promise<{ info: EngineInfo; store: PatchStore }> {
  checkNames(models);
  return firstThatWorks(wanted, async (backend) => ({
    info: backend.info,
    store: await ('open' in backend ? backend.open(models) : createPatchStore({ models, backend })),
  }));
}

async function firstThatWorks<T>(
  wanted: BackendName | 'auto',
  use: (backend: Backend) => Promise<T>,
): Promise<T> {
  const reasons: string[] = [];
  for (const { name, onlyGpu } of wanted === 'auto' ? AUTO : [{ name: wanted, onlyGpu: false }]) {
    try {
      const backend = await STARTERS[name](onlyGpu);
      if (!onlyGpu || backend.gpu) return await use(backend);
    } catch (error) {
      reasons.push(`${name}: ${reasonOf(error)}`);
    }
  }
  throw new EngineError('unavailable', reasons.join('; '));
}

function reasonOf(error: unknown): string {
  if (error instanceof EngineError) return error.detail;
  return (error instanceof Error ? error.message : String(error)).trim().split('\n')[0];
}
