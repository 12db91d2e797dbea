/**
 * Plans how the threads of a GPU share the work of a net, and defines the layout of the buffers
 * that the net's kernels read and write.
 *
 * A workgroup steps one tile of a patch through all layers. Each thread computes some of a layer's
 * units for some of the tile's cells, and keeps the sums of weights × inputs in registers.
 * Workgroup memory holds the cells' values and the next rows of weights. Values are in groups of
 * four, which a GPU loads in one operation.
 */
import { cellLayers, genomeLayout } from '../../vnca/architecture.ts';
import type { Card } from '../../vnca/card.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import { MAX_GENOMES } from '../../vnca/chimera.ts';
import { readGenome } from '../../vnca/genome.ts';
import { EngineError } from '../engine.ts';

/**
 * How the units of a layer, in groups of four, are distributed among the threads of a workgroup.
 */
export interface Columns {
  /** Number of groups of four units that a thread computes for each of its cells. */
  readonly perThread: number;
  /**
   * Number of groups of four units that the threads compute together for each cell. Groups beyond
   * the layer's units are padding, and hold zeros.
   */
  readonly all: number;
}

/** The sizes of tiles, groups and memory for which a net's GPU kernels are generated. */
export type Plan = ReturnType<typeof planFor>;

/** Returns the number of groups of four that this number of values needs. */
export const groupsOf = (values: number): number => Math.ceil(values / 4);

/**
 * Possible sizes of a tile, [width, height], in cells. Larger tiles come first, because more cells
 * share each weight that is loaded.
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
 * Maximum number of groups of units per thread. With 4 groups, a thread has 64 sums (4 cells × 4
 * groups × 4 units), which fit in its registers.
 */
const MAX_COLUMNS = 4;
/** Size of a group of four float32 values, in bytes. */
export const GROUP_BYTES = 16;
/**
 * Workgroup memory reserved for a kernel's variables other than cells' values and weights, in
 * bytes.
 */
const SPARE_BYTES = 64;
/**
 * Maximum size of the weights in workgroup memory, in bytes. With more, too little memory would be
 * left for a second workgroup to run in parallel.
 */
const MAX_WEIGHT_BYTES = 12_288;

/**
 * Computes the sizes for a net's kernels on a GPU with the given limits.
 *
 * @throws EngineError 'unavailable' if the net is too wide for the GPU
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
       * Number of threads among which a tile's cells are divided. The workgroup's other threads
       * compute other units of the same cells.
       */
      cellThreads,
      /** Number of groups of four channels, and of groups of four hidden units. */
      ...{ channels: c, hidden: h },
      ...{ hiddenColumns, outColumns },
      /**
       * Number of groups of four channels that are in workgroup memory at a time during perception,
       * for a tile with its border.
       */
      perceived,
      /**
       * Number of inputs, in groups of four, whose weights are in workgroup memory at a time: in
       * perception, in hidden layers, and in the last layer.
       */
      perceiveRows: rows(perceived, hiddenColumns),
      hiddenRows: rows(h, hiddenColumns),
      outRows: rows(h, outColumns),
      /** Sizes of the workgroup memory for cells and for weights, in groups of four values. */
      ...{ cellSpace, weightSpace },
    };
  }
  const text = `a net of ${update.hidden} hidden units is too wide for this GPU's workgroup memory`;
  throw new EngineError('unavailable', text);
}

/**
 * Perception holds a tile with its border in workgroup memory, some groups of four channels at a
 * time. The memory is made large enough for at most this many groups. Perception holds more groups
 * only if the hidden layers need a larger memory anyway.
 */
const MAX_PERCEIVED = 12;

/**
 * Returns the number of groups per thread with which the threads need the least padding. If several
 * numbers are equally good, returns the largest.
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
 * Splits `total` into portions of nearly equal size: as few as possible, and none larger than
 * `most`.
 *
 * @returns the size of the largest portion, or 0 if `most` is less than 1
 */
function evenly(total: number, most: number): number {
  return most < 1 ? 0 : Math.ceil(total / Math.ceil(total / most));
}

/** Number of workgroups in each row of a dispatch. All GPUs allow this number. */
export const ROW = 32_768;

/**
 * A section of the work buffer begins with this many words: the number of tiles, the offset of the
 * list of tiles, and two unused words. The jobs follow.
 */
export const JOBS_AT = 4;

/** The fields of a job (the step of one patch) in the work buffer, one word each. */
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
/** Flag of a job: compare the new picture with the patch's last picture. */
export const COMPARES = 2;

/**
 * A step's answer begins with this many words: the largest change of any value of the picture (or
 * `BROKEN`), and the step's random seed. The picture follows.
 */
export const ANSWER_HEAD = 2;
/**
 * An answer contains this number instead of the largest change if the new state contains NaN or
 * infinity.
 */
export const BROKEN = 256;

/** Returns the number of words in the answer for a patch of this side. */
export const answerWords = (stage: number): number =>
  ANSWER_HEAD + stage * stage + Math.ceil((stage * stage) / 4);

export const tilesOf = (stage: number, { tileWidth, tileHeight }: Plan): number =>
  Math.ceil(stage / tileWidth) * Math.ceil(stage / tileHeight);
/** Returns the number of words in a mask, which has one bit per cell. */
export const maskWords = (cells: number): number => Math.ceil(cells / 32);

/** Returns the maximum number of words of the work buffer that a patch of this side needs. */
export const maxWorkWords = (stage: number, plan: Plan): number =>
  JOB_FIELDS.length + 2 * tilesOf(stage, plan) + 2 * maskWords(stage * stage);

/** Alignment of the sections of the work buffer, in words. */
export const SECTION_WORDS = 64;

/**
 * Packs the weights of all layers into one array. A layer is a matrix with a row for each input.
 * Rows are padded with zeros to the plan's number of units, and the number of rows to a multiple of
 * four. The layer 'perceive' has nine such matrices, one for each position in its 3×3 kernel.
 *
 * @returns `data`: the array; `offsets`: where each layer begins, in groups of four values
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
 * Computes the layout of a genome's record: the scales, shifts and last-layer weights that depend
 * on the genome. All offsets and sizes are in groups of four values.
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
     * For each layer, the offset of its shifts and, if it has scales, the offset of its scales.
     * Shifts and scales take `Columns.all` groups each.
     */
    layers,
    /**
     * `own`: offset of the genome's own weights of the last layer, [hidden rows, ownGroups]. The
     * first `ownGroups` groups of channels use these weights instead of the shared weights.
     */
    ...{ own: at, ownGroups },
    size,
    /**
     * `patchSize`: size of a patch's memory. It begins with `MAX_GENOMES` records. At the offset
     * `mix`, one group for each cell follows, which holds the share of each genome in the cell.
     */
    ...{ mix: MAX_GENOMES * size, patchSize: MAX_GENOMES * size + card.side * card.side },
    /** Whether all patches share one record. True if the update rule reads no genomes. */
    shared: !update.standingInput,
  };
}

/**
 * Computes a genome's record, [size, 4].
 *
 * @param latent the genome's latent, [Z]; absent if all patches share one record
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
