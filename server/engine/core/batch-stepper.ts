/** Steps batches of patches that have the same species and stage. */
import { getOrAdd } from '../../platform/collections.ts';
import { divideInto } from '../../vnca/architecture.ts';
import type { Card } from '../../vnca/card.ts';
import { type Genomes, genomeWeights, mixSteps } from '../../vnca/chimera.ts';
import { drawUpdateMask, randomOfState } from '../../vnca/scalar-rule.ts';
import type { Batch, ReadPatch, RuleBackend, StepRule } from '../backend.ts';
import { type Entry, stageAfter } from './patch-table.ts';

/**
 * The genomes that the cells of a patch read, converted by the rule's function `condition`. Empty
 * if the rule has no `condition`.
 */
export class Expression {
  private weights: { readonly stage: number; readonly values: Float32Array } | undefined;

  /**
   * @param conditioning the K numbers that `StepRule.condition` computes for each genome, [genomes,
   *   K]; undefined if the rule has no `condition`
   * @param labels for each cell of the fully grown patch, [S, S], the index of the genome that the
   *   cell reads; undefined if there is only one genome
   * @param latents the latent of each genome, if known
   */
  constructor(
    readonly conditioning?: Float32Array,
    readonly labels?: Uint8Array,
    private readonly latents: readonly Float32Array[] = [],
  ) {}

  /**
   * Finds the genome with this latent, and returns a copy of its row [K] of `conditioning`.
   * Returns undefined if there is no such genome.
   */
  rowOf(latent: Float32Array): Float32Array | undefined {
    const genome = this.latents.findIndex((own) => own.every((x, i) => x === latent[i]));
    if (genome < 0) return undefined;
    const width = this.conditioning!.length / this.latents.length;
    return this.conditioning!.slice(genome * width, (genome + 1) * width);
  }

  /**
   * Computes how much each genome contributes to each cell of a chimera with side `stage` (s),
   * [genomes, s, s].
   */
  weightsAt(stage: number): Float32Array {
    if (this.weights?.stage !== stage) {
      const count = 1 + this.labels!.reduce((most, label) => Math.max(most, label), 0);
      this.weights = { stage, values: genomeWeights(this.labels!, count, stage) };
    }
    return this.weights.values;
  }
}

const NONE = new Expression();

/**
 * Converts genomes with the rule's function `condition`. Leaves out genomes that no cell reads. If
 * only one genome remains, the result has no labels.
 *
 * @param before the patch's previous genomes; genomes that are still in use are not converted again
 */
export function express(
  { condition }: StepRule,
  { latents, labels }: Genomes,
  before: Expression = NONE,
): Expression {
  if (!condition) return NONE;
  const used = [...latents.keys()].filter((genome) => !labels || labels.includes(genome));
  const own = used.map((genome) => latents[genome].slice());
  const rows = own.map((latent) => before.rowOf(latent) ?? condition(latent));
  if (!labels || used.length === 1) return new Expression(rows[0], undefined, own);
  const [{ length }] = rows;
  const conditioning = new Float32Array(rows.length * length);
  rows.forEach((row, i) => {
    conditioning.set(row, i * length);
  });
  const areAllUsed = used.length === latents.length;
  const ownLabels = areAllUsed ? labels.slice() : labels.map((label) => used.indexOf(label));
  return new Expression(conditioning, ownLabels, own);
}

/** A checkpoint loaded on a backend. */
export interface LoadedModel {
  readonly card: Card;
  readonly rule: StepRule;
  readonly read: ReadPatch;
  readonly layout: StateLayout;
}

export interface Patch {
  readonly species: LoadedModel;
  expression: Expression;
  /** Side s of the patch, in cells. */
  stage: number;
  /** States of the patch, [s, s, C], or [C, s, s] if the backend is planar. */
  state: Float32Array;
  /**
   * Picture after the last step, [s, s, 4]. Undefined if the patch has not been stepped since it
   * was planted or imported.
   */
  lastRgba: Uint8Array | undefined;
}

