/**
 * The backend contract. A `RuleBackend` steps batches of states that the core keeps; a
 * `StoreBackend` keeps the states in its own memory. `backends.ts` lists the backends.
 */
import type { Model } from '../vnca/checkpoint.ts';
import type { EngineInfo, NewPatch, PatchId, PatchStep, Readout } from './engine.ts';

/** Best first: 'auto' tries them in this order. */
export const BACKEND_NAMES = ['webgpu', 'tensorflow', 'native', 'onnx'] as const;
/** One of `BACKEND_NAMES`. */
export type BackendName = (typeof BACKEND_NAMES)[number];

/** A batch of patches of one checkpoint and stage. */
export interface Batch {
  readonly count: number;
  /** Side s. */
  readonly stage: number;
  /** [count, s, s, C], or [count, C, s, s] for a planar backend; valid only during the call. */
  readonly states: Float32Array;
  /** Receives the states after the step, laid out as `states`. */
  readonly after: Float32Array;
  /** [count, K], the result of `condition` for each patch's latent. */
  readonly conditioning?: Float32Array;
  /** [count, s, s, 1], 1 = the cell is updated, for rules with stochastic updates. */
  readonly mask?: Float32Array;
}

/**
 * Reads a patch out.
 *
 * @param state [s, s, C], or [C, s, s] for a planar backend
 * @param rgba [s, s, 4], overwritten
 * @param presence [s, s], overwritten
 * @returns whether every value of the state is a finite number
 */
export type ReadPatch = (state: Float32Array, rgba: Uint8Array, presence: Uint8Array) => boolean;

/** One checkpoint's update net on a backend. */
export interface StepRule {
  /**
   * Computes from a latent [Z] the patch's conditioning [K], once, when the patch is planted.
   * Absent for rules that do not read the latent in every step.
   */
  readonly condition?: (latent: Float32Array) => Float32Array;
  /** Steps every patch of the batch once, into `batch.after`. */
  step(batch: Batch): void | Promise<void>;
  /** Reads patches out as `readerOf` does, faster; absent: it cannot. */
  readonly read?: ReadPatch;
  dispose(): void | Promise<void>;
}

interface BackendBase {
  readonly info: EngineInfo;
  /** Whether it runs on a GPU, not on a driver that emulates one. */
  readonly gpu: boolean;
}

/** Steps batches for the core's store. */
export interface RuleBackend extends BackendBase {
  /** Whether states are planar, [C, s, s], instead of interleaved, [s, s, C]. */
  readonly planar: boolean;
  /** Cells in the largest batch: limits memory, and keeps the working set in the CPU's cache. */
  readonly maxBatchCells: number;
  /**
   * Patches in every batch, padded with zeros; absent: any number. Set where the library chooses
   * its algorithm by batch size, which would make a patch's result depend on the others in the
   * batch.
   */
  readonly batchPatches?: number;
  load(model: Model): Promise<StepRule>;
}

/** Keeps the states as well. */
export interface StoreBackend extends BackendBase {
  /** Opens a store. @throws EngineError unavailable */
  open(models: readonly Model[]): Promise<PatchStore>;
}

/** Either kind of backend. */
export type Backend = RuleBackend | StoreBackend;

/** Why a backend does not start, where something else helps than against its other errors. */
export class StartError extends Error {
  override readonly name = 'StartError';

  constructor(
    message: string,
    /** What a host can do; absent: nothing helps. */
    readonly remedy?: string,
  ) {
    super(message);
  }
}

/** A patch in transfer between two stores. */
export interface TransferredPatch {
  readonly patch: PatchId;
  readonly checkpoint: string;
  readonly stage: number;
  /** [s, s, C], or [C, s, s] for a planar backend. */
  readonly state: Float32Array;
  /** [K], the result of `StepRule.condition`, for rules that have it. */
  readonly conditioning: Float32Array | undefined;
  /** [s, s, 4] of the last step; absent before the first, after a division and after an import. */
  readonly lastRgba: Uint8Array | undefined;
}

/** Stores patches and steps them. `Engine` documents what each call does and throws. */
export interface PatchStore {
  /** Whether calls may overlap. Absent: each must be awaited before the next. */
  readonly pipelined?: boolean;
  plant(patches: readonly NewPatch[]): void | Promise<void>;
  step(steps: readonly PatchStep[]): Promise<Readout[]>;
  exportStates(patches: readonly PatchId[]): Float32Array[] | Promise<Float32Array[]>;
  importStates(states: readonly { patch: PatchId; state: Float32Array }[]): void | Promise<void>;
  dispose(patches: readonly PatchId[]): void | Promise<void>;
  /**
   * Removes patches, for another store with the same checkpoints.
   *
   * @throws EngineError unknown-patch
   */
  take?(patches: readonly PatchId[]): TransferredPatch[];
  /** Adds patches that another store's `take` has returned. */
  put?(patches: readonly TransferredPatch[]): void;
  close(): Promise<void>;
}
