/**
 * Plans how a net is partitioned on a GPU, and defines the layout of the buffers that the net's
 * kernels read and write.
 *
 * A workgroup steps one tile of a patch through the whole net. Each thread holds some cells and
 * some units of the current layer in registers. Workgroup memory holds the values of the cells and
 * the next rows of weights. Values are in groups of four, because a GPU loads four values in one
 * operation.
 */
import { cellLayers, genomeLayout } from '../../vnca/architecture.ts';
import type { Card } from '../../vnca/card.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import { MAX_GENOMES } from '../../vnca/chimera.ts';
import { readGenome } from '../../vnca/genome.ts';
import { EngineError } from '../engine.ts';

/** Distribution of a layer's units over the threads of a workgroup, in groups of four units. */
export interface Columns {
  /** Number of groups of units that each thread computes. */
  readonly perThread: number;
  /** Total number of groups over all threads. Groups beyond the layer's units hold zeros. */
  readonly all: number;
}

/** The sizes for which the GPU kernels of a net are generated. */
export type Plan = ReturnType<typeof planFor>;

/** Returns the number of groups of four that this number of values needs. */
export const groupsOf = (values: number): number => Math.ceil(values / 4);

/**
 * Tile sizes [width, height] in cells, most efficient first. A larger tile is more efficient
 * because more cells share each loaded weight.
 */
const TILES = [
  [8, 8],
  [8, 4],
  [4, 4],
  [4, 2],
  [2, 2],
] as const;
const CELLS_PER_THREAD = 4;
/**
 * Maximum number of groups of units per thread. At this maximum, a thread holds 4 cells × 4 groups
 * × 4 values, which leaves enough registers for everything else.
 */
const MAX_COLUMNS = 4;
/** Size of a group of four float32 values, in bytes. */
export const GROUP_BYTES = 16;
/** Workgroup memory reserved for a kernel's other variables, in bytes. */
const SPARE_BYTES = 64;
/**
 * Maximum size of the weights that are held in workgroup memory at the same time, in bytes. Holding
 * more would save no time, and would prevent the GPU from running a second workgroup in parallel.
 */
const MAX_WEIGHT_BYTES = 12_288;

/**
 * Computes the sizes of a net's kernels for a GPU with these limits.
 *
 * @throws EngineError unavailable if the net is too wide for the GPU
 */
export function planFor(
  { channels, update }: Pick<Card, 'channels' | 'update'>,
  limits: Pick<
    GPUSupportedLimits,
    | 'maxComputeWorkgroupStorageSize'
    | 'maxComputeInvocationsPerWorkgroup'
    | 'maxComputeWorkgroupSizeX'
  >,
) {
  const space = Math.floor((limits.maxComputeWorkgroupStorageSize - SPARE_BYTES) / GROUP_BYTES);
  const c = groupsOf(channels);
  const h = groupsOf(update.hidden);
  const unitThreads = Math.max(Math.ceil(h / bestColumns(h)), Math.ceil(c / MAX_COLUMNS));
  const columnsOf = (groups: number): Columns => {
    const perThread = Math.ceil(groups / unitThreads);
    return { perThread, all: perThread * unitThreads };
  };
  const [hiddenColumns, outColumns] = [columnsOf(h), columnsOf(c)];
  const widest = Math.max(hiddenColumns.all, outColumns.all);

  for (const [tileWidth, tileHeight] of TILES) {
    const cells = tileWidth * tileHeight;
    const cellThreads = cells / Math.min(CELLS_PER_THREAD, cells);
    const threads = cellThreads * unitThreads;
    const withBorder = (tileWidth + 2) * (tileHeight + 2);
    const cellSpace = Math.max(cells * hiddenColumns.all, withBorder * Math.min(c, MAX_PERCEIVED));
    const weightSpace = Math.min(space - cellSpace, MAX_WEIGHT_BYTES / GROUP_BYTES);
    const rows = (inputs: number, columns: Columns): number =>
      evenly(inputs, Math.floor(weightSpace / (4 * columns.all)));
    if (weightSpace < 4 * widest) continue;
    if (threads > limits.maxComputeInvocationsPerWorkgroup) continue;
    if (threads > limits.maxComputeWorkgroupSizeX) continue;
    const perceived = evenly(c, Math.floor(cellSpace / withBorder));
    return {
      threads,
      ...{ tileWidth, tileHeight },
      /** Number of cells in a tile. */
      cells,
      cellsPerThread: cells / cellThreads,
      /**
       * Number of threads that hold different cells. All further threads hold the same cells as one
       * of these threads, but compute other units.
       */
      cellThreads,
      /**
       * Number of groups of four channels, and number of groups of four units of a hidden layer.
       */
      ...{ channels: c, hidden: h },
      ...{ hiddenColumns, outColumns },
      /**
       * Number of groups of four channels that are held in workgroup memory at the same time, for
       * the cells of a tile and its border.
       */
      perceived,
      /**
       * Number of groups of four inputs whose weights are held in workgroup memory at the same
       * time: for perception, for hidden layers, and for the last layer.
       */
      perceiveRows: rows(perceived, hiddenColumns),
      hiddenRows: rows(h, hiddenColumns),
      outRows: rows(h, outColumns),
      /** Size of the workgroup memory for cells and for weights, in groups of four values. */
      ...{ cellSpace, weightSpace },
    };
  }
  throw new EngineError(
    'unavailable',
    `a net of ${update.hidden} hidden units is too wide for this GPU's workgroup memory`,
  );
}

