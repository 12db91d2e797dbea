/**
 * The engine seam. An engine steps batches of patches; it knows tensors and knows nothing of rooms.
 *
 * Patches are named by whoever plants them. Calls take effect in the order they are made, so a step sees
 * every plant before it. States stay inside the engine; read-outs come out, and states only on request.
 */

/** Names a patch in an engine; unique while the patch lives. */
export type PatchId = number;

export interface EngineInfo {
  /** 'tensorflow' | 'wasm' | … */
  readonly name: string;
  /** The device it really runs on, in words, e.g. 'CPU (WebAssembly SIMD)'. */
  readonly device: string;
}

export interface NewPatch {
  readonly patch: PatchId;
  /** Name of a loaded checkpoint. */
  readonly checkpoint: string;
  /**
   * [Z]. Fills every cell of the checkpoint's first stage. The engine keeps it: a rule that takes the latent
   * as a standing input ("every cell carries the genome") adds it, as one bias vector, in its first layer.
   */
  readonly latent: Float32Array;
}

export interface PatchStep {
  readonly patch: PatchId;
  /** Every cell divides into 2×2 before the step. */
  readonly divide: boolean;
  /** [s, s] of the stage after division, 0 = this state becomes all zero before the step. Absent: nothing does. */
  readonly keep?: Uint8Array;
}

export interface Readout {
  readonly patch: PatchId;
  /** Side s of the patch now. */
  readonly stage: number;
  /** [s, s, 4] premultiplied RGBA, 0…255. */
  readonly rgba: Uint8Array;
  /** [s, s] how alive each cell looks, 0…255. */
  readonly presence: Uint8Array;
  /** Largest change of a value of `rgba` since the last step, 0…255; 255 when there is no such step to compare with. */
  readonly change: number;
  /**
   * Set when a value of the state is no finite number: the rule has run away with it. `rgba` and `presence` are then all
   * 0, `change` 255. Other patches of the batch are as they would be without it.
   */
  readonly broken?: true;
}

export interface Engine {
  readonly info: EngineInfo;
  /** @throws EngineError unknown-checkpoint, duplicate-patch, bad-latent, out-of-memory; then none of them is planted */
  plant(patches: readonly NewPatch[]): Promise<void>;
  /**
   * One step for each patch: divide, mask, step, read out. A patch's result does not depend on what else is in
   * the batch, bit for bit.
   *
   * @returns read-outs in the order asked
   * @throws EngineError unknown-patch, bad-mask, duplicate-patch (a patch asked for twice), bad-state (a grown
   *   patch told to divide); then nothing was stepped
   */
  step(steps: readonly PatchStep[]): Promise<Readout[]>;
  /** States [s, s, C] float32, in the order asked. @throws EngineError unknown-patch */
  exportStates(patches: readonly PatchId[]): Promise<Float32Array[]>;
  /** Puts states [s, s, C] back, also of another stage. @throws EngineError unknown-patch, bad-state */
  importStates(states: readonly { patch: PatchId; state: Float32Array }[]): Promise<void>;
  /** Forgets patches; unknown ones are passed over. */
  dispose(patches: readonly PatchId[]): Promise<void>;
  /** Frees everything. Further calls fail with `closed`. */
  close(): Promise<void>;
}

/** What an engine has lost, and put back by itself. Rooms cannot tell, but a host should know. */
export interface EngineLoss {
  readonly what: 'thread' | 'gpu';
  /** Why, as far as it is known. */
  readonly why: string;
  /** How many of them have been lost so far, this one included. */
  readonly count: number;
  /** What steps from now on, where none comes in its place. */
  readonly replacement?: EngineInfo;
}

export type EngineReason =
  | 'unavailable'
  | 'closed'
  | 'failed'
  | 'unknown-checkpoint'
  | 'unknown-patch'
  | 'duplicate-patch'
  | 'out-of-memory'
  | 'bad-latent'
  | 'bad-mask'
  | 'bad-state';

export class EngineError extends Error {
  override readonly name = 'EngineError';

  constructor(
    readonly reason: EngineReason,
    readonly detail = '',
  ) {
    super(detail ? `engine: ${reason}: ${detail}` : `engine: ${reason}`);
  }
}
