/**
 * The engine contract. An engine steps batches of patches. It works with tensors and knows nothing
 * about rooms.
 *
 * The caller chooses patch ids. Calls take effect in the order they are made, so a step sees every
 * patch planted before it. States stay inside the engine; callers get read-outs, and states only on
 * request.
 */

import type { Genomes } from '../vnca/chimera.ts';

/** Identifies a patch in an engine; unique while the patch exists. */
export type PatchId = number;

/** Identifies an engine and its device. */
export interface EngineInfo {
  /** The backend's name: 'native', 'onnx', … */
  readonly name: string;
  /** The device it runs on, as text for the host, e.g. 'CPU (ONNX Runtime)'. */
  readonly device: string;
}

export interface NewPatch {
  readonly patch: PatchId;
  /** Name of a loaded checkpoint. */
  readonly checkpoint: string;
  /**
   * The latent, [Z]. Fills every cell of the patch at its first stage. A rule with a standing input
   * ("every cell carries the genome") also reads the latent in every step, as the patch's
   * conditioning.
   */
  readonly latent: Float32Array;
  /** The genomes that the cells read instead of `latent`. */
  readonly genomes?: Genomes | undefined;
}

export interface PatchStep {
  readonly patch: PatchId;
  /** Whether every cell divides into 2×2 before the step. */
  readonly divide: boolean;
  /**
   * Mask [s, s], where s is the side after division. Cells whose value is 0 are set to zero before
   * the step.
   */
  readonly keep?: Uint8Array;
  /**
   * Mask [s, s], where s is the side after division. Cells whose value is not 0 are set to zero
   * before and after the step.
   */
  readonly closed?: Uint8Array;
  /**
   * From this step on, the cells of a rule with a standing input read these genomes instead of the
   * previous ones. States stay as they are. Has no effect on other rules.
   */
  readonly express?: Genomes;
}

/**
 * A patch's appearance after a step. The pictures of one step share a buffer: copy a picture that
 * you keep for long, or the whole buffer stays in memory.
 */
export interface Readout {
  readonly patch: PatchId;
  /** Side s of the patch after the step. */
  readonly stage: number;
  /** [s, s, 4], premultiplied RGBA, 0…255. */
  readonly rgba: Uint8Array;
  /** Aliveness of each cell, [s, s], 0…255. */
  readonly presence: Uint8Array;
  /**
   * Largest change of any value of `rgba` since the last step, 0…255; 255 if there is no picture to
   * compare with.
   */
  readonly change: number;
  /**
   * Set if a value of the state is not a finite number, which means that the rule has diverged.
   * `rgba` and `presence` are then all 0 and `change` is 255. Other patches of the batch are not
   * affected.
   */
  readonly broken?: true;
}

/** Grows and steps patches. */
export interface Engine {
  readonly info: EngineInfo;
  /**
   * Adds all patches, or none if it throws.
   *
   * @throws EngineError unknown-checkpoint, duplicate-patch, bad-latent, bad-labels, out-of-memory
   */
  plant(patches: readonly NewPatch[]): Promise<void>;
  /**
   * Steps each patch once: divide, mask, step, read out. A patch's result is the same, bit for bit,
   * whichever other patches are in the batch. If the call throws, no patch was stepped.
   *
   * @returns read-outs in the order of `steps`
   * @throws EngineError unknown-patch, bad-mask, bad-latent, bad-labels, duplicate-patch (two steps
   * of one patch), bad-state (a fully grown patch cannot divide)
   */
  step(steps: readonly PatchStep[]): Promise<Readout[]>;
  /**
   * Copies states, [s, s, C] float32, in the order of `patches`.
   *
   * @throws EngineError unknown-patch
   */
  exportStates(patches: readonly PatchId[]): Promise<Float32Array[]>;
  /**
   * Replaces states with new ones, each [s, s, C] of any stage. @throws EngineError unknown-patch,
   * bad-state
   */
  importStates(states: readonly { patch: PatchId; state: Float32Array }[]): Promise<void>;
  /** Removes patches; unknown ids are ignored. */
  dispose(patches: readonly PatchId[]): Promise<void>;
  /** Frees all resources. Later calls fail with `closed`. */
  close(): Promise<void>;
}

/** A loss from which the engine recovers. Rooms do not notice it, but the host should know. */
export interface EngineLoss {
  readonly what: 'thread' | 'gpu';
  /** The cause, if known. */
  readonly why: string;
  /** Number of losses of this kind so far, including this one. */
  readonly count: number;
  /** The engine in use from now on, if the lost one could not be restarted. */
  readonly replacement?: EngineInfo;
}

/** Reasons for a failed engine call. */
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

/** A failed engine call. */
export class EngineError extends Error {
  override readonly name = 'EngineError';

  constructor(
    readonly reason: EngineReason,
    readonly detail = '',
  ) {
    super(detail ? `engine: ${reason}: ${detail}` : `engine: ${reason}`);
  }
}
