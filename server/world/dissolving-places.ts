/** How a departing organism dissolves: cell by cell, from its rim inwards (rule DEP-7). */
import { stageRect } from '../../shared/geometry.ts';
import { getOrAdd } from '../platform/get-or-add.ts';
import type { GridPlanes } from './grid-planes.ts';
import type { Organism } from './organism.ts';

/** Orders of cells by the picture, which stays the same while an organism dissolves. */
const known = new WeakMap<Uint8Array, Uint16Array>();
/** How far chance moves a place back in the order, in places. */
const ROUGHNESS = 3;
/** Steps of the order that are told apart, for each place of depth. */
const STEPS = 65_536;
/** Least opacity, 0…255, of a place inside the organism. */
const OPAQUE = 26;

/**
 * Chooses the places that a dissolving organism loses in a tick: those nearest to its rim, in an
 * order that chance makes irregular, and so many places that none is left at the end.
 *
 * @param ticks until none is left, this one included; at least 1
 * @param chanceOf a fixed chance of each place, 0…1, the same as long as `seen` is
 * @returns none if it owns none
 */
export function dissolvingPlaces(
  { id, window, stage, seen }: Pick<Organism, 'id' | 'window' | 'stage' | 'seen'>,
  grid: GridPlanes,
  ticks: number,
  chanceOf: (place: number) => number,
): number[] {
  // As it looked last, so that the rim does not follow the holes. A seed has not been seen yet.
  const side = seen ? Math.sqrt(seen.length / 4) : stage;
  const { x, y } = stageRect(window, side);
  const placeOf = (cell: number): number =>
    grid.place(x + (cell % side), y + Math.floor(cell / side));
  const chanceAt = (cell: number): number => chanceOf(placeOf(cell));
  const order = seen
    ? getOrAdd(known, seen, () => orderOf(depths(seen, side), chanceAt))
    : orderOf(new Uint16Array(side ** 2), chanceAt);
  const owned: number[] = [];
  for (const cell of order) {
    const place = placeOf(cell);
    if (grid.ownerAt(place) === id) owned.push(place);
  }
  return owned.slice(0, Math.ceil(owned.length / ticks));
}

/** The cells in the order in which they go. @param depth [cells] */
function orderOf(depth: Uint16Array, chanceAt: (cell: number) => number): Uint16Array {
  // Order and cell in one number, as numbers are sorted fastest.
  const keys = Float64Array.from(depth, (deep, cell) => {
    const order = Math.floor(STEPS * (deep + ROUGHNESS * chanceAt(cell)));
    return order * depth.length + cell;
  });
  return Uint16Array.from(keys.sort(), (key) => key % depth.length);
}

/**
 * How deep inside each cell lies: steps along rows and columns to the nearest cell that is
 * transparent, or out of the square.
 *
 * @param rgba [side, side, 4]
 * @returns [side, side], 0 for transparent cells
 */
function depths(rgba: Uint8Array, side: number): Uint16Array {
  const depth = new Uint16Array(side * side);
  const at = (cell: number, isInside: boolean): number => (isInside ? depth[cell] : 0);
  for (let cell = 0; cell < depth.length; cell++) {
    if (rgba[4 * cell + 3] < OPAQUE) continue;
    const x = cell % side;
    depth[cell] = 1 + Math.min(at(cell - 1, x > 0), at(cell - side, cell >= side));
  }
  for (let cell = depth.length - 1; cell >= 0; cell--) {
    if (depth[cell] === 0) continue;
    const x = cell % side;
    const right = at(cell + 1, x < side - 1);
    const below = at(cell + side, cell + side < depth.length);
    depth[cell] = Math.min(depth[cell], 1 + right, 1 + below);
  }
  return depth;
}
