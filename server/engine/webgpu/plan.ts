/**
 * How a net is cut up for a GPU. A workgroup steps a tile of one patch through the whole net: each thread holds some cells
 * and some units of the layer at hand in registers; cells' values and the weights' next rows lie in workgroup memory.
 * Everything is in groups of four values, which is what a GPU moves at once.
 */
import type { Card } from '../../vnca/card.ts';
import { EngineError } from '../engine.ts';

export interface Columns {
  /** Groups of units that one thread holds. */
  readonly perThread: number;
  /** Of all threads; what exceeds the layer is zero. */
  readonly all: number;
}

export interface Plan {
  /** Weights and what lies in workgroup memory have 16 bits; states and sums 32. */
  readonly half: boolean;
  readonly threads: number;
  readonly tileWidth: number;
  readonly tileHeight: number;
  /** Cells of a tile. */
  readonly cells: number;
  readonly cellsPerThread: number;
  /** Threads side by side over the cells; the others share the same cells and hold other units. */
  readonly cellThreads: number;
  /** Groups of channels, of units of the hidden layers. */
  readonly channels: number;
  readonly hidden: number;
  readonly hiddenColumns: Columns;
  readonly outColumns: Columns;
  /** Groups of channels of a tile and the cells around it that are in workgroup memory at once. */
  readonly perceived: number;
  /** Groups of inputs whose weights are in workgroup memory at once, when cells perceive, and later. */
  readonly perceiveRows: number;
  readonly hiddenRows: number;
  readonly outRows: number;
  /** Groups of values in workgroup memory for cells and for weights. */
  readonly cellSpace: number;
  readonly weightSpace: number;
}

export type PlanLimits = Pick<
  GPUSupportedLimits,
  | 'maxComputeWorkgroupStorageSize'
  | 'maxComputeInvocationsPerWorkgroup'
  | 'maxComputeWorkgroupSizeX'
>;

export const groupsOf = (values: number): number => Math.ceil(values / 4);

/** Tiles from the most economic to the least: the larger, the more cells use a weight once it is fetched. */
const TILES = [
  [8, 8],
  [8, 4],
  [4, 4],
  [4, 2],
  [2, 2],
] as const;
const CELLS_PER_THREAD = 4;
/** Groups of units a thread may hold for each of its cells: 4 × 4 × 4 sums leave registers for the rest. */
const MOST_COLUMNS = 4;
/** Left for the few counters a shader keeps beside cells and weights. */
const SPARE_BYTES = 64;
/** More staged rows save no time, and leave no room for a second workgroup beside this one. */
const MOST_WEIGHT_BYTES = 12_288;

/** @throws EngineError unavailable: the net is too wide for this GPU */
export function planFor(
  { channels, update }: Pick<Card, 'channels' | 'update'>,
  limits: PlanLimits,
  half: boolean,
): Plan {
  const groupBytes = half ? 8 : 16;
  const space = Math.floor((limits.maxComputeWorkgroupStorageSize - SPARE_BYTES) / groupBytes);
  const c = groupsOf(channels);
  const h = groupsOf(update.hidden);
  const unitThreads = Math.max(Math.ceil(h / bestColumns(h)), Math.ceil(c / MOST_COLUMNS));
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
    const around = (tileWidth + 2) * (tileHeight + 2);
    const cellSpace = Math.max(cells * hiddenColumns.all, around * Math.min(c, MOST_PERCEIVED));
    const weightSpace = Math.min(space - cellSpace, MOST_WEIGHT_BYTES / groupBytes);
    const rows = (inputs: number, columns: Columns): number =>
      evenly(inputs, Math.floor(weightSpace / (4 * columns.all)));
    if (weightSpace < 4 * widest) continue;
    if (threads > limits.maxComputeInvocationsPerWorkgroup) continue;
    if (threads > limits.maxComputeWorkgroupSizeX) continue;
    const perceived = evenly(c, Math.floor(cellSpace / around));
    return {
      ...{ half, threads, tileWidth, tileHeight, cells, cellThreads },
      cellsPerThread: cells / cellThreads,
      ...{ channels: c, hidden: h, hiddenColumns, outColumns, perceived },
      perceiveRows: rows(perceived, hiddenColumns),
      hiddenRows: rows(h, hiddenColumns),
      outRows: rows(h, outColumns),
      ...{ cellSpace, weightSpace },
    };
  }
  throw new EngineError(
    'unavailable',
    `a net of ${update.hidden} hidden units is too wide for this GPU's workgroup memory`,
  );
}

/** Groups of channels a tile holds at least, where the hidden layer asks for less. */
const MOST_PERCEIVED = 12;

/** How many columns a thread holds: as many as it may, as long as few are left empty. */
function bestColumns(groups: number): number {
  let best = 1;
  const empty = (columns: number): number => Math.ceil(groups / columns) * columns - groups;
  for (let columns = 2; columns <= MOST_COLUMNS; columns++) {
    if (empty(columns) <= empty(best)) best = columns;
  }
  return best;
}

/** The size of equal portions of at most `most` that a whole can be taken in; 0 where nothing fits. */
function evenly(whole: number, most: number): number {
  return most < 1 ? 0 : Math.ceil(whole / Math.ceil(whole / most));
}
