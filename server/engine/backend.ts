/**
 * The interface of backends, which compute steps of patches. A `RuleBackend` only computes steps,
 * and `core/patch-store.ts` stores the states. A `StoreBackend` also stores the states, for example
 * in GPU memory.
 */
import type { Model } from '../vnca/checkpoint.ts';
import type { EngineInfo, NewPatch, PatchId, PatchStep, Readout } from './engine.ts';

/**
 * Names of all backends, in no particular order. `CANDIDATES` has the order in which 'auto' tries
 * them.
 */
export const BACKEND_NAMES = ['webgpu', 'tensorflow', 'native', 'onnx'] as const;
export type BackendName = (typeof BACKEND_NAMES)[number];

/** A group of patches with the same checkpoint and stage, which are stepped together. */
export interface Batch {
  readonly count: number;
  /** Side s of each patch, in cells. */
  readonly stage: number;
  /**
   * States before the step: [count, s, s, C], or [count, C, s, s] for a planar backend. The array
   * may be overwritten after the call.
   */
  readonly states: Float32Array;
  /** Receives the states after the step, in the layout of `states`. */
  readonly after: Float32Array;
  /**
   * The K numbers that `StepRule.condition` computes for each patch, [count, K]; for a chimera, the
   * numbers for each of its genomes, [genomes, K].
   */
  readonly conditioning?: Float32Array;
  /**
   * How much each genome contributes to each cell of a chimera (a patch with several genomes),
   * [genomes, s, s]. Absent for other patches. A chimera is always alone in its batch.
   */
  readonly weights?: Float32Array;
  /**
   * 1 for each cell to update, 0 for all other cells, [count, s, s, 1]. Only for rules that update
   * cells at random.
   */
  readonly mask?: Float32Array;
}

/**
 * Computes a patch's picture and aliveness from its state.
 *
 * @param state [s, s, C], or [C, s, s] for a planar backend
 * @param rgba receives the picture, [s, s, 4]
 * @param presence receives the aliveness of each cell, [s, s]
 * @returns whether every value of the state is a finite number
 */
export type ReadPatch = (state: Float32Array, rgba: Uint8Array, presence: Uint8Array) => boolean;

/** The update net of one checkpoint, loaded on a backend. */
export interface StepRule {
  /**
   * Computes the conditioning [K] of a latent [Z]: the numbers through which the latent affects
   * each step. Absent if the rule reads a latent only when a patch is planted.
   */
  readonly condition?: (latent: Float32Array) => Float32Array;
  /**
   * Whether `step` accepts chimeras. If false, the caller steps a chimera once with each genome and
   * averages the results.
   */
  readonly mixes?: boolean;
  /** Computes one step of every patch in the batch. Writes the new states to `batch.after`. */
  step(batch: Batch): void | Promise<void>;
  /** Faster alternative to the reader that `readerOf` creates, with the same results. */
  readonly read?: ReadPatch;
  dispose(): void | Promise<void>;
}

interface BackendBase {
  readonly info: EngineInfo;
  /** Whether the backend runs on a hardware GPU. False if a driver emulates the GPU on the CPU. */
  readonly gpu: boolean;
}

/** A backend that only computes steps. `core/patch-store.ts` stores the states. */
export interface RuleBackend extends BackendBase {
  /** Whether states are planar [C, s, s] instead of interleaved [s, s, C]. */
  readonly planar: boolean;
  /** Maximum number of cells in a batch. */
  readonly maxBatchCells: number;
  /**
   * Number of patches in every batch; smaller batches are padded with patches of zeros. If absent,
   * a batch can have any number of patches. Needed if the library's results depend on the size of
   * the batch.
   */
  readonly batchPatches?: number;
  load(model: Model): Promise<StepRule>;
}

/** A backend that computes steps and stores the states, for example in GPU memory. */
export interface StoreBackend extends BackendBase {
  /** Opens a store for patches of these models. @throws EngineError 'unavailable' */
  open(models: readonly Model[]): Promise<PatchStore>;
}

export type Backend = RuleBackend | StoreBackend;

/** Thrown if a backend cannot start and the cause is known. */
export class StartError extends Error {
  override readonly name = 'StartError';

  constructor(
    message: string,
    /** How a host can fix the cause; absent if nothing helps. */
    readonly remedy?: string,
  ) {
    super(message);
  }
}

/** A patch that is moving from one patch store to another. */
export interface TransferredPatch {
  readonly patch: PatchId;
  readonly checkpoint: string;
  readonly stage: number;
  /** States of the patch, [s, s, C], or [C, s, s] for a planar backend. */
  readonly state: Float32Array;
  /**
   * The K numbers that `StepRule.condition` computes for each genome, [genomes, K]. Undefined if
   * the rule has no `condition`.
   */
  readonly conditioning: Float32Array | undefined;
  /**
   * For each cell of the fully grown patch, [S, S], the index of the genome that the cell reads.
   * Undefined if all cells read the same genome.
   */
  readonly labels: Uint8Array | undefined;
  /**
   * Picture after the last step, [s, s, 4]. Undefined if the patch has not been stepped since it
   * was planted or imported.
   */
  readonly lastRgba: Uint8Array | undefined;
}

/**
 * Stores patches and steps them. A method with the same name as a method of `Engine` does the same
 * and throws the same errors.
 */
export interface PatchStore {
  /**
   * Whether a method may be called before earlier calls have ended. If absent, callers must wait
   * for each call to end before the next call.
   */
  readonly pipelined?: boolean;
  plant(patches: readonly NewPatch[]): void | Promise<void>;
  step(steps: readonly PatchStep[]): Promise<Readout[]>;
  exportStates(patches: readonly PatchId[]): Float32Array[] | Promise<Float32Array[]>;
  importStates(states: readonly { patch: PatchId; state: Float32Array }[]): void | Promise<void>;
  dispose(patches: readonly PatchId[]): void | Promise<void>;
  /**
   * Removes patches from this store and returns them, so that `put` can add them to another store
   * with the same checkpoints.
   *
   * @throws EngineError 'unknown-patch'
   */
  take?(patches: readonly PatchId[]): TransferredPatch[];
  /** Adds patches that another store's `take` returned. */
  put?(patches: readonly TransferredPatch[]): void;
  close(): Promise<void>;
}
