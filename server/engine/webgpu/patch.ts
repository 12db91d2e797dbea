/** A patch as the CPU knows it, and what brings it back when the GPU that holds its states is lost. */
import type { Card } from '../../vnca/card.ts';
import { StateCheckpoint } from '../core/state-checkpoint.ts';
import type { PatchId } from '../engine.ts';
import type { Machine, NetJob } from './machine.ts';
import type { Net } from './net.ts';
import type { GpuSlot } from './slots.ts';

/** States on the CPU, as a GPU holds them. */
export interface Saved {
  /** Side s. */
  readonly stage: number;
  /** [C/4, s, s, 4] */
  readonly state: Float32Array;
}

export interface GpuPatch {
  readonly id: PatchId;
  readonly species: { readonly card: Card };
  /** [Z] */
  readonly latent: Float32Array;
  /** Side s after all calls made so far, whether or not they are answered. */
  stage: number;
  /** Whether a step has been made since it was planted or put back. */
  hasStepped: boolean;
  readonly stateCheckpoint: StateCheckpoint<Saved>;
  /** Where it is on the GPU at hand; absent while there is none. */
  slot: GpuSlot | undefined;
}

/**
 * @param saved what it is now
 * @param saveEvery steps between two copies of its states
 */
export function createPatch(
  { id, species, latent }: Pick<GpuPatch, 'id' | 'species' | 'latent'>,
  saved: Saved,
  saveEvery: number,
): GpuPatch {
  const { stage } = saved;
  const past = new StateCheckpoint(id, saved, saveEvery);
  return { id, species, latent, stage, hasStepped: false, stateCheckpoint: past, slot: undefined };
}

export const netOf = (machine: Machine, { species }: GpuPatch): Net =>
  machine.nets.get(species.card.name)!;

/** Puts a patch on a GPU as it was saved. */
export function uploadPatch(machine: Machine, patch: GpuPatch): void {
  const net = netOf(machine, patch);
  const { stage, state } = patch.stateCheckpoint.saved;
  patch.slot = machine.plant(net, stage, state, net.recordOf(patch.latent));
}

/** To be called when a copy is asked for. @returns what to do with it */
export function beginSave({
  stage,
  stateCheckpoint: past,
}: GpuPatch): (state?: Float32Array) => void {
  const keep = past.beginSave();
  return (state) => keep(state && { stage, state });
}

/**
 * Puts patches on a GPU and makes the steps since they were saved again.
 *
 * @param isWaiting whether a call will be made again by itself
 */
export async function restorePatches(
  machine: Machine,
  patches: readonly GpuPatch[],
  isWaiting: (call: object) => boolean,
): Promise<void> {
  for (const patch of patches) uploadPatch(machine, patch);
  const logs = patches.map((patch) => ({
    patch,
    steps: patch.stateCheckpoint.steps.filter(({ call }) => !call || !isWaiting(call)),
  }));
  const most = Math.max(0, ...logs.map(({ steps }) => steps.length));
  for (let k = 0; k < most; k++) {
    const jobs = logs
      .filter(({ steps }) => k < steps.length)
      .map(({ patch, steps }) => jobOf(machine, patch, { ...steps[k], compare: true }));
    await machine.step(jobs);
  }
}

export const jobOf = (
  machine: Machine,
  patch: GpuPatch,
  { divide, keep, compare }: Pick<NetJob, 'divide' | 'keep' | 'compare'>,
): NetJob => ({
  net: netOf(machine, patch),
  slot: patch.slot!,
  ...{ divide, compare },
  ...(keep && { keep }),
});
