/**
 * The layers of update nets, the shapes of their tensors, and the growth of patches. Kernels are
 * [in, out], or [3, 3, in, out] for the 3×3 convolution.
 */
import type { Card } from './card.ts';

/** The part of a card that determines which tensors the update net has. */
export type Architecture = Pick<Card, 'channels' | 'latentSize' | 'update'>;

/**
 * The layers between the first layer (perception) and the last layer, computed for each cell
 * separately.
 */
interface Trunk {
  /** Whether the activation function is applied to the first layer's output. */
  readonly activates: boolean;
  /**
   * The layers of each block, in order. A block adds the output of its last layer to the block's
   * input.
   */
  readonly blocks: readonly (readonly { readonly name: string; readonly activated: boolean }[])[];
  /** Names of the layers that a genome net can scale and shift. */
  readonly modulated: readonly string[];
}

/**
 * The trunk (the middle layers) of each kind of update net. 'simple' and 'res4' are from Palm et
 * al. 2022. All blocks of a trunk must have the same layers, because the engine's C and WGSL code
 * requires this.
 */
const TRUNKS: Readonly<Record<Exclude<Card['update']['kind'], 'decoder'>, Trunk>> = {
  simple: { activates: true, blocks: [], modulated: ['perceive'] },
  residual: {
    activates: true,
    blocks: [[{ name: 'hidden', activated: true }]],
    modulated: ['perceive', 'hidden'],
  },
  res4: {
    activates: false,
    blocks: [0, 1, 2, 3].map((i) => [
      { name: `block${i}.inner`, activated: true },
      { name: `block${i}.outer`, activated: false },
    ]),
    modulated: ['perceive'],
  },
};

/**
 * Returns the layers between an update net's first and last layer. @throws RangeError if the net is
 * a decoder
 */
export function trunkOf({ kind }: Pick<Card['update'], 'kind'>): Trunk {
  if (kind === 'decoder') throw new RangeError('a decoder has no cell rule');
  return TRUNKS[kind];
}

/** Lists the names of an update net's layers in the order of computation. */
export const cellLayers = (update: Pick<Card['update'], 'kind'>): string[] => [
  'perceive',
  ...trunkOf(update)
    .blocks.flat()
    .map(({ name }) => name),
  'out',
];

/** The operations that `runTrunk` uses. `T` holds the units of one or more cells. */
export interface TrunkOperations<T> {
  activate(x: T): T;
  layer(name: string, x: T): T;
  add(a: T, b: T): T;
}

/**
 * Computes the layers between an update net's first and last layer, with the given operations.
 *
 * @param perception output of the first layer, [hidden] for each cell
 * @returns [hidden] for each cell
 */
export function runTrunk<T>(
  update: Pick<Card['update'], 'kind'>,
  perception: T,
  { activate, layer, add }: TrunkOperations<T>,
): T {
  const { activates, blocks } = trunkOf(update);
  let cells = activates ? activate(perception) : perception;
  for (const block of blocks) {
    let inner = cells;
    for (const { name, activated } of block) {
      const sums = layer(name, inner);
      inner = activated ? activate(sums) : sums;
    }
    cells = add(cells, inner);
  }
  return cells;
}

/** Lists the name and shape of every tensor of an update net. */
export function updateShapes(card: Architecture): Map<string, readonly number[]> {
  const { channels: c, latentSize: z, update } = card;
  const h = update.hidden;
  if (update.kind === 'decoder') return decoderShapes(z, h, update.doublings, c);
  const shapes = new Map<string, readonly number[]>();
  const layer = (name: string, kernel: readonly number[], bias = true): void => {
    shapes.set(`update.${name}.kernel`, kernel);
    if (bias) shapes.set(`update.${name}.bias`, kernel.slice(-1));
  };
  layer('perceive', [3, 3, c, h]);
  if (update.genome) {
    layer('genome', [z, update.genome.hidden]);
    layer('modulation', [update.genome.hidden, genomeLayout(card).size]);
  } else if (update.standingInput) layer('genome', [z, h], false);
  for (const name of cellLayers(update).slice(1, -1)) layer(name, [h, h]);
  layer('out', [h, c], update.kind !== 'simple' || update.outBias);
  return shapes;
}

/** Side of a decoder's convolution kernels. */
export const DECODER_KERNEL = 5;

/**
 * Lists the name and shape of every tensor of a decoder. The kernels are [k, k, out, in], because
 * the convolutions are transposed.
 */
function decoderShapes(latentSize: number, hidden: number, doublings: number, channels: number) {
  const shapes = new Map<string, readonly number[]>([
    ['update.dense.kernel', [latentSize, 4 * hidden]],
    ['update.dense.bias', [4 * hidden]],
  ]);
  for (let i = 0; i <= doublings; i++) {
    const out = i < doublings ? hidden / 2 ** (i + 1) : channels;
    const k = DECODER_KERNEL;
    shapes.set(`update.convolution${i}.kernel`, [k, k, out, hidden / 2 ** i]);
    shapes.set(`update.convolution${i}.bias`, [out]);
  }
  return shapes;
}

