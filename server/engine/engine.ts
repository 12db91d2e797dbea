/**
 * The interface of an engine, which steps batches of patches. An engine works only with tensors; it
 * does not know which rooms the patches belong to.
 *
 * The caller chooses the ids of patches. Calls take effect in the order in which they are made, so
 * a call of `step` may include any patch that was planted by an earlier call, even if that call has
 * not ended. States stay inside the engine: callers receive a picture after each step (`Readout`),
 * but states only if they ask for them.
 */

import type { Genomes } from '../vnca/chimera.ts';

/** Identifies a patch in an engine; unique while the patch exists. */
export type PatchId = number;

export interface EngineInfo {
  /** Name of the engine's backend: 'native', 'onnx', … */
  readonly name: string;
  /** Device on which the engine runs, as text for the host, e.g. 'CPU (ONNX Runtime)'. */
  readonly device: string;
}

export interface NewPatch {
  readonly patch: PatchId;
  /** Name of the checkpoint whose rule steps the patch; it must be loaded. */
  readonly checkpoint: string;
  /**
   * Latent of the patch, [Z]. At the patch's first stage, every cell's state is the first C values
   * of the latent. If the rule has a standing input, the latent also affects every step, as the
   * patch's conditioning.
   */
  readonly latent: Float32Array;
  /** The genomes that the cells read in every step. If absent, every cell reads `latent`. */
  readonly genomes?: Genomes | undefined;
}

export interface PatchStep {
  readonly patch: PatchId;
  /** Whether every cell divides into 2×2 before the step. */
  readonly divide: boolean;
  /**
   * Mask [s, s] of the cells to keep. Cells whose value in the mask is 0 are set to zero before the
   * step. If `divide` is set, s is the patch's side after the cells have divided.
   */
  readonly keep?: Uint8Array;
  /**
   * Mask [s, s] of the closed cells. Cells whose value in the mask is not 0 are set to zero before
   * the step and again after it. If `divide` is set, s is the patch's side after the cells have
   * divided.
   */
  readonly closed?: Uint8Array;
  /**
   * New genomes, which the cells read in this step and all later steps. The states are not
   * replaced. Has no effect if the rule has no standing input.
   */
  readonly express?: Genomes;
}

/**
 * What a patch looks like after a step. The pictures of all patches that were stepped by one call
 * are parts of one buffer. A caller that keeps one picture for a long time should copy it, because
 * the original keeps the whole buffer in memory.
 */
export interface Readout {
  readonly patch: PatchId;
  /** Side s of the patch after the step. */
  readonly stage: number;
  /** Picture of the patch, [s, s, 4], premultiplied RGBA, 0…255. */
  readonly rgba: Uint8Array;
  /** Aliveness of each cell, [s, s], 0…255. */
  readonly presence: Uint8Array;
  /**
   * Largest difference, 0…255, between any value of `rgba` and the same value in the picture after
   * the previous step. 255 if there is no such picture, or it has another size.
   */
  readonly change: number;
  /**
   * Set if the state contains a value that is not a finite number, i.e. the rule has diverged. In
   * this case, all values of `rgba` and `presence` are 0, and `change` is 255. Other patches of the
   * batch are not affected.
   */
  readonly broken?: true;
}

export interface Engine {
  readonly info: EngineInfo;
  /**
   * Adds patches. If the call throws, no patch is added.
   *
   * @throws EngineError 'unknown-checkpoint', 'duplicate-patch', 'bad-latent', 'bad-labels' or
   * 'out-of-memory'
   */
  plant(patches: readonly NewPatch[]): Promise<void>;
  /**
   * Steps each patch once: divides the cells if `divide` is set, applies the masks, computes the
   * step, and reads out the picture. The result of a patch is the same, bit for bit, whichever
   * other patches are stepped in the same call. If the call throws, no patch was stepped.
   *
   * @returns the read-outs, in the order of `steps`
   * @throws EngineError 'unknown-patch', 'bad-mask', 'bad-latent' or 'bad-labels';
   * 'duplicate-patch' if two steps are of one patch; 'bad-state' if a fully grown patch is to
   * divide
   */
  step(steps: readonly PatchStep[]): Promise<Readout[]>;
  /**
   * Returns copies of the patches' states, in the order of `patches`. Each state is [s, s, C].
   *
   * @throws EngineError 'unknown-patch'
   */
  exportStates(patches: readonly PatchId[]): Promise<Float32Array[]>;
  /**
   * Replaces the states of patches. Each new state is [s, s, C]; its stage s may differ from the
   * patch's present stage.
   *
   * @throws EngineError 'unknown-patch' or 'bad-state'
   */
  importStates(states: readonly { patch: PatchId; state: Float32Array }[]): Promise<void>;
  /** Removes patches; unknown ids are ignored. */
  dispose(patches: readonly PatchId[]): Promise<void>;
  /** Frees all resources. Later calls fail with `closed`. */
  close(): Promise<void>;
}

/**
 * Describes the loss of a thread or GPU. The engine replaces what was lost, and rooms do not notice
 * the loss, but the host should know about it.
 */
export interface EngineLoss {
  readonly what: 'thread' | 'gpu';
  /** Cause of the loss, if known. */
  readonly why: string;
  /** How many losses of this kind (`what`) there have been so far, including this one. */
  readonly count: number;
  /**
   * Set if the engine could not be restarted or was lost repeatedly, and another engine has
   * replaced it: the engine that is in use from now on.
   */
  readonly replacement?: EngineInfo;
}

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
  | 'bad-labels'
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