/** A patch and the step to compute for it. */
export interface Turn extends Entry<Patch> {
  /** The genomes that the patch's cells read in this step and later, as `express` returns them. */
  readonly expression: Expression;
}

/** A step that has been computed but not committed. */
export interface Stepped extends Turn {
  /** Side of the patch after the step, in cells. */
  readonly stage: number;
  /** States after the step, [s, s, C], or [C, s, s] if the backend is planar. */
  readonly after: Float32Array;
  /**
   * Picture, [s, s, 4], and aliveness of cells (`presence`), [s, s], after the step. All results of
   * one call of `step` share one buffer for pictures and one for aliveness.
   */
  readonly rgba: Uint8Array;
  readonly presence: Uint8Array;
  /** Whether all numbers in `after` are finite. */
  readonly finite: boolean;
}

/**
 * A buffer is freed if it has not been needed for at least this number of calls of `commit` and
 * `recycle`. The number must be larger than the number of preview steps between two ticks, because
 * each preview step calls `commit`, too.
 */
const MAX_IDLE_CALLS = 128;

/**
 * Keeps buffers of former states for later steps, because new buffers are slow: the system must
 * first set their memory to zero.
 */
class StateBuffers {
  /** Unused buffers by length, and how many of them have not been needed since the last `trim`. */
  private readonly unused = new Map<number, { all: Float32Array[]; idle: number }>();

  /** Returns a buffer with arbitrary content. */
  take(length: number): Float32Array {
    const unused = this.unused.get(length);
    const buffer = unused?.all.pop() ?? new Float32Array(length);
    if (unused) unused.idle = Math.min(unused.idle, unused.all.length);
    return buffer;
  }

  give(buffer: Float32Array): void {
    getOrAdd(this.unused, buffer.length, () => ({ all: [], idle: 0 })).all.push(buffer);
  }

  /** Frees the buffers that have not been needed since the last call. */
  trim(): void {
    for (const [length, unused] of this.unused) {
      unused.all.splice(0, unused.idle);
      unused.idle = unused.all.length;
      if (unused.idle === 0) this.unused.delete(length);
    }
  }
}

/**
 * Steps patches in two phases: `step` computes the results, and `commit` applies them. If a step
 * fails, no patch changes. Reuses large buffers, in order to avoid pauses for garbage collection.
 */
export class BatchStepper {
  private readonly buffers = new Map<string, Float32Array>();
  private readonly states = new StateBuffers();
  private calls = 0;

  constructor(private readonly backend: Pick<RuleBackend, 'batchPatches' | 'maxBatchCells'>) {}

  /**
   * Computes one step of each patch. No patch changes until the results are passed to `commit`.
   *
   * @param turns the steps to compute. All patches must have the same species and the same size
   *   after the step. A chimera (a patch with several genomes) must be the only patch
   */
  async step(turns: readonly Turn[]): Promise<Stepped[]> {
    const [{ patch: first, step, expression }] = turns;
    const { species } = first;
    const { card, rule, layout } = species;
    const stage = stageAfter(first, step);
    const cells = stage * stage;
    const size = cells * card.channels;
    const { batchPatches, maxBatchCells } = this.backend;
    const most = batchPatches ?? Math.max(1, Math.floor(maxBatchCells / cells));
    const weights = expression.labels && expression.weightsAt(stage);
    // Allocate one buffer for all pictures and one for all aliveness, because allocations are slow.
    const pictures = new Uint8Array(4 * cells * turns.length);
    const presences = new Uint8Array(cells * turns.length);
    const stepped: Stepped[] = [];
    for (let start = 0; start < turns.length; start += most) {
      const part = turns.slice(start, start + most);
      const count = weights ? 1 : (batchPatches ?? part.length);
      const afters = part.map(() => this.states.take(size));
      const states = this.inputOf(part, count, size);
      const after = count === 1 ? afters[0] : this.buffer('after', count * size);
      const conditioning = this.conditioningOf(part, count);
      const batch: Batch = {
        ...{ count, stage, states, after },
        ...(conditioning && { conditioning }),
        ...updateMask(species, { count, stage, states }, part.length),
      };
      if (!weights) await rule.step(batch);
      else if (rule.mixes) await rule.step({ ...batch, weights });
      else await this.stepByEach(species, batch, weights);
      part.forEach((turn, i) => {
        const own = afters[i];
        if (count > 1) own.set(after.subarray(i * size, (i + 1) * size));
        layout.clear(own, 0, 'set', turn.step.closed);
        const at = (start + i) * cells;
        const rgba = pictures.subarray(4 * at, 4 * (at + cells));
        const presence = presences.subarray(at, at + cells);
        // Read out the patch now, while its states are in the CPU's cache.
        const finite = species.read(own, rgba, presence);
        const { patch, step, expression } = turn;
        stepped.push({ patch, step, expression, stage, after: own, rgba, presence, finite });
      });
    }
    return stepped;
  }