/**
 * Maximum number of groups of four channels for which the plan reserves workgroup memory, for the
 * cells of a tile and its border. Nets with fewer groups of channels need less memory.
 */
const MAX_PERCEIVED = 12;

/**
 * Returns the number of columns (groups of units) per thread that leaves the fewest columns unused.
 * If several numbers leave equally few unused, returns the largest.
 */
function bestColumns(groups: number): number {
  let best = 1;
  const empty = (columns: number): number => Math.ceil(groups / columns) * columns - groups;
  for (let columns = 2; columns <= MAX_COLUMNS; columns++) {
    if (empty(columns) <= empty(best)) best = columns;
  }
  return best;
}

/**
 * Splits a total into as few nearly equal portions as possible, each of at most `most`. Returns the
 * size of the largest portion; 0 if `most` is less than 1.
 */
function evenly(total: number, most: number): number {
  return most < 1 ? 0 : Math.ceil(total / Math.ceil(total / most));
}

/** Number of workgroups per row of a dispatch. It is below the limit of every GPU. */
export const ROW = 32_768;

/**
 * Number of words in a section of the work buffer before its jobs (steps of single patches): the
 * number of tiles, the offset of the list of tiles, and two unused words.
 */
export const JOBS_AT = 4;

/** Fields of a job (the step of one patch) in the work buffer, in order. Each field is one word. */
export const JOB_FIELDS = [
  'source',
  'destination',
  'seen',
  'record',
  'side',
  'keep',
  'closed',
  'answer',
  'flags',
] as const;

/** Flag of a job: every cell divides into 2×2 before the step. */
export const DIVIDES = 1;
/** Flag of a job: the kernel compares the picture with the patch's last picture. */
export const COMPARES = 2;

/**
 * Number of words at the beginning of an answer, before RGBA and aliveness. The first word is the
 * largest change of any value of the picture, or `BROKEN`. The second word is the random seed of
 * the step.
 */
export const ANSWER_HEAD = 2;
/** Value that an answer has instead of the largest change if a new state is NaN or infinite. */
export const BROKEN = 256;

/** Returns the number of words in the answer for a patch of this side. */
export const answerWords = (stage: number): number =>
  ANSWER_HEAD + stage * stage + Math.ceil((stage * stage) / 4);

export const tilesOf = (stage: number, { tileWidth, tileHeight }: Plan): number =>
  Math.ceil(stage / tileWidth) * Math.ceil(stage / tileHeight);
/** Returns the number of words in a mask, which has one bit per cell. */
export const maskWords = (cells: number): number => Math.ceil(cells / 32);

/** Returns the maximum number of words that one patch of this side needs in the work buffer. */
export const maxWorkWords = (stage: number, plan: Plan): number =>
  JOB_FIELDS.length + 2 * tilesOf(stage, plan) + 2 * maskWords(stage * stage);

/**
 * Alignment of the sections of the work buffer, in words. Each page (buffers with slots for several
 * patches) has one section.
 */
export const SECTION_WORDS = 64;

/**
 * Packs the weights of all layers into one array. Each input of a layer has one row of weights,
 * padded with zeros to the plan's number of units. Rows of zeros are added to each layer, so that
 * its number of inputs is a multiple of four. The layer 'perceive' has such rows for each of the
 * nine cells of its kernel: [9, inputs].
 *
 * @returns the offset of each layer, in groups of four values, and the values
 */
