/** Steps patches of one species and stage as one batch after another. */
import { drawUpdateMask, randomOfState } from '../../vnca/update-mask.ts';
import type { Batch, RuleBackend } from '../backend.ts';
import type { PatchStep } from '../engine.ts';
import { allFinite } from './broken-readout.ts';
import { BufferPool } from './buffers.ts';
import type { LoadedModel, Patch } from './patch.ts';
import { ResidentBatch } from './patch.ts';

export interface BatchEntry {
  readonly patch: Patch;
  readonly step: PatchStep;
}

/** What a patch's state shows. */
export interface PatchReadout {
  /** [s, s, 4]. */
  readonly rgba: Uint8Array;
  /** [s, s], in the same buffer. */
  readonly presence: Uint8Array;
  /** Whether the state is all numbers. */
  readonly isFinite: boolean;
}

/** A batch that was stepped, and is not yet true. */
export interface SteppedBatch {
  readonly batch: ResidentBatch;
  readonly entries: readonly BatchEntry[];
  readonly stage: number;
  /** Of each entry, after the step. */
  readonly readouts: readonly PatchReadout[];
}

export interface BatchStepper {
  /**
   * The states of every entry after divide, mask, step: in the homes' `after`. The patches stay as they are until `settle`.
   *
   * @param stage side s of every entry after its division
   */
  step(
    species: LoadedModel,
    stage: number,
    entries: readonly BatchEntry[],
  ): Promise<SteppedBatch[]>;
  /** Makes all that was stepped true; who is left behind by others, or was not stepped for long, moves out. */
  commit(stepped: readonly SteppedBatch[]): void;
}

/**
 * Calls without a step after which patches move out. Fewer, and seeds that are grown between two ticks to be looked at would turn
 * a room's patches out of their buffers each time.
 */
const PATIENCE = 128;

export function createBatchStepper({
  batchPatches,
  maxBatchCells,
}: Pick<RuleBackend, 'batchPatches' | 'maxBatchCells'>): BatchStepper {
  /** How many calls ago each was last stepped. */
  const homes = new Map<ResidentBatch, number>();
  const buffers = new BufferPool();
  return {
    async step(species, stage, entries) {
      const size = stage * stage * species.card.channels;
      const most = batchPatches ?? Math.max(1, Math.floor(maxBatchCells / (stage * stage)));
      const stepped: SteppedBatch[] = [];
      for (let start = 0; start < entries.length; start += most) {
        const batch = entries.slice(start, start + most);
        const patches = batch.map(({ patch }) => patch);
        const untouched = batch.every(({ step }) => !step.divide && !step.keep);
        const [{ batch: known }] = patches;
        let home = known;
        if (!home || !untouched || !home.consistsOf(patches)) {
          home = new ResidentBatch(patches, size, batchPatches ?? batch.length, buffers);
          batch.forEach((entry, i) => {
            writeInput(home!.states, i * size, entry);
          });
        }
        const count = home.states.length / size;
        const { states, after, conditioning: standing } = home;
        const input = { count, stage, states, after, ...(standing && { standing }) };
        await species.rule.step({ ...input, ...chance(species, input, batch.length) });
        // Now, while they are in the core's cache.
        const looks = batch.map((_, i) => lookAt(species, stage, after, i * size));
        stepped.push({ batch: home, entries: batch, stage, readouts: looks });
      }
      return stepped;
    },

    commit(stepped) {
      for (const { batch: home, entries, stage } of stepped) {
        for (const { patch } of entries) {
          patch.batch = home;
          patch.stage = stage;
        }
        home.swapBuffers();
        homes.set(home, 0);
      }
      for (const [home, idle] of homes) {
        // A sleeper must not hold on to the buffers of a whole batch.
        if (idle < PATIENCE && home.isComplete) homes.set(home, idle + 1);
        else {
          home.release();
          homes.delete(home);
        }
      }
    },
  };
}

function lookAt(
  { card, read }: LoadedModel,
  stage: number,
  states: Float32Array,
  offset: number,
): PatchReadout {
  const cells = stage * stage;
  // One buffer for both, so that one travels between threads.
  const buffer = new ArrayBuffer(5 * cells);
  const rgba = new Uint8Array(buffer, 0, 4 * cells);
  const presence = new Uint8Array(buffer, 4 * cells);
  read(states, offset, rgba, presence);
  const whole = allFinite(states.subarray(offset, offset + cells * card.channels));
  return { rgba, presence, isFinite: whole };
}

/** Writes what a patch is before its step: divided, then masked. */
function writeInput(target: Float32Array, offset: number, { patch, step }: BatchEntry): void {
  const { layout } = patch.species;
  if (step.divide) layout.divideInto(target, offset, patch.state, patch.stage);
  else target.set(patch.state, offset);
  if (step.keep) layout.clear(target, offset, step.keep);
}

/** Which cells take part, where chance decides. */
function chance(
  { card }: LoadedModel,
  { count, stage, states }: Pick<Batch, 'count' | 'stage' | 'states'>,
  patches: number,
): Pick<Batch, 'mask'> {
  const { updateProbability } = card.update;
  if (updateProbability >= 1) return {};
  const cells = stage * stage;
  const size = cells * card.channels;
  const mask = new Float32Array(count * cells);
  for (let i = 0; i < patches; i++) {
    const random = randomOfState(states.subarray(i * size, (i + 1) * size));
    drawUpdateMask(mask, i * cells, cells, updateProbability, random);
  }
  return { mask };
}
