/** How a departing organism dissolves: cell by cell, from its rim inwards (rule DEP-7). */
import type { GridPlanes } from './grid-planes.ts';
import type { Organism } from './organism.ts';

/** How far chance moves a place back in the order, in places. */
const ROUGHNESS = 3;

/**
 * Chooses the places that a dissolving organism loses in a tick: those nearest to its rim, in an
 * order that chance makes irregular, and so many that none is left at the end.
 *
 * @param ticks until none is left, this one included; at least 1
 * @param chanceOf a fixed chance of each place, 0…1
 * @returns none if it owns none
 */
export function dissolvingPlaces(
  { id, window }: Pick<Organism, 'id' | 'window'>,
  grid: GridPlanes,
  ticks: number,
  chanceOf: (place: number) => number,
): number[] {
  const owned = new Uint8Array(window.width * window.height);
  grid.each(window, (place, cell) => {
    if (grid.ownerAt(place) === id) owned[cell] = 1;
  });
  const depth = depths(owned, window.width);
  const places: { readonly place: number; readonly order: number }[] = [];
  grid.each(window, (place, cell) => {
    if (owned[cell] === 0) return;
    places.push({ place, order: depth[cell] + ROUGHNESS * chanceOf(place) });
  });
  places.sort((a, b) => a.order - b.order || a.place - b.place);
  return places.slice(0, Math.ceil(places.length / ticks)).map(({ place }) => place);
}

/**
 * How deep inside each cell lies: steps along rows and columns to the nearest cell that is not
 * owned, or out of the window.
 *
 * @param owned [height, width], 1 = owned
 * @returns [height, width], 0 for cells that are not owned
 */
function depths(owned: Uint8Array, width: number): Uint16Array {
  const depth = Uint16Array.from(owned);
  const at = (cell: number, isInside: boolean): number => (isInside ? depth[cell] : 0);
  const { length } = depth;
  for (let cell = 0; cell < length; cell++) {
    if (depth[cell] === 0) continue;
    const x = cell % width;
    depth[cell] = 1 + Math.min(at(cell - 1, x > 0), at(cell - width, cell >= width));
  }
  for (let cell = length - 1; cell >= 0; cell--) {
    if (depth[cell] === 0) continue;
    const x = cell % width;
    const right = at(cell + 1, x < width - 1);
    const below = at(cell + width, cell + width < length);
    depth[cell] = Math.min(depth[cell], 1 + right, 1 + below);
  }
  return depth;
}
