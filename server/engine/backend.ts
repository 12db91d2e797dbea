/**
 * What computes the steps. Most backends step a batch of states that they are lent, and no more: patches, masks and
 * read-outs are the core's. Those that keep the states in a memory of their own bring a whole store instead.
 */
import type { Model } from '../vnca/checkpoint.ts';
import { createPatchStore, type PatchStore } from './core/patchStore.ts';
import { EngineError, type EngineInfo } from './engine.ts';

export const BACKEND_NAMES = ['tensorflow', 'onnx', 'wasm', 'cpu'] as const;
export type BackendName = (typeof BACKEND_NAMES)[number];

/** A batch of patches of one checkpoint and stage. */
export interface Batch {
  readonly count: number;
  /** Side s. */
  readonly stage: number;
  /** [count, s, s, C], or [count, C, s, s] of a planar backend; only lent for the call. */
  readonly states: Float32Array;
  /** The states after the step are written here. */
  readonly after: Float32Array;
  /** [count, K], what `express` made of each patch's latent. */
  readonly standing?: Float32Array;
  /** [count, s, s, 1], 1 = the cell takes part, for rules whose cells update by chance. */
  readonly mask?: Float32Array;
}

/** One checkpoint's update net on a backend. */
export interface StepRule {
  /** What a latent [Z] says to its patch's cells at every step, worked out once: [K]; absent: nothing. */
  readonly express?: (latent: Float32Array) => Float32Array;
  /** One step of every patch, into `batch.after`. */
  step(batch: Batch): void | Promise<void>;
  dispose(): void | Promise<void>;
}

interface BackendFacts {
  readonly info: EngineInfo;
  /** Whether it keeps each channel of a patch as a plane, [C, s, s]; else the channels of a cell lie together. */
  readonly planar: boolean;
  /** Whether it really runs on a GPU. */
  readonly gpu: boolean;
}

/** Steps batches for the core's store. */
export interface RuleBackend extends BackendFacts {
  /** Threads that make best use of the machine, each with a store of its own. */
  readonly lanes: number;
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

/** The store of a backend. @throws EngineError unavailable: it cannot have it, or two models have one name */
export function openStore(backend: Backend, models: readonly Model[]): Promise<PatchStore> {
  return 'open' in backend ? backend.open(models) : createPatchStore({ models, backend });
}

/** Loaded only when wanted: each brings a large library along. */
const STARTERS: Readonly<Record<BackendName, () => Promise<Backend>>> = {
  tensorflow: async () => (await import('./tfjs/tensorflow.ts')).startTensorflow(),
  onnx: async () => (await import('./onnx/onnx.ts')).startOnnx(),
  wasm: async () => (await import('./tfjs/wasm.ts')).startWasm(),
  cpu: async () => (await import('./tfjs/cpu.ts')).startCpu(),
};

/** A real GPU first; TensorFlow's own CPU build is slower than ONNX Runtime, but faster than WebAssembly. */
const AUTO: readonly { readonly name: BackendName; readonly onlyGpu?: boolean }[] = [
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
export async function selectBackend(wanted: BackendName | 'auto'): Promise<Backend> {
  const reasons: string[] = [];
  for (const { name, onlyGpu } of wanted === 'auto' ? AUTO : [{ name: wanted, onlyGpu: false }]) {
    try {
      const backend = await STARTERS[name]();
      if (!onlyGpu || backend.gpu) return backend;
    } catch (error) {
      reasons.push(`${name}: ${firstLine(error)}`);
    }
  }
  throw new EngineError('unavailable', reasons.join('; '));
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).trim().split('\n')[0];
}
