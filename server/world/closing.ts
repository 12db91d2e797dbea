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
  const near = distances(lives, width, (cell) => isClosed[cell] === 1);
  const stepsTo = (distance: number): number => Math.ceil(distance / reach);
  let last = 0;
  for (let cell = 0; cell < near.length; cell++) last = Math.max(last, stepsTo(near[cell]));
  // Parts that lie apart follow when the rest has closed.
  const far = distances(lives, width, () => true);
  return isClosed.map((is, cell) => {
    if (!is) return 0;
    const steps = near[cell] > 0 ? stepsTo(near[cell]) : last + stepsTo(far[cell]);
    return Math.min(LATEST, steps);
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
 * @param passes whether the way may lead over a cell
 * @returns [S, S]; 0 also where no way leads
 */
function distances(from: Uint8Array, width: number, passes: (cell: number) => boolean) {
  const found = new Uint16Array(from.length);
  const queue: number[] = [];
  from.forEach((is, cell) => {
    if (is) queue.push(cell);
  });
  for (let i = 0; i < queue.length; i++) {
    const cell = queue[i];
    const x = cell % width;
    const visit = (next: number): void => {
      if (from[next] || found[next] > 0 || !passes(next)) return;
      found[next] = found[cell] + 1;
      queue.push(next);
    };
    if (x > 0) visit(cell - 1);
    if (x < width - 1) visit(cell + 1);
    if (cell >= width) visit(cell - width);
    if (cell < from.length - width) visit(cell + width);
  }
  return found;
}