/** Computes the layout of the genome net's output: the offset of each part, and the total size. */
export function genomeLayout({ channels, update }: Pick<Architecture, 'channels' | 'update'>) {
  const { hidden, genome } = update;
  const layers: Record<string, { readonly scales?: number; readonly shifts: number }> = {};
  let at = 0;
  for (const layer of trunkOf(update).modulated) {
    const scaled = layer !== 'perceive' || (genome?.scalesPerception ?? true);
    layers[layer] = { ...(scaled && { scales: at }), shifts: scaled ? at + hidden : at };
    at += scaled ? 2 * hidden : hidden;
  }
  const shifts = at;
  const weights = shifts + channels;
  return {
    /**
     * Where the numbers for each modulated layer begin in the genome net's output. `shifts`:
     * numbers that are added to the layer's result, [hidden]. `scales`: numbers that scale the
     * result by 1 + number, [hidden]; absent if the result is not scaled.
     */
    layers,
    /** Where the numbers that are added to the last layer's result begin, [C]. */
    shifts,
    /**
     * Where the numbers that are added to the last layer's weights begin. The numbers form a matrix
     * [hidden, expressed], with one column for each of the first `expressed` channels.
     */
    weights,
    size: weights + hidden * (genome?.expressed ?? 0),
  };
}

/**
 * Describes the first tensor that is missing or has the wrong shape. Returns undefined if all
 * tensors have the expected shapes.
 */
export function misfitOf(
  tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>,
  shapes: ReadonlyMap<string, readonly number[]>,
): string | undefined {
  for (const [name, shape] of shapes) {
    const found = tensors.get(name)?.shape;
    if (!found) return `tensor "${name}" with float32 numbers is missing`;
    if (`${found}` !== `${shape}`) return `tensor "${name}" is [${found}], not [${shape}]`;
  }
  return undefined;
}

/** Returns whether a tensor belongs to a layer that is computed once per patch, not per cell. */
export const isPerPatch = (name: string): boolean => /^update\.(genome|modulation)\./.test(name);

const numbersIn = (shapes: Iterable<readonly number[]>): number =>
  Array.from(shapes, (shape) => shape.reduce((a, b) => a * b, 1)).reduce((a, b) => a + b, 0);

/** Counts the trainable parameters of an update net. */
export const countParameters = (card: Architecture): number =>
  numbersIn(updateShapes(card).values());

/**
 * Counts the multiply–accumulate operations per cell and step, without biases and activation
 * functions. For a decoder, which has no steps, counts the operations for the whole picture,
 * divided by the number of cells.
 */
export function macPerCellStep(card: Architecture): number {
  const { update } = card;
  if (update.kind === 'decoder') {
    const shapes = updateShapes(card);
    let sum = numbersIn([shapes.get('update.dense.kernel')!]);
    for (let i = 0; i <= update.doublings; i++) {
      // In a transposed convolution, each input cell is multiplied by the whole kernel.
      sum += 4 ** (i + 1) * numbersIn([shapes.get(`update.convolution${i}.kernel`)!]);
    }
    return sum / 4 ** (update.doublings + 1);
  }
  const kernels = [...updateShapes(card)].filter(
    ([name, shape]) => shape.length > 1 && !isPerPatch(name),
  );
  return numbersIn(kernels.map(([, shape]) => shape));
}

export type Growth = Pick<Card, 'growth' | 'side'>;

export interface GrowthStep {
  /** Whether every cell divides into 2×2 before the step. */
  readonly divide: boolean;
  /** Side of the patch after any division, in cells. */
  readonly stage: number;
}

/** Returns the side of a newly planted patch, in cells. */
export function firstStage({ growth, side }: Growth): number {
  return growth.kind === 'doubling' ? growth.seedSide : side;
}

/** Lists the steps that grow a seed into a full-size patch, in order. */
export function growthSchedule(card: Growth): GrowthStep[] {
  const { growth, side } = card;
  if (growth.kind === 'uniform') {
    return Array.from({ length: growth.steps }, () => ({ divide: false, stage: side }));
  }
  const schedule: GrowthStep[] = [];
  for (let stage = growth.seedSide; stage <= side; stage *= 2) {
    for (let i = 0; i < growth.stepsPerStage; i++) {
      schedule.push({ divide: i === 0 && stage > growth.seedSide, stage });
    }
  }
  return schedule;
}

/**
 * Creates the state of a newly planted patch, [s, s, C]. Every cell holds the first C values of the
 * latent.
 *
 * @param latent [Z], where Z ≥ C
 * @param stage side s of the patch, in cells
 */
export function seedState(latent: Float32Array, stage: number, channels: number): Float32Array {
  const cell = latent.subarray(0, channels);
  const state = new Float32Array(stage * stage * channels);
  for (let at = 0; at < state.length; at += channels) state.set(cell, at);
  return state;
}

/**
 * Divides every cell of a state into 2×2 equal cells.
 *
 * @param target receives the new state, [2s, 2s, C], starting at index `offset`
 * @param source the state to divide, [s, s, C]
 */
export function divideInto(
  target: Float32Array,
  offset: number,
  source: Float32Array,
  channels: number,
): void {
  const stage = Math.sqrt(source.length / channels);
  const row = 2 * stage * channels;
  for (let j = 0; j < stage; j++) {
    const upper = offset + 2 * j * row;
    for (let i = 0; i < stage; i++) {
      const from = (j * stage + i) * channels;
      const to = upper + 2 * i * channels;
      for (let c = 0; c < channels; c++) {
        const value = source[from + c];
        target[to + c] = value;
        target[to + channels + c] = value;
      }
    }
    target.copyWithin(upper + row, upper, upper + row);
  }
}

/** Divides every cell of a state into 2×2 equal cells: [s, s, C] → [2s, 2s, C]. */
export function divide(state: Float32Array, channels: number): Float32Array {
  const divided = new Float32Array(4 * state.length);
  divideInto(divided, 0, state, channels);
  return divided;
}
