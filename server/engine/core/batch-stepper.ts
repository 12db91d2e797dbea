/** Steps patches of one species and stage in batches. */
import { getOrAdd } from '../../platform/collections.ts';
import { divideInto } from '../../vnca/architecture.ts';
import type { Card } from '../../vnca/card.ts';
import { type Genomes, genomeWeights, mixSteps } from '../../vnca/chimera.ts';
import { drawUpdateMask, randomOfState } from '../../vnca/scalar-rule.ts';
import type { Batch, ReadPatch, RuleBackend, StepRule } from '../backend.ts';
import { type Entry, stageAfter } from './patch-table.ts';

/** The genomes that the cells of a patch read, as the patch's rule needs them. */
export class Expression {
  /** The result of `weightsAt` for the stage that was asked for last. */
  private weights: { readonly stage: number; readonly values: Float32Array } | undefined;

  /**
   * @param conditioning [genomes, K], the result of `StepRule.condition` for each genome; undefined
   * for rules without that method
   * @param labels [S, S] The genome that each cell reads; undefined if there is only one
   * @param latents the genomes, if known
   */
  constructor(
    readonly conditioning?: Float32Array,
    readonly labels?: Uint8Array,
    private readonly latents: readonly Float32Array[] = [],
  ) {}

  /** Returns a copy of the conditioning [K] of a latent, if it is one of the genomes. */
  rowOf(latent: Float32Array): Float32Array | undefined {
    const genome = this.latents.findIndex((own) => own.every((x, i) => x === latent[i]));
    if (genome < 0) return undefined;
    const width = this.conditioning!.length / this.latents.length;
    return this.conditioning!.slice(genome * width, (genome + 1) * width);
  }

  /** Computes how much each genome of a chimera counts for each cell, [genomes, s, s]. */
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
 * Prepares genomes for a rule. Drops genomes that no cell reads, so that a chimera always has
 * several.
 *
 * @param before what the patch expressed before; its genomes need not be computed again
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

/** A patch in the core store. */
export interface Patch {
  readonly species: LoadedModel;
  expression: Expression;
  /** Side s, in cells. */
  stage: number;
  /**
   * [s, s, C] or [C, s, s], as the layout of `species` says. A view of the batch's buffer if the
   * patch is in a batch.
   */
  state: Float32Array;
  /** The batch that holds the patch's state, if any. */
  batch: ResidentBatch | undefined;
  /**
   * Picture [s, s, 4] after the last step; undefined before the first step, after a division and
   * after an import.
   */
  lastRgba: Uint8Array | undefined;
}

/** A step of a patch. */
export interface Turn extends Entry<Patch> {
  /** What the patch expresses from this step on. */
  readonly expression: Expression;
}

/**
 * A batch of patches with their states in one buffer, in the order of the patches. Steps alternate
 * between two buffers, so nothing is copied as long as the same patches are stepped together.
 */
class ResidentBatch {
  readonly patches: readonly Patch[];
  /** Current states, [patches, s², C], in the layout of the species. */
  states: Float32Array;
  /** Receives the states after the next step; as long as `states`. */
  after: Float32Array;
  /**
   * The patches' conditioning, [patches, K], or a chimera's, [genomes, K]; undefined for rules
   * without one.
   */
  readonly conditioning: Float32Array | undefined;

  /**
   * @param size number of values per state
   * @param slots capacity of the buffers, in patches; unused slots stay zero
   */
  constructor(
    turns: readonly Turn[],
    private readonly size: number,
    slots: number,
    private readonly buffers: BufferPool,
  ) {
    this.patches = turns.map(({ patch }) => patch);
    this.states = buffers.acquire(slots * size).fill(0, turns.length * size);
    this.after = buffers.acquire(slots * size);
    const width = turns[0].expression.conditioning?.length;
    if (width === undefined) return;
    this.conditioning = buffers.acquire(slots * width).fill(0, turns.length * width);
    turns.forEach(({ expression }, i) => {
      this.conditioning!.set(expression.conditioning!, i * width);
    });
  }

