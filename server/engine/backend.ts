/**
 * The interface of a backend. A `RuleBackend` steps batches of states that `core/patch-store.ts`
 * stores. A `StoreBackend` stores the states in its own memory, such as a GPU's.
 * `choose-backend.ts` lists the backends.
 */
import type { Model } from '../vnca/checkpoint.ts';
import type { EngineInfo, NewPatch, PatchId, PatchStep, Readout } from './engine.ts';

/**
 * Names of all backends, in no particular order. The order of `CANDIDATES` in choose-backend.ts is
 * the order in which 'auto' tries them.
 */
export const BACKEND_NAMES = ['webgpu', 'tensorflow', 'native', 'onnx'] as const;
export type BackendName = (typeof BACKEND_NAMES)[number];

/** Patches that share a checkpoint and a stage, stepped together. */
export interface Batch {
  readonly count: number;
  /** Side s of each patch, in cells. */
  readonly stage: number;
  /**
   * States before the step, [count, s, s, C], or [count, C, s, s] for a planar backend. The array
   * is valid only during the call.
   */
  readonly states: Float32Array;
  /** Receives the states after the step, in the layout of `states`. */
  readonly after: Float32Array;
  /**
   * The result of `StepRule.condition` for each patch's latent, [count, K], or for each genome of a
   * chimera, [genomes, K].
   */
  readonly conditioning?: Float32Array;
  /**
   * Only for a chimera: the weight of each genome for each cell, [genomes, s, s]; see
   * `genomeWeights`. A batch with a chimera contains no other patch.
   */
  readonly weights?: Float32Array;
  /** Which cells to update, [count, s, s, 1]: 1 or 0. Only for rules with stochastic updates. */
  readonly mask?: Float32Array;
}

/**
 * Computes a patch's picture and aliveness from its state.
 *
 * @param state [s, s, C], or [C, s, s] for a planar backend
 * @param rgba [s, s, 4], overwritten
 * @param presence aliveness [s, s], overwritten
 * @returns whether every value of the state is a finite number
 */
export type ReadPatch = (state: Float32Array, rgba: Uint8Array, presence: Uint8Array) => boolean;

/** The update net of one checkpoint, loaded on a backend. */
export interface StepRule {
  /**
   * Computes the conditioning [K] of a latent [Z]: the numbers through which the latent affects
   * each step. Called when a patch is planted, and when a step gives a patch new genomes
   * (`express`). Absent for rules that do not read the latent in every step.
   */
  readonly condition?: (latent: Float32Array) => Float32Array;
  /**
   * Whether `step` supports chimeras. If not, the caller (`core/batch-stepper.ts`) steps a chimera
   * once per genome and averages the results.
   */
  readonly mixes?: boolean;
  /** Steps every patch of the batch once. Writes the new states to `batch.after`. */
  step(batch: Batch): void | Promise<void>;
  /** Optional replacement for the function that `readerOf` creates: faster, with equal results. */
  readonly read?: ReadPatch;
  dispose(): void | Promise<void>;
}

interface BackendBase {
  readonly info: EngineInfo;
  /**
   * Whether the backend runs on a hardware GPU, and not on a driver that emulates a GPU on the CPU.
   */
  readonly gpu: boolean;
}

/** A backend that steps batches of states. `core/patch-store.ts` stores the states. */
export interface RuleBackend extends BackendBase {
  /** Whether states are planar [C, s, s] instead of interleaved [s, s, C]. */
  readonly planar: boolean;
  /**
   * Maximum number of cells in a batch. The limit saves memory and keeps the data of a batch in the
   * CPU's cache.
   */
  readonly maxBatchCells: number;
  /**
   * Fixed number of patches in a batch; smaller batches are padded with zeros. Needed if the
   * library chooses its algorithm by batch size, because a patch's result would otherwise depend on
   * the number of other patches in the batch. If absent, a batch can have any number of patches.
   */
  readonly batchPatches?: number;
  load(model: Model): Promise<StepRule>;
}

/** A backend that stores the states itself, for example in the memory of a GPU. */
export interface StoreBackend extends BackendBase {
  /** Loads models and opens a patch store for them. @throws EngineError unavailable */
  open(models: readonly Model[]): Promise<PatchStore>;
}

export type Backend = RuleBackend | StoreBackend;

/**
 * Thrown if a backend cannot start and the cause is known. The host is then shown this error's
 * remedy. For any other error, the host is shown the remedy in the backend's `Candidate`.
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
   * The result of `StepRule.condition` for each genome, [genomes, K]; undefined for rules without
   * that method.
   */
  readonly conditioning: Float32Array | undefined;
  /**
   * Only for a chimera: index of the genome that each cell of the fully grown patch reads, [S, S].
   */
  readonly labels: Uint8Array | undefined;
  /**
   * Picture after the last step, [s, s, 4]; undefined if the patch has not been stepped since it
   * was planted or imported.
   */
  readonly lastRgba: Uint8Array | undefined;
}

/**
 * Stores patches and steps them. The methods do the same as the methods of `Engine` with the same
 * names, and throw the same errors.
 */
export interface PatchStore {
  /**
   * Whether calls may overlap. If absent, callers must await each call before they make the next.
   */
  readonly pipelined?: boolean;
  plant(patches: readonly NewPatch[]): void | Promise<void>;
  step(steps: readonly PatchStep[]): Promise<Readout[]>;
  exportStates(patches: readonly PatchId[]): Float32Array[] | Promise<Float32Array[]>;
  importStates(states: readonly { patch: PatchId; state: Float32Array }[]): void | Promise<void>;
  dispose(patches: readonly PatchId[]): void | Promise<void>;
  /**
   * Removes patches and returns them, so that `put` can add them to another store with the same
   * checkpoints.
   *
   * @throws EngineError unknown-patch
   */
  take?(patches: readonly PatchId[]): TransferredPatch[];
  /** Adds patches that `take` of another store returned. */
  put?(patches: readonly TransferredPatch[]): void;
  close(): Promise<void>;
}
