/**
 * What a back end is: it steps batches of states that the core lends it, or it keeps the states in a memory of its own and
 * brings a whole store. `backends.ts` says which back ends there are.
 */
import type { Model } from '../vnca/checkpoint.ts';
import type { EngineInfo, NewPatch, PatchId, PatchStep, Readout } from './engine.ts';

export const BACKEND_NAMES = ['webgpu', 'webgpu-f16', 'tensorflow', 'onnx', 'wasm', 'cpu'] as const;
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
  readonly conditioning?: Float32Array;
  /** [count, s, s, 1], 1 = the cell takes part, for rules whose cells update by chance. */
  readonly mask?: Float32Array;
}

/** One checkpoint's update net on a backend. */
export interface StepRule {
  /** What a latent [Z] says to its patch's cells at every step, worked out once: [K]; absent: nothing. */
  readonly condition?: (latent: Float32Array) => Float32Array;
  /** One step of every patch, into `batch.after`. */
  step(batch: Batch): void | Promise<void>;
  dispose(): void | Promise<void>;
}

interface BackendFacts {
  readonly info: EngineInfo;
  /** Whether it really runs on a GPU. */
  readonly gpu: boolean;
}

/** Steps batches for the core's store. */
export interface RuleBackend extends BackendFacts {
  /** Whether it keeps each channel of a patch as a plane, [C, s, s]; else the channels of a cell lie together. */
  readonly planar: boolean;
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
  /**
   * @param onLoss hears why, each time that its device is lost and another sought
   * @param mostLosses within a minute that it gets over by itself; absent: the keeper's own measure
   * @throws EngineError unavailable
   */
  open(
    models: readonly Model[],
    onLoss?: (why: string) => void,
    mostLosses?: number,
  ): Promise<PatchStore>;
}

export type Backend = RuleBackend | StoreBackend;

/** A patch on its way from one store to another. */
export interface TransferredPatch {
  readonly patch: PatchId;
  readonly checkpoint: string;
  readonly stage: number;
  /** [s, s, C] or as the backend lays states out. */
  readonly state: Float32Array;
  /** [K], what `express` made of its latent; absent where the rule does not listen to it. */
  readonly conditioning: Float32Array | undefined;
  /** [s, s, 4] of the last step; absent before the first, after a division and after an import. */
  readonly lastRgba: Uint8Array | undefined;
}

/** See `Engine` for what each call does and throws. */
export interface PatchStore {
  /** Whether calls may be made before earlier ones are answered. Absent: each must be awaited before the next. */
  readonly pipelined?: boolean;
  plant(patches: readonly NewPatch[]): void | Promise<void>;
  step(steps: readonly PatchStep[]): Promise<Readout[]>;
  exportStates(patches: readonly PatchId[]): Float32Array[] | Promise<Float32Array[]>;
  importStates(states: readonly { patch: PatchId; state: Float32Array }[]): void | Promise<void>;
  dispose(patches: readonly PatchId[]): void | Promise<void>;
  /** Gives patches away, for another store with the same checkpoints. @throws EngineError unknown-patch */
  take?(patches: readonly PatchId[]): TransferredPatch[];
  /** Takes over what another store gave away. */
  put?(patches: readonly TransferredPatch[]): void;
  close(): Promise<void>;
}
