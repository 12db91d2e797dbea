/** What the CPU keeps of a patch whose states are on the GPU, including how to restore it. */
import type { Card } from '../../vnca/card.ts';
import { repeatSteps, StateCheckpoint } from '../core/state-checkpoint.ts';
import type { PatchId, PatchStep } from '../engine.ts';
import type { Machine, NetJob } from './machine.ts';
import type { Net } from './net.ts';
import type { GpuSlot } from './slots.ts';

/** A copy of states in the GPU's layout. */
export interface Saved {
  /** Side s. */
  readonly stage: number;
  /** [C/4, s, s, 4] */
  readonly state: Float32Array;
}

/** A patch of a GPU store. */
export interface GpuPatch {
  readonly id: PatchId;
  readonly species: { readonly card: Card };
  /** [Z] as it was planted, or read when its states were last imported. */
  readonly latent: Float32Array;
  /** Side s after all submitted calls, answered or not. */
  stage: number;
  /** Whether a step was submitted since it was planted or imported. */
  hasStepped: boolean;
  readonly stateCheckpoint: StateCheckpoint<Saved>;
  /** Its slot on the current GPU; undefined while there is none. */
  slot: GpuSlot | undefined;
}

/**
 * Creates a patch that is not yet on a GPU.
 *
 * @param saved its current states
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

/** The net that steps a patch. */
export const netOf = (machine: Machine, { species }: GpuPatch): Net =>
  machine.nets.get(species.card.name)!;

/** Uploads the saved states of a patch. */
export function uploadPatch(machine: Machine, patch: GpuPatch): void {
  const net = netOf(machine, patch);
  const { saved, expressed } = patch.stateCheckpoint;
  const record = net.recordOf(expressed ?? patch.latent);
  patch.slot = machine.plant(net, saved.stage, saved.state, record);
}

/**
 * Uploads patches and repeats the steps made since they were saved.
 *
 * @param isPending whether a call is still to be submitted again, so that its steps are not
 *   repeated here
 */
export async function restorePatches(
  machine: Machine,
  patches: readonly GpuPatch[],
  isPending: (call: object) => boolean,
): Promise<void> {
  for (const patch of patches) uploadPatch(machine, patch);
  const logs = patches.map((patch) => ({
    patch,
    steps: patch.stateCheckpoint.steps.filter(({ call }) => !call || !isPending(call)),
  }));
  await repeatSteps(logs, (steps) =>
    machine.step(
      steps.map(({ patch, ...step }) => jobOf(machine, patch, { ...step, compare: true })),
    ),
  );
}

/** The job for a step of a patch. */
export function jobOf(
  machine: Machine,
  patch: GpuPatch,
  { express, ...step }: Omit<PatchStep, 'patch'> & Pick<NetJob, 'compare'>,
): NetJob {
  const net = netOf(machine, patch);
  return { ...step, net, slot: patch.slot!, record: express && net.recordOf(express) };
}
