/**
 * Determines which organism owns each grid cell after a step (rules OWN-1 … OWN-5). The code uses
 * plain loops, because it runs for each cell of each awake organism in every tick.
 */
import { type Rect, stageRect } from '../../shared/geometry.ts';
import type { OrganismId } from '../../shared/vocabulary.ts';
import type { Readout } from '../engine/engine.ts';
import { coloursOf, type GridPlanes } from './grid-planes.ts';
import type { Organism, Population } from './organisms/organism.ts';
import { isTurning } from './organisms/transformation.ts';

/** Side of the square that a growing organism always owns in the middle of its window, in cells. */
export const SEED_SIDE = 2;

/** Returns the grid cells that an organism owns from planting until it is grown. */
export function seedPlaces(window: Rect, grid: GridPlanes): number[] {
  const places: number[] = [];
  grid.each(stageRect(window, SEED_SIDE), (place) => places.push(place));
  return places;
}

/** An organism that has just taken a step, and the engine's read-out (picture and aliveness). */
export interface Stepped {
  readonly organism: Organism;
  readonly readout: Readout;
}

/**
 * Updates the owners and colours of cells after a step.
 *
 * @param stepped the organisms that have stepped, oldest first
 * @param threshold minimum aliveness at which an organism claims a cell, 0…255. An organism
 *   releases a cell only below half of this aliveness, so that borders do not flicker
 * @returns the number of cells that each organism owns now
 */
export function settle(grid: GridPlanes, stepped: readonly Stepped[], threshold: number): number[] {
  // First let all organisms release their faint cells, so that every organism can claim a freed
  // cell. If several organisms can claim a cell, the oldest gets it.
  for (const one of stepped) releaseWeak(grid, one, threshold);
  return stepped.map((one) => claimLive(grid, one, threshold));
}

function releaseWeak(grid: GridPlanes, { organism, readout }: Stepped, threshold: number): void {
  const { id, window, phase, expression } = organism;
  // Release nothing in two cases. An organism that looks like a relative (a similar creature) needs
  // all its cells when it returns to its own shape. While an organism's genome changes, its living
  // cells may be faint for a moment.
  if (expression || isTurning(organism)) return;
  const { stage, presence } = readout;
  const { owner } = grid.planes;
  const held = phase === 'growing' ? seedPlaces(window, grid) : [];
  const { x, y } = stageRect(window, stage);
  for (let row = 0, cell = 0; row < stage; row++) {
    const from = grid.place(x, y + row);
    for (let place = from; place < from + stage; place++, cell++) {
      if (owner[place] !== id || presence[cell] >= threshold / 2 || held.includes(place)) continue;
      grid.release(place);
    }
  }
}

function claimLive(grid: GridPlanes, { organism, readout }: Stepped, threshold: number): number {
  const { id, window, pressing } = organism;
  const { stage, presence } = readout;
  const { owner } = grid.planes;
  const colours = coloursOf(readout.rgba);
  const { x, y } = stageRect(window, stage);
  let held = 0;
  for (let row = 0, cell = 0; row < stage; row++) {
    const from = grid.place(x, y + row);
    let inWindow = (y - window.y + row) * window.width + x - window.x;
    for (let place = from; place < from + stage; place++, cell++, inWindow++) {
      const live = presence[cell] >= threshold;
      if (live && owner[place] === 0) grid.claim(place, id);
      if (owner[place] === id) {
        grid.paint(place, colours[cell]);
        pressing[inWindow] = 0;
        held++;
      } else if (owner[place] === 0) pressing[inWindow] = 0;
      // Another organism owns this position. If this organism's cell is live, record that it is
      // blocked here. If the cell is faint, keep the old value: even a blocked cell can be faint,
      // because the engine sets blocked cells to zero in each step.
      else if (live) pressing[inWindow] = 1;
    }
  }
  return held;
}

/**
 * Computes which cells of an organism keep their state in the next step. A cell loses its state if
 * a stroke has hit it, or if another organism owns its position.
 *
 * @param stage side of the organism in the next step
 * @returns `keep`: [stage, stage] 1 if the cell keeps its state, otherwise 0; undefined if all
 *   cells keep their state. `alive`: whether any cell keeps its state
 */
export function keepMask(
  grid: GridPlanes,
  { id, window, woundMask: cover }: Organism,
  stage: number,
): { keep: Uint8Array | undefined; alive: boolean } {
  const { owner } = grid.planes;
  const { x, y } = stageRect(window, stage);
  let keep: Uint8Array | undefined;
  let remaining = stage * stage;
  for (let row = 0, cell = 0; row < stage; row++) {
    const from = grid.place(x, y + row);
    for (let place = from; place < from + stage; place++, cell++) {
      const blocked = owner[place] !== 0 && owner[place] !== id;
      if (!blocked && cover?.[cell] !== 1) continue;
      keep ??= new Uint8Array(stage * stage).fill(1);
      keep[cell] = 0;
      remaining--;
    }
  }
  return { keep, alive: remaining > 0 };
}

/**
 * For each neighbour of an organism, counts the positions at which the organism would have a live
 * cell if the neighbour did not own them.
 */
export function blockersOf(
  { id, window, pressing }: Organism,
  grid: GridPlanes,
): Map<OrganismId, number> {
  const counts = new Map<OrganismId, number>();
  grid.each(window, (place, cell) => {
    const owner = grid.ownerAt(place);
    if (pressing[cell] === 0 || owner === 0 || owner === id) return;
    counts.set(owner, (counts.get(owner) ?? 0) + 1);
  });
  return counts;
}

/**
 * Frees the cells that a dead organism owned and the cells that it had already lost by dissolving,
 * so that organisms that were blocked on these cells can wake and claim them.
 */
export function leaveGround(organism: Organism, grid: GridPlanes, population: Population): void {
  const freed: number[] = [];
  grid.each(organism.window, (place) => {
    if (grid.ownerAt(place) !== organism.id) return;
    grid.release(place);
    freed.push(place);
  });
  letTryAgain(freed, population);
  if (organism.dissolving !== undefined) offerLost(organism, grid, population);
}

/**
 * Offers other organisms the cells that an organism has lost by dissolving: sleeping organisms that
 * were blocked on these cells wake at the end of the tick.
 */
export function offerLost(
  { window, seen }: Organism,
  grid: GridPlanes,
  population: Population,
): void {
  const lost: number[] = [];
  // An organism that is still a seed has no picture, so use its whole window.
  grid.each(seen ? stageRect(window, Math.sqrt(seen.length / 4)) : window, (place, cell) => {
    const wasThere = !seen || seen[4 * cell + 3] > 0;
    if (wasThere && grid.ownerAt(place) === 0) lost.push(place);
  });
  for (const place of lost) grid.offer(place);
  letTryAgain(lost, population);
}

/**
 * Allows sleeping organisms that are blocked on these cells to wake again. Resets `stirs`, which
 * counts how often freed cells have woken an organism, and is limited.
 */
function letTryAgain(places: readonly number[], population: Population): void {
  for (const neighbour of population.pressingOn(places)) neighbour.stirs = 0;
}
