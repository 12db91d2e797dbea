/**
 * The engine contract. An engine steps batches of patches; it knows tensors and knows nothing of
 * rooms.
 *
 * The caller chooses patch ids. Calls take effect in the order they are made, so a step sees every
 * plant before it. States stay inside the engine; it returns read-outs, and states only on request.
 */

/** Identifies a patch in an engine; unique while the patch exists. */
export type PatchId = number;

/** What an engine is and runs on. */
export interface EngineInfo {
  /** 'native' | 'onnx' | … */
  readonly name: string;
  /** The device it runs on, for people, e.g. 'CPU (ONNX Runtime)'. */
  readonly device: string;
}

/** A patch to plant. */
export interface NewPatch {
  readonly patch: PatchId;
  /** Name of a loaded checkpoint. */
  readonly checkpoint: string;
  /**
   * [Z]. Fills every cell of the checkpoint's first stage. A rule with a standing input ("every
   * cell carries the genome") also reads it in every step, as the patch's conditioning.
   */
  readonly latent: Float32Array;
}

/** A step of one patch. */
export interface PatchStep {
  readonly patch: PatchId;
  /** Every cell divides into 2×2 before the step. */
  readonly divide: boolean;
  /** [s, s] of the stage after division, 0 = the cell's state is set to zero before the step. */
  readonly keep?: Uint8Array;
  /** [s, s] of the stage after division, not 0 = the cell is zero before and after the step. */
  readonly closed?: Uint8Array;
  /**
   * [Z]. The latent that a rule with a standing input reads from this step on, instead of the one
   * it has read so far. States stay as they are. It has no effect on other rules.
   */
  readonly express?: Float32Array;
}

/**
 * What a patch shows after a step. The pictures of one step share a buffer: copy one that is kept
 * for long.
 */
export interface Readout {
  readonly patch: PatchId;
  /** Side s of the patch after the step. */
  readonly stage: number;
  /** [s, s, 4] premultiplied RGBA, 0…255. */
  readonly rgba: Uint8Array;
  /** Aliveness of each cell, [s, s], 0…255. */
  readonly presence: Uint8Array;
  /**
   * Largest change of a value of `rgba` since the last step, 0…255; 255 if there is none to compare
   * with.
   */
  readonly change: number;
  /**
   * Set if a value of the state is not a finite number: the rule has diverged. `rgba` and
   * `presence` are then all 0 and `change` is 255. Other patches of the batch are not affected.
   */
  readonly broken?: true;
}

/** Grows and steps patches. */
export interface Engine {
  readonly info: EngineInfo;
  /**
   * Adds patches: all of them, or none if it throws.
   *
   * @throws EngineError unknown-checkpoint, duplicate-patch, bad-latent, out-of-memory
   */
  plant(patches: readonly NewPatch[]): Promise<void>;
  /**
   * Steps each patch once: divide, mask, step, read out. A patch's result is the same, bit for bit,
   * whatever else is in the batch. If it throws, no patch was stepped.
   *
   * @returns read-outs in the order of `steps`
   * @throws EngineError unknown-patch, bad-mask, bad-latent, duplicate-patch (two steps of one
   *   patch), bad-state (a fully grown patch cannot divide)
   */
  step(steps: readonly PatchStep[]): Promise<Readout[]>;
  /**
   * Copies of states, [s, s, C] float32, in the order of `patches`.
   *
   * @throws EngineError unknown-patch
   */
  exportStates(patches: readonly PatchId[]): Promise<Float32Array[]>;
  /** Replaces states, [s, s, C] of any stage. @throws EngineError unknown-patch, bad-state */
  importStates(states: readonly { patch: PatchId; state: Float32Array }[]): Promise<void>;
  /** Removes patches; unknown ids are ignored. */
  dispose(patches: readonly PatchId[]): Promise<void>;
  /** Frees everything. Later calls fail with `closed`. */
  close(): Promise<void>;
}

/** A loss that the engine has recovered from. Rooms do not notice it, but a host should know. */
export interface EngineLoss {
  readonly what: 'thread' | 'gpu';
  /** The cause, if known. */
  readonly why: string;
  /** Losses of this kind so far, including this one. */
  readonly count: number;
  /** The engine that steps from now on, if the lost one was not restarted. */
  readonly replacement?: EngineInfo;
}

/** Why an engine call fails. */
export type EngineReason =
  | 'unavailable'
  | 'closed'
  | 'failed'
  | 'gpu-lost'
  | 'unknown-checkpoint'
  | 'unknown-patch'
  | 'duplicate-patch'
  | 'out-of-memory'
  | 'bad-latent'
  | 'bad-mask'
  | 'bad-state';

/** An engine call has failed, for one of `EngineReason`. */
export class EngineError extends Error {
  override readonly name = 'EngineError';

  constructor(
    readonly reason: EngineReason,
    readonly detail = '',
  ) {
    super(detail ? `engine: ${reason}: ${detail}` : `engine: ${reason}`);
  }
}
