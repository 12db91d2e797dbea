/**
 * Where the organisms of a bench grow: each on its own ground, so that none crowds another out.
 */

const columnsOf = (organisms: number): number => Math.ceil(Math.sqrt(organisms));

/** Size of a grid with room for some organisms. @param side of a grown organism */
export function gridFor(organisms: number, side: number): { width: number; height: number } {
  const columns = columnsOf(organisms);
  return { width: side * columns, height: side * Math.ceil(organisms / columns) };
}

/** The middle of the n-th organism of some. */
export function placeOf(n: number, organisms: number, side: number): { x: number; y: number } {
  const columns = columnsOf(organisms);
  return {
    x: side * ((n % columns) + 0.5),
    y: side * (Math.floor(n / columns) + 0.5),
  };
}