  /** Whether the batch holds the states of exactly these patches, in this order. */
  consistsOf(patches: readonly Patch[]): boolean {
    return (
      patches.length === this.patches.length &&
      patches.every((patch, i) => patch === this.patches[i] && patch.batch === this)
    );
  }

  /** Whether the batch still holds the states of all its patches. */
  get isComplete(): boolean {
    return this.patches.every((patch) => patch.batch === this);
  }

  /** Makes the result of a step the current states. */
  swapBuffers(): void {
    [this.states, this.after] = [this.after, this.states];
    this.patches.forEach((patch, i) => {
      patch.state = this.states.subarray(i * this.size, (i + 1) * this.size);
    });
  }

  /**
   * Moves the states that the batch still holds to separate buffers, and returns the batch's
   * buffers to the pool.
   */
  release(): void {
    for (const patch of this.patches) {
      if (patch.batch !== this) continue;
      patch.batch = undefined;
      patch.state = patch.state.slice();
    }
    for (const buffer of [this.states, this.after, this.conditioning]) {
      if (buffer) this.buffers.release(buffer);
    }
  }
}

/** A batch that has been stepped but not committed. */
export interface SteppedBatch {
  readonly batch: ResidentBatch;
  readonly entries: readonly Turn[];
  readonly stage: number;
  /**
   * For each entry, the picture, the aliveness, and whether all numbers are finite after the step.
   * The pictures of one step share a buffer.
   */
  readonly readouts: readonly {
    readonly rgba: Uint8Array;
    readonly presence: Uint8Array;
    readonly finite: boolean;
  }[];
}

/**
 * A batch that is not stepped in this number of consecutive commits is released. The number is so
 * high that seed previews, which are stepped between two ticks, do not evict a room's patches.
 */
const MAX_IDLE_CALLS = 128;

/**
 * Maximum total size of the unused buffers to keep, in bytes per cell of a full batch. Enough for
 * 64 batches of 32 float32 channels.
 */
const READY_PER_CELL = 8_192;

/**
 * Steps patches in two phases, `step` and `commit`, so that a failing batch leaves all of them
 * unchanged.
 */
export class BatchStepper {
  /** For each batch, the number of commits since it was last stepped. */
  private readonly idleCalls = new Map<ResidentBatch, number>();
  private readonly buffers: BufferPool;

  constructor(private readonly backend: Pick<RuleBackend, 'batchPatches' | 'maxBatchCells'>) {
    this.buffers = new BufferPool(Math.min(MAX_READY, READY_PER_CELL * backend.maxBatchCells));
  }

