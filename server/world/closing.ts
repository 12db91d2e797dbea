/**
 * Wounds that close from their rim (rules CLO-1 … CLO-5): where a stroke has killed cells, none can
 * live until the rim has come there. A rule that reads its genome in every cell would otherwise
 * bring all of them back at once.
 */
import type { GridPlanes } from './grid-planes.ts';
import type { Organism } from './organism.ts';

/** Largest number of steps until a place opens. */
const LATEST = 255;

/**
 * Closes the places that an organism has just lost to a stroke.
 *
 * @param killed cells of its window
 * @param rim.reach places by which the rim moves in a step, ≥ 1
 */
export function close(
  organism: Organism,
  killed: readonly number[],
  { grid, reach }: { readonly grid: GridPlanes; readonly reach: number },
): void {
  const { id, window } = organism;
  const isClosed = organism.closed?.map(Math.sign) ?? new Uint8Array(window.width * window.height);
  for (const cell of killed) isClosed[cell] = 1;
  const lives = new Uint8Array(isClosed.length);
  grid.each(window, (place, cell) => {
    if (grid.ownerAt(place) === id) lives[cell] = 1;
  });
  organism.closed = stepsUntilOpen({ isClosed, lives, width: window.width, reach });
}

/**
 * Steps until each closed cell of a square opens.
 *
 * @param wound.isClosed [S, S], 1 = closed
 * @param wound.lives [S, S], 1 = the rim starts here
 * @param wound.width S
 * @param wound.reach places by which the rim moves in a step, ≥ 1
 * @returns [S, S], 0…255; 0 where nothing is closed
 */
export function stepsUntilOpen({
  isClosed,
  lives,
  width,
  reach,
}: {
  readonly isClosed: Uint8Array;
  readonly lives: Uint8Array;
  readonly width: number;
  readonly reach: number;
}): Uint8Array {
  const near = distances(lives, width, isClosed);
  const stepsTo = (distance: number): number => Math.ceil(distance / reach);
  let last = 0;
  for (let cell = 0; cell < near.length; cell++) last = Math.max(last, stepsTo(near[cell]));
  // Parts that lie apart follow when the rest has closed.
  let far: Uint16Array | undefined;
  return isClosed.map((is, cell) => {
    if (!is) return 0;
    if (near[cell] > 0) return Math.min(LATEST, stepsTo(near[cell]));
    far ??= distances(lives, width);
    return Math.min(LATEST, last + stepsTo(far[cell]));
  });
}

/** Moves the rim on by a step. Call after each step. */
export function openRim(organism: Organism): void {
  const { closed } = organism;
  if (!closed) return;
  let isOpen = true;
  for (let cell = 0; cell < closed.length; cell++) {
    if (closed[cell] === 0) continue;
    closed[cell]--;
    if (closed[cell] > 0) isOpen = false;
  }
  if (isOpen) organism.closed = undefined;
}

/**
 * Distances to the nearest of some cells of a square, in steps to one of four neighbours.
 *
 * @param from [S, S], 1 = distance 0
 * @param passes [S, S], 0 = no way leads over the cell; absent: ways lead over all
 * @returns [S, S]; 0 also where no way leads
 */
function distances(from: Uint8Array, width: number, passes?: Uint8Array): Uint16Array {
  const found = new Uint16Array(from.length);
  const queue = new Uint32Array(from.length);
  let end = 0;
  const visit = (cell: number, distance: number): void => {
    if (from[cell] || found[cell] > 0 || passes?.[cell] === 0) return;
    found[cell] = distance;
    queue[end++] = cell;
  };
  for (let cell = 0; cell < from.length; cell++) if (from[cell]) queue[end++] = cell;
  for (let i = 0; i < end; i++) {
    const cell = queue[i];
    const x = cell % width;
    const next = found[cell] + 1;
    if (x > 0) visit(cell - 1, next);
    if (x < width - 1) visit(cell + 1, next);
    if (cell >= width) visit(cell - width, next);
    if (cell < from.length - width) visit(cell + width, next);
  }
  return found;
}
