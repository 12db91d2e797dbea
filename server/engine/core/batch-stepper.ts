/** Steps patches of one species and stage in batches. */
import { drawUpdateMask, randomOfState } from '../../vnca/scalar-rule.ts';
import type { Batch, RuleBackend } from '../backend.ts';
import type { PatchStep } from '../engine.ts';
import { BufferPool, MAX_READY } from './buffers.ts';
import { type LoadedModel, type Patch, ResidentBatch, stageAfter } from './patch-table.ts';

/** A patch and its step. */
export interface BatchEntry {
  readonly patch: Patch;
  readonly step: PatchStep;
}

/** A batch that was stepped but not yet committed. */
export interface SteppedBatch {
  readonly batch: ResidentBatch;
  readonly entries: readonly BatchEntry[];
  readonly stage: number;
  /** For each entry, after the step. */
  readonly readouts: readonly PatchReadout[];
}

/**
 * Idle calls after which a batch is released. It must be high enough that seed previews, stepped
 * between two ticks, do not evict a room's patches.
 */
const MAX_IDLE_CALLS = 128;

/** Bytes of unused buffers to keep for each cell of a full batch: 64 such batches of 32 channels. */
const READY_PER_CELL = 8_192;

/** Steps in two phases, so that a failing batch leaves all patches unchanged. */
export class BatchStepper {
  /** Calls since each batch was last stepped. */
  private readonly idleCalls = new Map<ResidentBatch, number>();
  private readonly buffers: BufferPool;

  constructor(private readonly backend: Pick<RuleBackend, 'batchPatches' | 'maxBatchCells'>) {
    this.buffers = new BufferPool(Math.min(MAX_READY, READY_PER_CELL * backend.maxBatchCells));
  }

  /**
   * Divides, masks and steps every entry into its batch's `after`. Patches are unchanged until
   * `commit`.
   *
   * @param entries of one species, and of one stage after division
   */
  async step(entries: readonly BatchEntry[]): Promise<SteppedBatch[]> {
    const [{ patch: first, step }] = entries;
    const { species } = first;
    const stage = stageAfter(first, step);
    const { batchPatches, maxBatchCells } = this.backend;
    const cells = stage * stage;
    const size = cells * species.card.channels;
    const most = batchPatches ?? Math.max(1, Math.floor(maxBatchCells / cells));
    // Of all patches: each buffer that is allocated costs about a microsecond.
    const pictures = new Uint8Array(4 * cells * entries.length);
    const presences = new Uint8Array(cells * entries.length);
    const stepped: SteppedBatch[] = [];
    for (let start = 0; start < entries.length; start += most) {
      const part = entries.slice(start, start + most);
      const patches = part.map(({ patch }) => patch);
      const isHere = part.every(({ step: { divide, express } }) => !(divide || express));
      let { batch } = patches[0];
      let input: Float32Array;
      if (!batch || !isHere || !batch.consistsOf(patches)) {
        batch = new ResidentBatch(patches, size, batchPatches ?? part.length, this.buffers);
        input = batch.states;
        part.forEach((entry, i) => {
          writeInput(input, i * size, entry);
          const conditioning = entry.step.express && species.rule.condition?.(entry.step.express);
          if (conditioning) batch!.condition(i, conditioning);
        });
      } else if (part.some(({ step: { keep, closed } }) => keep || closed)) {
        // A copy, as the patches must not change before `commit`.
        input = this.buffers.acquire(batch.states.length).fill(0, part.length * size);
        part.forEach((entry, i) => {
          writeInput(input, i * size, entry);
        });
      } else input = batch.states;
      const { after, conditioning } = batch;
      const count = after.length / size;
      const tensors = { count, stage, states: input, after, ...(conditioning && { conditioning }) };
      try {
        await species.rule.step({ ...tensors, ...updateMask(species, tensors, part.length) });
      } finally {
        if (input !== batch.states) this.buffers.release(input);
      }
      part.forEach(({ step: { closed } }, i) => {
        if (closed) species.layout.clear(after, i * size, { mask: closed, where: 'set' });
      });
      // Read out while the states are in the CPU's cache.
      const readouts = part.map((_, i) => {
        const state = after.subarray(i * size, (i + 1) * size);
        const at = (start + i) * cells;
        const rgba = pictures.subarray(4 * at, 4 * (at + cells));
        const presence = presences.subarray(at, at + cells);
        return { rgba, presence, finite: species.read(state, rgba, presence) };
      });
      stepped.push({ batch, entries: part, stage, readouts });
    }
    return stepped;
  }

  /** Commits the steps, and releases batches that are incomplete or have been idle for long. */
  commit(stepped: readonly SteppedBatch[]): void {
    for (const { batch, entries, stage } of stepped) {
      for (const [i, { patch, step }] of entries.entries()) {
        patch.batch = batch;
        patch.stage = stage;
        if (step.express) patch.conditioning = batch.conditioningOf(i);
      }
      batch.swapBuffers();
      this.idleCalls.set(batch, 0);
    }
    for (const [batch, idle] of this.idleCalls) {
      // A patch at rest must not keep the buffers of a whole batch in use.
      if (idle < MAX_IDLE_CALLS && batch.isComplete) this.idleCalls.set(batch, idle + 1);
      else {
        batch.release();
        this.idleCalls.delete(batch);
      }
    }
  }
}

/**
 * What a patch's new state shows. Pictures of one step share a buffer: copy one before it is kept
 * for long or transferred alone.
 */
export interface PatchReadout {
  readonly rgba: Uint8Array;
  readonly presence: Uint8Array;
  readonly finite: boolean;
}

/** Writes the input of a step: the state, divided, then masked. */
function writeInput(target: Float32Array, offset: number, { patch, step }: BatchEntry): void {
  const { layout } = patch.species;
  if (step.divide) layout.divideInto(target, offset, patch.state);
  else target.set(patch.state, offset);
  if (step.keep) layout.clear(target, offset, { mask: step.keep, where: 'zero' });
  if (step.closed) layout.clear(target, offset, { mask: step.closed, where: 'set' });
}

/** The update mask, for rules with stochastic updates. */
function updateMask(
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
    drawUpdateMask(mask.subarray(i * cells, (i + 1) * cells), updateProbability, random);
  }
  return { mask };
}
