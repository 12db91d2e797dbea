/**
 * Chooses the cells that a departing organism loses in each tick, from its rim inwards (rule
 * DEP-7).
 */
import { stageRect } from '../../shared/geometry.ts';
import { getOrAdd } from '../platform/collections.ts';
import type { GridPlanes } from './grid-planes.ts';
import { distances } from './healing.ts';
import type { Organism } from './organisms/organism.ts';

/**
 * For each dissolving organism, the order in which its cells dissolve. The key is the organism's
 * last picture, which stays the same while the organism dissolves.
 */
const orders = new WeakMap<Uint8Array, Uint16Array>();
/** Maximum random number added to a cell's depth, in cells, so that cells dissolve irregularly. */
const ROUGHNESS = 3;
/**
 * Precision of the order in which cells dissolve: depths are rounded down to multiples of 1 /
 * `STEPS`.
 */
const STEPS = 65_536;
/** Minimum opacity, 0…255, at which a cell counts as inside the organism. */
const OPAQUE = 26;

/**
 * Chooses the cells that a dissolving organism loses in a tick: the cells nearest to its rim, in an
 * irregular order. Each remaining tick dissolves an equal number of cells.
 *
 * @param ticks number of remaining ticks including this one, at least 1
 * @param chanceOf returns a random number for a cell, 0…1. Must always return the same number for
 *   the same cell
 * @returns grid indices; empty if the organism owns no cell
 */
export function dissolvingPlaces(
  { id, window, stage, seen }: Pick<Organism, 'id' | 'window' | 'stage' | 'seen'>,
  grid: GridPlanes,
  ticks: number,
  chanceOf: (place: number) => number,
): number[] {
  // Use the last picture from before the organism began to dissolve. Dissolving makes holes, and
  // their edges must not count as the organism's rim. An organism that is still a seed has no
  // picture, so all its cells count as equally deep.
  const side = seen ? Math.sqrt(seen.length / 4) : stage;
  const { x, y } = stageRect(window, side);
  const placeOf = (cell: number): number =>
    grid.place(x + (cell % side), y + Math.floor(cell / side));
  const chanceAt = (cell: number): number => chanceOf(placeOf(cell));
  const order = seen
    ? getOrAdd(orders, seen, () => orderOf(depths(seen, side), chanceAt))
    : orderOf(new Uint16Array(side ** 2), chanceAt);
  const owned: number[] = [];
  for (const cell of order) {
    const place = placeOf(cell);
    if (grid.ownerAt(place) === id) owned.push(place);
  }
  return owned.slice(0, Math.ceil(owned.length / ticks));
}

/**
 * Returns cell indices in the order in which the cells dissolve: by depth plus a random number.
 *
 * @param depth [cells] depth of each cell inside the organism
 * @param chanceAt returns a random number for a cell, 0…1
 */
function orderOf(depth: Uint16Array, chanceAt: (cell: number) => number): Uint16Array {
  // Combine order and cell index into one number, because an array of numbers sorts fastest.
  const keys = Float64Array.from(depth, (deep, cell) => {
    const order = Math.floor(STEPS * (deep + ROUGHNESS * chanceAt(cell)));
    return order * depth.length + cell;
  });
  return Uint16Array.from(keys.sort(), (key) => key % depth.length);
}

/**
 * Computes the depth of each cell inside an organism: the number of steps along rows and columns to
 * the nearest position that is transparent or outside the picture.
 *
 * @param rgba [side, side, 4]
 * @returns [side, side], 0 for transparent cells
 */
function depths(rgba: Uint8Array, side: number): Uint16Array {
  const wide = side + 2;
  const placeOf = (cell: number): number =>
    (Math.floor(cell / side) + 1) * wide + (cell % side) + 1;
  const isOutside = new Uint8Array(wide * wide).fill(1);
  for (let cell = 0; cell < side * side; cell++) {
    if (rgba[4 * cell + 3] >= OPAQUE) isOutside[placeOf(cell)] = 0;
  }
  const found = distances(isOutside, wide);
  return Uint16Array.from({ length: side * side }, (_, cell) => found[placeOf(cell)]);
}