  /** Applies the results of computed steps to their patches. */
  commit(stepped: Iterable<Stepped>): void {
    for (const { patch, stage, expression, after } of stepped) {
      this.states.give(patch.state);
      Object.assign(patch, { stage, expression, state: after });
    }
    this.countCall();
  }

  /** Keeps the memory of removed patches for later steps. */
  recycle(patches: Iterable<Patch>): void {
    for (const { state } of patches) this.states.give(state);
    this.countCall();
  }

  private countCall(): void {
    if (++this.calls % MAX_IDLE_CALLS === 0) this.states.trim();
  }

  /**
   * Returns a buffer of the given length with arbitrary content, valid until the next call with the
   * same `purpose`.
   */
  private buffer(purpose: string, length: number): Float32Array {
    let buffer = this.buffers.get(purpose);
    if (!buffer || buffer.length < length) {
      buffer = new Float32Array(length);
      this.buffers.set(purpose, buffer);
    }
    return buffer.subarray(0, length);
  }

  /**
   * Prepares a batch's states for a step. Divides cells if the step's `divide` is set. Then sets
   * cells to zero if their value in the mask `keep` is 0, or if their value in the mask `closed` is
   * not 0. Pads the batch with zeros to `count` patches.
   *
   * @param size number of values in the state of one patch
   */
  private inputOf(turns: readonly Turn[], count: number, size: number): Float32Array {
    const [{ patch, step }] = turns;
    if (count === 1 && !step.divide && !step.keep && !step.closed) return patch.state;
    const input = this.buffer('input', count * size).fill(0, turns.length * size);
    for (const [i, { patch, step }] of turns.entries()) {
      const { layout } = patch.species;
      if (step.divide) layout.divideInto(input, i * size, patch.state);
      else input.set(patch.state, i * size);
      layout.clear(input, i * size, 'zero', step.keep);
      layout.clear(input, i * size, 'set', step.closed);
    }
    return input;
  }

  /**
   * Returns the conditioning of each patch in a batch, [count, K]. For a chimera, returns the
   * conditioning of each genome, [genomes, K]. Returns undefined if the rule has no conditioning.
   */
  private conditioningOf(turns: readonly Turn[], count: number): Float32Array | undefined {
    const [{ expression }] = turns;
    const { conditioning } = expression;
    if (count === 1 || !conditioning) return conditioning;
    const width = conditioning.length;
    const all = this.buffer('conditioning', count * width).fill(0, turns.length * width);
    for (const [i, turn] of turns.entries()) all.set(turn.expression.conditioning!, i * width);
    return all;
  }

