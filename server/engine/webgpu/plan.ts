/**
 * How a net is partitioned on a GPU. A workgroup steps one tile of a patch through the total net.
 * Each thread holds some cells and some units of the current layer in registers; the values of the
 * cells and the next rows of weights are in workgroup memory. Values come in groups of four, which
 * a GPU loads at once.
 */
import type { Card } from '../../vnca/card.ts';
import { EngineError } from '../engine.ts';

/** How the units of a layer are distributed over threads, in groups of four. */
export interface Columns {
  /** Groups of units per thread. */
  readonly perThread: number;
  /** Groups of all threads; those beyond the layer are zero. */
  readonly all: number;
}

/** The sizes that the kernels of a net are generated for. */
export type Plan = ReturnType<typeof planFor>;

/** The limits of a GPU that a plan depends on. */
export type PlanLimits = Pick<
  GPUSupportedLimits,
  | 'maxComputeWorkgroupStorageSize'
  | 'maxComputeInvocationsPerWorkgroup'
  | 'maxComputeWorkgroupSizeX'
>;

/** Groups of four that hold so many values. */
export const groupsOf = (values: number): number => Math.ceil(values / 4);

/** Tile sizes, most efficient first: in a larger tile, more cells share each loaded weight. */
const TILES = [
  [8, 8],
  [8, 4],
  [4, 4],
  [4, 2],
  [2, 2],
] as const;
const CELLS_PER_THREAD = 4;
/** Groups of units per thread and cell: 4 × 4 × 4 sums leave enough registers for the rest. */
const MAX_COLUMNS = 4;
/** Bytes of a group of four values. */
export const GROUP_BYTES = 16;
/** Workgroup memory for the few counters of a kernel. */
const SPARE_BYTES = 64;
/** More staged rows save no time and keep a second workgroup from running alongside. */
const MAX_WEIGHT_BYTES = 12_288;

/** Plans a net for a GPU. @throws EngineError unavailable: the net is too wide for this GPU */
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
      /** Cells of a tile. */
      cells,
      cellsPerThread: cells / cellThreads,
      /** Threads with different cells; the others have the same cells and other units. */
      cellThreads,
      /** Groups of channels, and of units of a hidden layer. */
      ...{ channels: c, hidden: h },
      ...{ hiddenColumns, outColumns },
      /** Groups of channels of a tile and its border that are in workgroup memory at once. */
      perceived,
      /** Groups of inputs whose weights are in workgroup memory at once, for each kind of layer. */
      perceiveRows: rows(perceived, hiddenColumns),
      hiddenRows: rows(h, hiddenColumns),
      outRows: rows(h, outColumns),
      /** Workgroup memory for cells and for weights, in groups of values. */
      ...{ cellSpace, weightSpace },
    };
  }
  throw new EngineError(
    'unavailable',
    `a net of ${update.hidden} hidden units is too wide for this GPU's workgroup memory`,
  );
}

/** Groups of channels that a tile has room for at least, if the net has as many. */
const MAX_PERCEIVED = 12;

/** Columns per thread: the largest number that leaves the fewest columns empty. */
function bestColumns(groups: number): number {
  let best = 1;
  const empty = (columns: number): number => Math.ceil(groups / columns) * columns - groups;
  for (let columns = 2; columns <= MAX_COLUMNS; columns++) {
    if (empty(columns) <= empty(best)) best = columns;
  }
  return best;
}

/** The size of equal portions, at most `most`, that a total is split into; 0 if nothing fits. */
function evenly(total: number, most: number): number {
  return most < 1 ? 0 : Math.ceil(total / Math.ceil(total / most));
}
