/**
 * The interface of an engine, which steps batches of patches. An engine works with tensors and
 * knows nothing about rooms.
 *
 * The caller chooses patch ids. Calls take effect in the order in which they are made, so a step
 * sees every patch that was planted before it. States stay inside the engine. Callers get pictures
 * after each step (`Readout`), and states only on request.
 */

import type { Genomes } from '../vnca/chimera.ts';

/** Identifies a patch in an engine; unique while the patch exists. */
export type PatchId = number;

export interface EngineInfo {
  /** Name of the engine's backend: 'native', 'onnx', … */
  readonly name: string;
  /** Device that the engine runs on, as text for the host, e.g. 'CPU (ONNX Runtime)'. */
  readonly device: string;
}

export interface NewPatch {
  readonly patch: PatchId;
  /** Name of the checkpoint whose rule steps the patch; it must be loaded. */
  readonly checkpoint: string;
  /**
   * Latent of the patch, [Z]. Its first C values fill every cell at the patch's first stage. If the
   * rule has a standing input, the cells also read the latent in every step, as the patch's
   * conditioning.
   */
  readonly latent: Float32Array;
  /** Genomes that the cells read in every step. If absent, all cells read `latent`. */
  readonly genomes?: Genomes | undefined;
}

export interface PatchStep {
  readonly patch: PatchId;
  /** Whether every cell divides into 2×2 before the step. */
  readonly divide: boolean;
  /**
   * Mask [s, s], where s is the patch's side after its cells have divided (if `divide` is set).
   * Cells whose value in the mask is 0 are set to zero before the step.
   */
  readonly keep?: Uint8Array;
  /**
   * Mask [s, s], where s is the patch's side after its cells have divided (if `divide` is set).
   * Cells whose value in the mask is not 0 are set to zero before and after the step.
   */
  readonly closed?: Uint8Array;
  /**
   * Genomes that the cells read from this step on, instead of the previous genomes. Does not change
   * the states. Has no effect on rules without a standing input.
   */
  readonly express?: Genomes;
}

/**
 * A patch's appearance after a step. The pictures of all patches in a step share a buffer. To keep
 * a picture for a long time, copy it; otherwise, the whole buffer stays in memory.
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
   * Largest change of any value of `rgba` since the previous step, 0…255; 255 if there is no
   * picture of the previous step to compare with.
   */
  readonly change: number;
  /**
   * Set if a value of the state is not a finite number, which means that the rule has diverged.
   * `rgba` and `presence` are then all 0 and `change` is 255. Other patches of the batch are not
   * affected.
   */
  readonly broken?: true;
}

export interface Engine {
  readonly info: EngineInfo;
  /**
   * Adds patches. If the call throws, no patch is added.
   *
   * @throws EngineError unknown-checkpoint, duplicate-patch, bad-latent, bad-labels, out-of-memory
   */
  plant(patches: readonly NewPatch[]): Promise<void>;
  /**
   * Steps each patch once: divides the cells if `divide` is set, applies the masks, computes the
   * step and reads out the picture. A patch's result does not depend on the other patches in the
   * batch: it is always the same, bit for bit. If the call throws, no patch was stepped.
   *
   * @returns read-outs in the order of `steps`
   * @throws EngineError unknown-patch, bad-mask, bad-latent, bad-labels, duplicate-patch (two steps
   * of one patch), bad-state (a fully grown patch cannot divide)
   */
  step(steps: readonly PatchStep[]): Promise<Readout[]>;
  /**
   * Returns copies of states, each [s, s, C] float32, in the order of `patches`.
   *
   * @throws EngineError unknown-patch
   */
  exportStates(patches: readonly PatchId[]): Promise<Float32Array[]>;
  /**
   * Replaces the states of patches. Each new state is [s, s, C] and may have any stage s.
   *
   * @throws EngineError unknown-patch, bad-state
   */
  importStates(states: readonly { patch: PatchId; state: Float32Array }[]): Promise<void>;
  /** Removes patches; unknown ids are ignored. */
  dispose(patches: readonly PatchId[]): Promise<void>;
  /** Frees all resources. Later calls fail with `closed`. */
  close(): Promise<void>;
}

/**
 * A lost thread or GPU, which the engine replaces. Rooms do not notice the loss, but the host
 * should know about it.
 */
export interface EngineLoss {
  readonly what: 'thread' | 'gpu';
  /** Cause of the loss, if known. */
  readonly why: string;
  /** How often this kind of loss (`what`) has occurred so far, including this loss. */
  readonly count: number;
  /**
   * The engine in use from now on, if the lost engine could not be restarted or was lost
   * repeatedly.
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