  /**
   * Divides, masks and steps the patch of every entry, and writes the result to its batch's
   * `after`. Patches do not change until `commit`.
   *
   * @param entries all of the same species, and of the same stage after division; a chimera alone
   */
  async step(entries: readonly Turn[]): Promise<SteppedBatch[]> {
    const [{ patch: first, step, expression }] = entries;
    const { species } = first;
    const isChimera = expression.labels !== undefined;
    const stage = stageAfter(first, step);
    const cells = stage * stage;
    const size = cells * species.card.channels;
    const { batchPatches, maxBatchCells } = this.backend;
    const most = batchPatches ?? Math.max(1, Math.floor(maxBatchCells / cells));
    const weights = isChimera ? expression.weightsAt(stage) : undefined;
    // One buffer for all patches, as each allocation costs about a microsecond.
    const pictures = new Uint8Array(4 * cells * entries.length);
    const presences = new Uint8Array(cells * entries.length);
    const stepped: SteppedBatch[] = [];
    for (let start = 0; start < entries.length; start += most) {
      const part = entries.slice(start, start + most);
      const patches = part.map(({ patch }) => patch);
      let { batch } = patches[0];
      const isNew =
        !batch?.consistsOf(patches) ||
        part.some(({ step: { divide, express } }) => divide || express);
      const isMasked = part.some(({ step: { keep, closed } }) => keep || closed);
      if (!batch || isNew) {
        const slots = isChimera ? 1 : (batchPatches ?? part.length);
        batch = new ResidentBatch(part, size, slots, this.buffers);
      }
      // Masks a copy, because the patches must not change before `commit`.
      const input =
        isNew || !isMasked
          ? batch.states
          : this.buffers.acquire(batch.states.length).fill(0, part.length * size);
      if (isNew || isMasked)
        for (const [i, entry] of part.entries()) writeInput(input, i * size, entry);
      const { after, conditioning } = batch;
      const count = after.length / size;
      const tensors: Batch = {
        ...{ count, stage, states: input, after },
        ...(conditioning && { conditioning }),
        ...updateMask(species, { count, stage, states: input }, part.length),
      };
      try {
        if (!weights) await species.rule.step(tensors);
        else if (species.rule.mixes) await species.rule.step({ ...tensors, weights });
        else await this.stepByEach(species, tensors, weights);
      } finally {
        if (input !== batch.states) this.buffers.release(input);
      }
      part.forEach(({ step: { closed } }, i) => {
        if (closed) species.layout.clear(after, i * size, { mask: closed, where: 'set' });
      });
      // Reads out now, while the states are in the CPU's cache.
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

  /**
   * Steps a chimera once by each of its genomes, and mixes the results into `batch.after`. For rules
   * that cannot step chimeras.
   *
   * @param weights [genomes, s, s]
   */
  private async stepByEach(
    { rule, layout }: LoadedModel,
    { stage, states, after, conditioning, mask }: Batch,
    weights: Float32Array,
  ): Promise<void> {
    const genomes = weights.length / stage ** 2;
    const width = conditioning!.length / genomes;
    const { batchPatches: count = 1 } = this.backend;
    /** Fills the rest of a batch with zeros. */
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
      results.push(this.buffers.acquire(count * states.length));
      await rule.step({ ...inputs, after: results[i], conditioning: own });
    }
    const steps = results.map((all) => all.subarray(0, states.length));
    layout.mix(steps, weights, after);
    for (const buffer of results) this.buffers.release(buffer);
  }

  /** Commits the steps, and releases batches that are incomplete or were idle for too long. */
  commit(stepped: readonly SteppedBatch[]): void {
    for (const { batch, entries, stage } of stepped) {
      for (const { patch, expression } of entries) {
        patch.batch = batch;
        patch.stage = stage;
        patch.expression = expression;
      }
      batch.swapBuffers();
      this.idleCalls.set(batch, 0);
    }
    for (const [batch, idle] of this.idleCalls) {
      // Releases incomplete batches, so that one resting patch does not retain the buffers of a
      // whole batch.
      if (idle < MAX_IDLE_CALLS && batch.isComplete) this.idleCalls.set(batch, idle + 1);
      else {
        batch.release();
        this.idleCalls.delete(batch);
      }
    }
  }
}

/** Writes the input of a step: divides the state, then masks it. */
function writeInput(target: Float32Array, offset: number, { patch, step }: Entry<Patch>): void {
  const { layout } = patch.species;
  if (step.divide) layout.divideInto(target, offset, patch.state);
  else target.set(patch.state, offset);
  if (step.keep) layout.clear(target, offset, { mask: step.keep, where: 'zero' });
  if (step.closed) layout.clear(target, offset, { mask: step.closed, where: 'set' });
}

/** Draws the update mask, for rules with stochastic updates. */
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

/** Maximum total size of the unused buffers that a pool keeps, in bytes. */
const MAX_READY = 32 * 2 ** 20;

/**
 * Reuses Float32 buffers of equal length. Batches change from tick to tick and their buffers are
 * large, so allocating them each time would make the garbage collector pause the engine once or
 * twice a second.
 */
class BufferPool {
  /** For each length, the unused buffers. The least recently requested length is first. */
  private readonly ready = new Map<number, Float32Array[]>();
  private bytes = 0;