  /**
   * Steps a chimera (a patch with several genomes) for a rule whose `step` does not accept
   * chimeras: steps it once with each genome, and writes the weighted mean to `batch.after`.
   *
   * @param weights how much each genome contributes to each cell, [genomes, s, s]
   */
  private async stepByEach(
    { rule, layout }: LoadedModel,
    { stage, states, after, conditioning, mask }: Batch,
    weights: Float32Array,
  ): Promise<void> {
    const genomes = weights.length / stage ** 2;
    const width = conditioning!.length / genomes;
    const { batchPatches: count = 1 } = this.backend;
    /** Pads the values of one patch with zeros to the size of a full batch. */
    const padded = (values: Float32Array): Float32Array => {
      if (count === 1) return values;
      const all = new Float32Array(count * values.length);
      all.set(values);
      return all;
    };
    const inputs = { count, stage, states: padded(states), ...(mask && { mask: padded(mask) }) };
    const results: Float32Array[] = [];
    for (let i = 0; i < genomes; i++) {
      const own = padded(conditioning!.subarray(i * width, (i + 1) * width));
      results.push(this.buffer(`result ${i}`, count * states.length));
      await rule.step({ ...inputs, after: results[i], conditioning: own });
    }
    const steps = results.map((all) => all.subarray(0, states.length));
    layout.mix(steps, weights, after);
  }
}

/**
 * Chooses at random which cells are updated. Returns no mask if the rule updates every cell in
 * every step.
 */
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

type StateLayout = ReturnType<typeof stateLayout>;

/**
 * Creates the functions that depend on the memory layout of a state.
 *
 * @param planar if true, a state is [C, s, s], which some backends need for fast convolutions; if
 *   false, [s, s, C]
 */
export const stateLayout = (channels: number, planar: boolean) => ({
  /**
   * Divides each cell of `source` into a 2×2 block of equal cells. Writes the new state to
   * `target`, starting at index `offset`.
   */
  divideInto(target: Float32Array, offset: number, source: Float32Array): void {
    const planes = planar ? channels : 1;
    const size = source.length / planes;
    for (let p = 0; p < planes; p++) {
      const plane = source.subarray(p * size, (p + 1) * size);
      divideInto(target, offset + 4 * p * size, plane, channels / planes);
    }
  },
  /**
   * Sets cells of the state that begins at index `offset` to zero. If `where` is 'zero', these are
   * the cells whose value in `mask` [s, s] is 0; if `where` is 'set', all other cells. Does nothing
   * without a mask.
   */
  clear(states: Float32Array, offset: number, where: 'zero' | 'set', mask?: Uint8Array): void {
    if (!mask) return;
    const [toCell, toChannel] = planar ? [1, mask.length] : [channels, 1];
    const hit: number[] = [];
    for (let i = 0; i < mask.length; i++) {
      if ((mask[i] === 0) === (where === 'zero')) hit.push(offset + i * toCell);
    }
    // Clear one channel after another. This is fast if the state is planar, because the cells of
    // one channel are then close together in memory.
    for (let c = 0; c < channels; c++) for (const at of hit) states[at + c * toChannel] = 0;
  },
  /**
   * Computes the weighted mean of `steps`, which has one state per genome of a chimera. Writes the
   * result to `after`.
   */
  mix(steps: readonly Float32Array[], weights: Float32Array, after: Float32Array): void {
    const cells = after.length / channels;
    const strides = planar ? { cells: 1, channels: cells } : { cells: channels, channels: 1 };
    mixSteps(steps, weights, strides, after);
  },
  /** Returns a copy of a state, converted from the backend's layout to [s, s, C]. */
  export: (state: Float32Array): Float32Array =>
    planar ? transposed(state, channels, state.length / channels) : state.slice(),
  /** Returns a copy of a state, converted from [s, s, C] to the backend's layout. */
  import: (state: Float32Array): Float32Array =>
    planar ? transposed(state, state.length / channels, channels) : state.slice(),
});

function transposed(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(matrix.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) result[j * rows + i] = matrix[i * columns + j];
  }
  return result;
}
