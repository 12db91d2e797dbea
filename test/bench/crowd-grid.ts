/** Where the organisms of `crowd.ts` grow: each on ground of its own, so that none can crowd another out. */

/** Of columns, at most. */
const COLUMNS = 16;

/** Size of a grid with room for so many. */
export function gridFor(organisms: number, side: number): { width: number; height: number } {
  return {
    width: side * Math.min(COLUMNS, organisms),
    height: side * Math.ceil(organisms / COLUMNS),
  };
}

/** The middle of the n-th. */
export function placeOf(n: number, side: number): { x: number; y: number } {
  return {
    x: side * (n % COLUMNS) + side / 2,
    y: side * Math.floor(n / COLUMNS) + side / 2,
  };
}
