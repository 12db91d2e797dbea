/**
 * The interface of an engine, which steps batches of patches. An engine knows nothing about rooms.
 *
 * The caller chooses the ids of patches. Calls take effect in order, even if the caller does not
 * wait for earlier calls to end. A step returns a picture of each patch (`Readout`), but no states.
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
  /** Name of a loaded checkpoint, whose rule steps the patch. */
  readonly checkpoint: string;
  /**
   * Latent of the patch, [Z]. Each cell of the new patch starts with the first C values of the
   * latent as its state.
   */
  readonly latent: Float32Array;
  /** Genomes (latents) that the cells read in every step. If absent, every cell reads `latent`. */
  readonly genomes?: Genomes | undefined;
}

export interface PatchStep {
  readonly patch: PatchId;
  /** Whether every cell divides into 2×2 cells before the step. */
  readonly divide: boolean;
  /**
   * Cells to keep, [s, s]. Before the step, cells with the value 0 in this mask are set to zero. If
   * `divide` is set, s is the side after the division.
   */
  readonly keep?: Uint8Array;
  /**
   * Closed cells, [s, s]. Before and after the step, cells with a value other than 0 in this mask
   * are set to zero. If `divide` is set, s is the side after the division.
   */
  readonly closed?: Uint8Array;
  /**
   * New genomes, which the cells read from this step on. Ignored if the rule's steps read no
   * genomes.
   */
  readonly express?: Genomes;
}

/**
 * A patch after a step. All pictures from one call share a buffer. Copy a picture before keeping it
 * for a long time, so that the buffer can be freed.
 */
export interface Readout {
  readonly patch: PatchId;
  /** Side s of the patch, in cells. */
  readonly stage: number;
  /** Picture, [s, s, 4], premultiplied RGBA, 0…255. */
  readonly rgba: Uint8Array;
  /** Aliveness of each cell, [s, s], 0…255. */
  readonly presence: Uint8Array;
  /**
   * Largest change of any value of `rgba` since the previous step, 0…255. It is 255 if there is no
   * previous picture of the same size.
   */
  readonly change: number;
  /**
   * Set if the state contains NaN or infinity. In this case, all values of `rgba` and `presence`
   * are 0, and `change` is 255.
   */
  readonly broken?: true;
}

export interface Engine {
  readonly info: EngineInfo;
  /**
   * Adds all patches, or none if the call throws.
   *
   * @throws EngineError 'unknown-checkpoint', 'duplicate-patch', 'bad-latent', 'bad-labels' or
   * 'out-of-memory'
   */
  plant(patches: readonly NewPatch[]): Promise<void>;
  /**
   * Steps each patch once and reads out its picture. A patch's result does not depend on the other
   * patches in the call. If the call throws, no patch was stepped.
   *
   * @returns the read-outs, in the order of `steps`
   * @throws EngineError 'unknown-patch', 'bad-mask', 'bad-latent' or 'bad-labels';
   *   'duplicate-patch' if two steps are for the same patch; 'bad-state' if a step's `divide` is
   *   set for a fully grown patch
   */
  step(steps: readonly PatchStep[]): Promise<Readout[]>;
  /**
   * Returns copies of the patches' states, [s, s, C] each, in the order of `patches`.
   *
   * @throws EngineError 'unknown-patch'
   */
  exportStates(patches: readonly PatchId[]): Promise<Float32Array[]>;
  /**
   * Replaces the states of patches. A new state is [s, s, C]; its side s may differ from the
   * patch's current side.
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
 * Describes the loss of a thread or GPU, for the person who runs the server. The engine recovers by
 * itself.
 */
export interface EngineLoss {
  readonly what: 'thread' | 'gpu';
  readonly why: string;
  /** How many times a thread or GPU (see `what`) has been lost so far, including this time. */
  readonly count: number;
  /** The engine in use from now on, if the engine has changed to another backend. */
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
