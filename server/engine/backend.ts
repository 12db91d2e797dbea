/**
 * The backend contract. A `RuleBackend` steps batches of states that the core stores; a
 * `StoreBackend` stores the states in its own memory. `choose-backend.ts` lists the backends.
 */
import type { Model } from '../vnca/checkpoint.ts';
import type { EngineInfo, NewPatch, PatchId, PatchStep, Readout } from './engine.ts';

/**
 * Names of all backends. `CANDIDATES` in choose-backend.ts has the order in which `auto` tries
 * them.
 */
export const BACKEND_NAMES = ['webgpu', 'tensorflow', 'native', 'onnx'] as const;
export type BackendName = (typeof BACKEND_NAMES)[number];

/** Patches that share a checkpoint and a stage, stepped together. */
export interface Batch {
  readonly count: number;
  /** Side s of each patch, in cells. */
  readonly stage: number;
  /** [count, s, s, C], or [count, C, s, s] for a planar backend. Valid only during the call. */
  readonly states: Float32Array;
  /** Receives the states after the step, in the layout of `states`. */
  readonly after: Float32Array;
  /**
   * [count, K], the result of `StepRule.condition` for each patch's latent; for a chimera,
   * [genomes, K].
   */
  readonly conditioning?: Float32Array;
  /**
   * [genomes, s, s] For a chimera, how much each genome counts for each cell (`genomeWeights`). A
   * chimera is alone in its batch.
   */
  readonly weights?: Float32Array;
  /** [count, s, s, 1], 1 = update this cell. Only for rules with stochastic updates. */
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
   * Computes a patch's conditioning [K] from its latent [Z]: when the patch is planted, and when a
   * step changes the latent (`express`). Absent for rules that do not read the latent in every
   * step.
   */
  readonly condition?: (latent: Float32Array) => Float32Array;
  /** Whether `step` steps chimeras. If not, the core steps them with each genome and mixes. */
  readonly mixes?: boolean;
  /** Steps every patch of the batch once, into `batch.after`. */
  step(batch: Batch): void | Promise<void>;
  /** Reads out faster than the function that `readerOf` creates, with equal results. Optional. */
  readonly read?: ReadPatch;
  dispose(): void | Promise<void>;
}

interface BackendBase {
  readonly info: EngineInfo;
  /** Whether the backend runs on a real GPU, not on a driver that emulates one. */
  readonly gpu: boolean;
}

/** A backend that steps batches for the core's store. */
export interface RuleBackend extends BackendBase {
  /** Whether states are planar [C, s, s] instead of interleaved [s, s, C]. */
  readonly planar: boolean;
  /**
   * Maximum number of cells in a batch. Limits memory use and keeps the data of a batch in the
   * CPU's cache.
   */
  readonly maxBatchCells: number;
  /**
   * Fixed number of patches in a batch; smaller batches are padded with zeros. If absent, a batch
   * can have any number of patches. Needed if the library chooses its algorithm by batch size,
   * because a patch's result would otherwise depend on the number of other patches in the batch.
   */
  readonly batchPatches?: number;
  load(model: Model): Promise<StepRule>;
}

/** A backend that stores the states itself. */
export interface StoreBackend extends BackendBase {
  /** @throws EngineError unavailable */
  open(models: readonly Model[]): Promise<PatchStore>;
}

export type Backend = RuleBackend | StoreBackend;

/**
 * Thrown if a backend cannot start, with a remedy for this cause. For any other error, the remedy
 * in the backend's `Candidate` is reported.
 */
export class StartError extends Error {
  override readonly name = 'StartError';

  constructor(
    message: string,
    /** How a host can fix the cause. If absent, nothing helps. */
    readonly remedy?: string,
  ) {
    super(message);
  }
}

/** A patch on its way from one store to another. */
export interface TransferredPatch {
  readonly patch: PatchId;
  readonly checkpoint: string;
  readonly stage: number;
  /** [s, s, C], or [C, s, s] for a planar backend. */
  readonly state: Float32Array;
  /**
   * [genomes, K], the result of `StepRule.condition` for each genome; undefined for rules without
   * that method.
   */
  readonly conditioning: Float32Array | undefined;
  /** [S, S] For a chimera, the genome that each cell reads. */
  readonly labels: Uint8Array | undefined;
  /**
   * Picture [s, s, 4] after the last step; undefined before the first step, after a division and
   * after an import.
   */
  readonly lastRgba: Uint8Array | undefined;
}

/** Stores patches and steps them. `Engine` documents what each call does and throws. */
export interface PatchStore {
  /** Whether calls may overlap. If absent, each call must be awaited before the next. */
  readonly pipelined?: boolean;
  plant(patches: readonly NewPatch[]): void | Promise<void>;
  step(steps: readonly PatchStep[]): Promise<Readout[]>;
  exportStates(patches: readonly PatchId[]): Float32Array[] | Promise<Float32Array[]>;
  importStates(states: readonly { patch: PatchId; state: Float32Array }[]): void | Promise<void>;
  dispose(patches: readonly PatchId[]): void | Promise<void>;
  /**
   * Removes patches and returns them for another store with the same checkpoints.
   *
   * @throws EngineError unknown-patch
   */
  take?(patches: readonly PatchId[]): TransferredPatch[];
  /** Adds patches that the `take` of another store returned. */
  put?(patches: readonly TransferredPatch[]): void;
  close(): Promise<void>;
}