  /** @param maxReady maximum total size of the unused buffers to keep, in bytes */
  constructor(private readonly maxReady: number) {}

  /** Returns a buffer of this length with arbitrary content. */
  acquire(length: number): Float32Array {
    const sameLength = this.ready.get(length) ?? [];
    this.ready.delete(length);
    this.ready.set(length, sameLength);
    const buffer = sameLength.pop();
    if (!buffer) return new Float32Array(length);
    this.bytes -= buffer.byteLength;
    return buffer;
  }

  /** Returns a buffer to the pool. The caller must not use it afterwards. */
  release(buffer: Float32Array): void {
    if (buffer.byteLength > this.maxReady) return;
    getOrAdd(this.ready, buffer.length, () => []).push(buffer);
    this.bytes += buffer.byteLength;
    if (this.bytes > this.maxReady) this.makeRoom();
  }

  /** Drops buffers, those of the least recently requested lengths first, until the limit is met. */
  private makeRoom(): void {
    for (const [length, sameLength] of this.ready) {
      while (this.bytes > this.maxReady && sameLength.length > 0) {
        this.bytes -= sameLength.pop()!.byteLength;
      }
      if (sameLength.length > 0) return;
      this.ready.delete(length);
    }
  }
}

type StateLayout = ReturnType<typeof stateLayout>;

/**
 * Creates the functions that depend on the order of values in a state.
 *
 * @param planar whether states are [C, s, s], one plane per channel, as some backends need for fast
 * convolutions. Otherwise, states are [s, s, C], as the engine's callers pass them
 */
export const stateLayout = (channels: number, planar: boolean) => ({
  /** Divides every cell of a state into 2×2 copies, written to `target` at `offset`. */
  divideInto(target: Float32Array, offset: number, source: Float32Array): void {
    const planes = planar ? channels : 1;
    const size = source.length / planes;
    for (let p = 0; p < planes; p++) {
      const plane = source.subarray(p * size, (p + 1) * size);
      divideInto(target, offset + 4 * p * size, plane, channels / planes);
    }
  },
  /**
   * Zeroes the cells of the state at `offset` whose value in the mask [s, s] is zero or, with
   * `where: 'set'`, is not zero.
   */
  clear(
    states: Float32Array,
    offset: number,
    { mask, where }: { readonly mask: Uint8Array; readonly where: 'zero' | 'set' },
  ): void {
    const [toCell, toChannel] = planar ? [1, mask.length] : [channels, 1];
    const hit: number[] = [];
    for (let i = 0; i < mask.length; i++) {
      if ((mask[i] === 0) === (where === 'zero')) hit.push(offset + i * toCell);
    }
    // Clears plane by plane, as the cells of one plane are close together in memory.
    for (let c = 0; c < channels; c++) for (const at of hit) states[at + c * toChannel] = 0;
  },
  /** Computes the weighted mean of steps, as `mixSteps` does. */
  mix(steps: readonly Float32Array[], weights: Float32Array, after: Float32Array): void {
    const cells = after.length / channels;
    const strides = planar ? { cells: 1, channels: cells } : { cells: channels, channels: 1 };
    mixSteps(steps, weights, strides, after);
  },
  /** Copies a state to the layout [s, s, C]. */
  export: (state: Float32Array): Float32Array =>
    planar ? transposed(state, channels, state.length / channels) : state.slice(),
  /** Copies a state from the layout [s, s, C]. */
  import: (state: Float32Array): Float32Array =>
    planar ? transposed(state, state.length / channels, channels) : state.slice(),
});

/** Transposes [rows, columns] to [columns, rows]. */
function transposed(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(matrix.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) result[j * rows + i] = matrix[i * columns + j];
  }
  return result;
}