export function packWeights({ card, tensors }: Model, plan: Plan) {
  let size = 0;
  const parts = cellLayers(card.update).map((layer) => {
    const { data: kernel } = tensors.get(`update.${layer}.kernel`)!;
    const perceives = layer === 'perceive';
    const width = 4 * (layer === 'out' ? plan.outColumns : plan.hiddenColumns).all;
    const taps = perceives ? 9 : 1;
    const inputs = perceives ? card.channels : card.update.hidden;
    const rows = 4 * (perceives ? plan.channels : plan.hidden);
    const at = size;
    size += taps * rows * width;
    return { layer, kernel, taps, inputs, rows, width, at };
  });
  const values = new Float32Array(size);
  for (const { kernel, taps, inputs, rows, width, at } of parts) {
    const units = kernel.length / (taps * inputs);
    for (let tap = 0; tap < taps; tap++) {
      for (let i = 0; i < inputs; i++) {
        const from = (tap * inputs + i) * units;
        values.set(kernel.subarray(from, from + units), at + (tap * rows + i) * width);
      }
    }
  }
  const offsets = new Map(parts.map(({ layer, at }) => [layer, at / 4]));
  return { offsets, data: values };
}

export type RecordLayout = ReturnType<typeof recordLayout>;

/**
 * Computes the layout of a genome's record, which holds the scales, shifts and weights that a
 * genome gives the layers. All offsets and sizes are in groups of four values.
 */
export function recordLayout(card: Card, plan: Plan) {
  const { update } = card;
  const modulated = update.genome ? genomeLayout(card).layers : {};
  const layers = new Map<string, { scales?: number; shifts: number }>();
  let at = 0;
  for (const layer of cellLayers(update)) {
    const { all } = layer === 'out' ? plan.outColumns : plan.hiddenColumns;
    const scaled = modulated[layer]?.scales !== undefined;
    layers.set(layer, { ...(scaled && { scales: at }), shifts: scaled ? at + all : at });
    at += scaled ? 2 * all : all;
  }
  const ownGroups = groupsOf(update.genome?.expressed ?? 0);
  const size = at + 4 * plan.hidden * ownGroups;
  return {
    /**
     * For each layer, beginning with 'perceive', the offsets of its shifts and, if it has any, of
     * its scales. The shifts take `Columns.all` groups, and so do the scales.
     */
    layers,
    /**
     * `own` is the offset of the genome's own weights for the last layer, [hidden rows, ownGroups].
     * These weights apply to the first `ownGroups` groups of channels.
     */
    ...{ own: at, ownGroups },
    size,
    /**
     * Each patch has space for `MAX_GENOMES` records. `mix` is the offset of the data after these
     * records: one group of four values per cell, which holds the weight of each genome for the
     * cell.
     */
    ...{ mix: MAX_GENOMES * size, patchSize: MAX_GENOMES * size + card.side * card.side },
    /**
     * Whether all patches share one record, which is the case if the rule has no standing input.
     */
    shared: !update.standingInput,
  };
}

/**
 * Computes the numbers of a genome's record, [size, 4].
 *
 * @param latent [Z]; absent if all patches share one record
 */
export function packRecord(model: Model, layout: RecordLayout, latent?: Float32Array) {
  const { card, tensors } = model;
  const { channels, update } = card;
  const record = new Float32Array(4 * layout.size);
  const modulation = latent && readGenome(model, latent, Float64Array);
  const genome = genomeLayout(card);
  const parts: typeof genome.layers = update.genome
    ? { ...genome.layers, out: { shifts: genome.shifts } }
    : { perceive: { shifts: 0 } };
  for (const [layer, { scales, shifts }] of layout.layers) {
    const bias = tensors.get(`update.${layer}.bias`)?.data;
    const units = layer === 'out' ? channels : update.hidden;
    const from = parts[layer];
    for (let unit = 0; unit < units; unit++) {
      const scale = scales === undefined ? 1 : 1 + modulation![from.scales! + unit];
      if (scales !== undefined) record[4 * scales + unit] = scale;
      const shift = modulation && from ? modulation[from.shifts + unit] : 0;
      record[4 * shifts + unit] = (bias?.[unit] ?? 0) * scale + shift;
    }
  }
  const expressed = update.genome?.expressed ?? 0;
  if (modulation && expressed > 0) {
    const kernel = tensors.get('update.out.kernel')!.data;
    const width = 4 * layout.ownGroups;
    for (let unit = 0; unit < update.hidden; unit++) {
      for (let c = 0; c < Math.min(width, channels); c++) {
        const own = c < expressed ? modulation[genome.weights + unit * expressed + c] : 0;
        record[4 * layout.own + unit * width + c] = kernel[unit * channels + c] + own;
      }
    }
  }
  return record;
}
