/**
 * The interface of a backend, which computes steps of patches. There are two kinds. A `RuleBackend`
 * only computes steps; `core/patch-store.ts` stores the states and passes them to it in batches. A
 * `StoreBackend` also stores the states, for example in GPU memory. `choose-backend.ts` lists the
 * backends.
 */
import type { Model } from '../vnca/checkpoint.ts';
import type { EngineInfo, NewPatch, PatchId, PatchStep, Readout } from './engine.ts';

/**
 * Names of all backends, in no particular order. For the order in which 'auto' tries them, see
 * `CANDIDATES` in choose-backend.ts.
 */
export const BACKEND_NAMES = ['webgpu', 'tensorflow', 'native', 'onnx'] as const;
export type BackendName = (typeof BACKEND_NAMES)[number];

/** Patches that share a checkpoint and a stage, stepped together. */
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
   * Results of `StepRule.condition`: one for each patch's latent, [count, K], or, if the patch is a
   * chimera, one for each of its genomes, [genomes, K].
   */
  readonly conditioning?: Float32Array;
  /**
   * Only if the patch is a chimera: how much each genome contributes to each cell, [genomes, s, s];
   * see `genomeWeights`. A chimera is always alone in its batch.
   */
  readonly weights?: Float32Array;
  /**
   * Mask of the cells to update (1) and not to update (0), [count, s, s, 1]. Only for rules that
   * update cells at random.
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
   * each step. Called when a patch is planted, and when a step gives the patch new genomes
   * (`express`). Absent if the rule reads a latent only when the patch is planted, and not in every
   * step.
   */
  readonly condition?: (latent: Float32Array) => Float32Array;
  /**
   * Whether `step` accepts chimeras. If false, the caller (`core/batch-stepper.ts`) steps a chimera
   * once with each genome and averages the results.
   */
  readonly mixes?: boolean;
  /** Computes one step of every patch in the batch. Writes the new states to `batch.after`. */
  step(batch: Batch): void | Promise<void>;
  /**
   * Optional reader of patches, used instead of the one that `readerOf` creates. It must give the
   * same results, only faster.
   */
  readonly read?: ReadPatch;
  dispose(): void | Promise<void>;
}

interface BackendBase {
  readonly info: EngineInfo;
  /**
   * Whether the backend runs on a hardware GPU. False on a driver that emulates a GPU on the CPU,
   * and for backends that use the CPU directly.
   */
  readonly gpu: boolean;
}

/**
 * A backend that only computes steps, of one batch of states at a time. The states are stored in
 * `core/patch-store.ts`.
 */
export interface RuleBackend extends BackendBase {
  /** Whether states are planar [C, s, s] instead of interleaved [s, s, C]. */
  readonly planar: boolean;
  /**
   * Maximum number of cells in a batch. A limit saves memory, and keeps the data of a batch small
   * enough for the CPU's cache.
   */
  readonly maxBatchCells: number;
  /**
   * Number of patches in every batch; batches with fewer patches are filled up with patches of
   * zeros. Needed if the library chooses its algorithm by the size of the batch: without a fixed
   * size, a patch's result would depend on how many other patches are in the batch. If absent, a
   * batch can have any number of patches.
   */
  readonly batchPatches?: number;
  load(model: Model): Promise<StepRule>;
}

/** A backend that also stores the states, for example in the memory of a GPU. */
export interface StoreBackend extends BackendBase {
  /**
   * Loads the models, and opens a patch store for patches of these models. @throws EngineError
   * 'unavailable'
   */
  open(models: readonly Model[]): Promise<PatchStore>;
}

export type Backend = RuleBackend | StoreBackend;

/**
 * Thrown if a backend cannot start and the cause is known. The host then sees this error's
 * `remedy`. If another kind of error is thrown, the host sees the general remedy in the backend's
 * `Candidate`.
 */
export class StartError extends Error {
  override readonly name = 'StartError';

  constructor(
    message: string,
    /** How a host can fix the cause. If absent, there is no remedy. */
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
   * Results of `StepRule.condition`, one per genome, [genomes, K]; undefined if the rule has no
   * method `condition`.
   */
  readonly conditioning: Float32Array | undefined;
  /**
   * Only if the patch is a chimera: for each cell of the fully grown patch, the index of the genome
   * that the cell reads, [S, S].
   */
  readonly labels: Uint8Array | undefined;
  /**
   * Picture after the last step, [s, s, 4]. Undefined if the patch was planted or imported and has
   * not been stepped since.
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
   * for the end of each call before they make the next.
   */
  readonly pipelined?: boolean;
  plant(patches: readonly NewPatch[]): void | Promise<void>;
  step(steps: readonly PatchStep[]): Promise<Readout[]>;
  exportStates(patches: readonly PatchId[]): Float32Array[] | Promise<Float32Array[]>;
  importStates(states: readonly { patch: PatchId; state: Float32Array }[]): void | Promise<void>;
  dispose(patches: readonly PatchId[]): void | Promise<void>;
  /**
   * Removes patches from this store and returns them. The caller can then add them, with `put`, to
   * another store that has loaded the same checkpoints.
   *
   * @throws EngineError 'unknown-patch'
   */
  take?(patches: readonly PatchId[]): TransferredPatch[];
  /** Adds patches that `take` of another store returned. */
  put?(patches: readonly TransferredPatch[]): void;
  close(): Promise<void>;
}
