/**
 * Lets wounds heal gradually, from the rim of an organism's living cells (rules CLO-1 … CLO-5), and
 * decides when an organism has healed. A killed cell stays closed (cannot live) until the rim
 * reaches it. Without closed cells, a network that reads the genome in every cell would bring back
 * all killed cells immediately.
 */
import { stageRect } from '../../shared/geometry.ts';
import type { GridPlanes } from './grid-planes.ts';
import type { Organism } from './organisms/organism.ts';
import { seedPlaces } from './ownership.ts';
import { growthStep, type Species } from './species.ts';

/**
 * A resting organism counts as healed if it owns at least this share of the cells that it owned
 * before the wound.
 */
const HEALED_SHARE = 0.9;
/** Maximum number of steps for which a cell stays closed. */
const LATEST = 255;

/**
 * Closes the positions of cells that an organism has just lost to a stroke: no cell can live there
 * for some steps.
 *
 * @param killed indices of the lost cells in the organism's window
 * @param reach number of cells by which the rim moves per step, ≥ 1
 */
export function close(
  organism: Organism,
  killed: readonly number[],
  grid: GridPlanes,
  reach: number,
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
 * Computes after how many steps each closed cell of a square opens.
 *
 * @param wound.isClosed [S, S] 1 for closed cells, otherwise 0
 * @param wound.lives [S, S] 1 for living cells, from which the rim advances, otherwise 0
 * @param wound.width side S of the square
 * @param wound.reach number of cells by which the rim moves per step, ≥ 1
 * @returns [S, S] 0…255; 0 for cells that are not closed
 */
export function stepsUntilOpen(wound: {
  readonly isClosed: Uint8Array;
  readonly lives: Uint8Array;
  readonly width: number;
  readonly reach: number;
}): Uint8Array {
  const { isClosed, lives, width, reach } = wound;
  const near = distances(lives, width, isClosed);
  const stepsTo = (distance: number): number => Math.ceil(distance / reach);
  const last = stepsTo(near.reduce((most, distance) => Math.max(most, distance), 0));
  // If no path of closed cells leads from a living cell to a closed cell, the rim (the edge of the
  // living cells) cannot reach this closed cell. Such cells open last.
  let far: Uint16Array | undefined;
  return isClosed.map((is, cell) => {
    if (!is) return 0;
    if (near[cell] > 0) return Math.min(LATEST, stepsTo(near[cell]));
    far ??= distances(lives, width);
    return Math.min(LATEST, last + stepsTo(far[cell]));
  });
}

/**
 * Brings an organism's closed cells one step closer to opening. Call after each step of the
 * organism.
 */
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
 * Computes the distance of each cell in a square to the nearest start cell, in steps along rows and
 * columns.
 *
 * @param from [S, S] 1 for start cells, otherwise 0
 * @param passes [S, S] 0 for cells that paths must avoid. If absent, paths may cross all cells
 * @returns [S, S]; 0 for start cells and for unreachable cells
 */
export function distances(from: Uint8Array, width: number, passes?: Uint8Array): Uint16Array {
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

/**
 * Records how many cells an organism owns when a wound begins. All hits until the organism rests
 * belong to the same wound, and only the first is recorded. Call before the stroke removes cells,
 * and before `breakOff` deletes `expression`, whose `held` is needed here.
 */
export function hurt(organism: Organism, grid: GridPlanes): void {
  const { phase, transforming } = organism;
  if (organism.hurt !== undefined && phase !== 'asleep') return;
  const own = organism.expression?.held ?? Number.POSITIVE_INFINITY;
  // While an organism grows or transforms, its final size is not known. Record 0 cells, so that the
  // wound counts as healed as soon as the organism rests.
  const isUnknown = phase === 'growing' || transforming !== undefined;
  organism.hurt = isUnknown ? 0 : Math.min(own, heldBy(organism, grid));
}

/**
 * Counts a wound as healed if a resting organism has regained enough of the cells that it owned
 * before the wound.
 *
 * @param held number of cells that the organism owns now
 * @returns whether the wound has healed
 */
export function heal(organism: Organism, held: number): boolean {
  if (organism.hurt === undefined || held < HEALED_SHARE * organism.hurt) return false;
  organism.hurt = undefined;
  // Count at most one healing per wound. A slow stroke counts as one wound, but may hit an organism
  // again after it has healed, so that it heals twice.
  organism.healed = Math.min(organism.healed + 1, organism.wounds);
  return true;
}

export function heldBy({ id, window }: Organism, grid: GridPlanes): number {
  let held = 0;
  grid.each(window, (place) => {
    if (grid.ownerAt(place) === id) held++;
  });
  return held;
}

/**
 * Releases the cells of an organism that strokes have hit since its last step. But a growing
 * organism stays the owner of the cells of its seed (rule OWN-7). If hit, these cells become
 * transparent until its next step.
 *
 * @returns `killed`: indices of the hit cells that the organism owned, in the square that the
 *   organism occupies in its next step. `lives`: whether it owns a cell that was not hit
 */
export function releaseHit(
  organism: Organism,
  grid: GridPlanes,
  species: Species,
): { readonly killed: readonly number[]; readonly lives: boolean } {
  const { id, window, phase, age, woundMask } = organism;
  const held = phase === 'growing' ? seedPlaces(window, grid) : [];
  const killed: number[] = [];
  let lives = false;
  grid.each(stageRect(window, growthStep(species, age).stage), (place, cell) => {
    if (grid.ownerAt(place) !== id) return;
    if (woundMask?.[cell] !== 1) {
      lives = true;
      return;
    }
    killed.push(cell);
    if (held.includes(place)) grid.paint(place, 0);
    else grid.release(place);
  });
  return { killed, lives };
}
