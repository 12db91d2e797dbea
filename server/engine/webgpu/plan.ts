/**
 * Plans how a net is partitioned on a GPU. A workgroup steps one tile of a patch through the whole
 * net. Each thread holds some cells and some units of the current layer in registers; the values of
 * the cells and the next rows of weights are in workgroup memory. Values are in groups of four, as
 * a GPU loads four values in one operation.
 */
import type { Card } from '../../vnca/card.ts';
import { EngineError } from '../engine.ts';

/** Distribution of a layer's units over threads, in groups of four. */
export interface Columns {
  /** Number of groups of units per thread. */
  readonly perThread: number;
  /** Total number of groups over all threads; groups beyond the layer's units are zero. */
  readonly all: number;
}

/** The sizes for which a net's kernels are generated. */
export type Plan = ReturnType<typeof planFor>;

/** The limits of a GPU that a plan depends on. */
export type PlanLimits = Pick<
  GPUSupportedLimits,
  | 'maxComputeWorkgroupStorageSize'
  | 'maxComputeInvocationsPerWorkgroup'
  | 'maxComputeWorkgroupSizeX'
>;

/** Number of groups of four needed for this number of values. */
export const groupsOf = (values: number): number => Math.ceil(values / 4);

/**
 * Tile sizes [width, height], most efficient first. A larger tile is more efficient because more
 * cells share each loaded weight.
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
 * Maximum number of groups of units per thread: 4 cells × 4 groups × 4 values leave enough
 * registers.
 */
const MAX_COLUMNS = 4;
/** Size of a group of four float32 values, in bytes. */
export const GROUP_BYTES = 16;
/** Workgroup memory reserved for a kernel's few counters, in bytes. */
const SPARE_BYTES = 64;
/**
 * Maximum size of the weights held in workgroup memory at once, in bytes. Holding more would save
 * no time and would prevent a second workgroup from running alongside.
 */
const MAX_WEIGHT_BYTES = 12_288;

/** Plans a net for a GPU. @throws EngineError unavailable if the net is too wide for this GPU */
export function planFor(
  { channels, update }: Pick<Card, 'channels' | 'update'>,
  limits: PlanLimits,
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
       * Number of threads that hold different cells. Each further thread holds the same cells as
       * one of these threads, but different units.
       */
      cellThreads,
      /** Numbers of groups: of four channels, and of four units of a hidden layer. */
      ...{ channels: c, hidden: h },
      ...{ hiddenColumns, outColumns },
      /**
       * Number of groups of channels that are in workgroup memory at once, for a tile and its
       * border.
       */
      perceived,
      /**
       * Number of groups of inputs whose weights are in workgroup memory at once, for each kind of
       * layer.
       */
      perceiveRows: rows(perceived, hiddenColumns),
      hiddenRows: rows(h, hiddenColumns),
      outRows: rows(h, outColumns),
      /** Workgroup memory for cells and for weights, in groups of four values. */
      ...{ cellSpace, weightSpace },
    };
  }
  throw new EngineError(
    'unavailable',
    `a net of ${update.hidden} hidden units is too wide for this GPU's workgroup memory`,
  );
}

/**
 * Workgroup memory must have room for this number of groups of channels of a tile with its border.
 * A net with fewer groups needs room only for its groups.
 */
const MAX_PERCEIVED = 12;

/**
 * Returns the number of columns per thread that leaves the fewest columns empty. If several numbers
 * do, returns the largest.
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
 * Splits a total into nearly equal portions of at most `most`, as few as possible. Returns the size
 * of the largest portion; 0 if `most` is less than 1.
 */
function evenly(total: number, most: number): number {
  return most < 1 ? 0 : Math.ceil(total / Math.ceil(total / most));
}
