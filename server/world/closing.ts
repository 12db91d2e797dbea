/**
 * Wounds that close from their rim (rules CLO-1 … CLO-4): where a stroke has killed cells, none can
 * live until living ones are near. A rule that reads its genome in every cell would otherwise bring
 * all of them back at once.
 */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { GridPlanes } from './grid-planes.ts';
import type { Organism } from './organism.ts';

/** Marks the places as closed that strokes have hit since the organism's last step. */
export function closeHit(organism: Organism): void {
  const { woundMask, closed } = organism;
  if (!woundMask) return;
  organism.closed = closed ? woundMask.map((hit, cell) => hit | closed[cell]) : woundMask.slice();
  organism.stalled = undefined;
}

/**
 * Opens the closed places that have come to lie near living cells. What they cannot reach, as a
 * part of the body that lies apart, opens when no place has opened for some steps. Call after a
 * step.
 *
 * @param reach how near, in steps to one of four neighbours; undefined: all open
 */
export function openRim(organism: Organism, grid: GridPlanes, reach = Infinity): void {
  const { closed, window } = organism;
  if (!closed) return;
  const near = nearLiving(organism, grid, Math.min(reach, window.width + window.height));
  let left = 0;
  let opened = 0;
  for (let cell = 0; cell < closed.length; cell++) {
    if (closed[cell] === 0) continue;
    if (near[cell] === 1) {
      closed[cell] = 0;
      opened++;
    } else left++;
  }
  const stalled = opened > 0 ? 0 : (organism.stalled ?? 0) + 1;
  const isDone = left === 0 || stalled >= DEFAULTS.life.stalledSteps;
  if (isDone) organism.closed = undefined;
  organism.stalled = isDone || stalled === 0 ? undefined : stalled;
}

/** @returns [S, S], 1 = at most `reach` steps from a place that the organism owns */
function nearLiving({ id, window }: Organism, grid: GridPlanes, reach: number): Uint8Array {
  const { width, height } = window;
  let near = new Uint8Array(width * height);
  grid.each(window, (place, cell) => {
    if (grid.ownerAt(place) === id) near[cell] = 1;
  });
  for (let k = 0; k < reach; k++) {
    const before = near;
    near = before.slice();
    for (let cell = 0; cell < near.length; cell++) {
      if (before[cell] === 0) continue;
      const x = cell % width;
      if (x > 0) near[cell - 1] = 1;
      if (x < width - 1) near[cell + 1] = 1;
      if (cell >= width) near[cell - width] = 1;
      if (cell < near.length - width) near[cell + width] = 1;
    }
  }
  return near;
}
