/**
 * Where the organisms of a bench grow: each on ground of its own, so that none can crowd another
 * out.
 */

/** Of columns, at most. */
const COLUMNS = 16;

/** Size of a grid with room for so many. @param side of a grown organism */
export function gridFor(
  organisms: number,
  side: number,
  columns = COLUMNS,
): { width: number; height: number } {
  return {
    width: side * Math.min(columns, organisms),
    height: side * Math.ceil(organisms / columns),
  };
}

/** The middle of the n-th. */
export function placeOf(n: number, side: number, columns = COLUMNS): { x: number; y: number } {
  return {
    x: side * (n % columns) + side / 2,
    y: side * Math.floor(n / columns) + side / 2,
  };
}
