/** Size of a square grid in which each organism has its own ground. @param side of an organism */
export function gridFor(organisms: number, side: number): { width: number; height: number } {
  const columns = Math.ceil(Math.sqrt(organisms));
  return { width: side * columns, height: side * Math.ceil(organisms / columns) };
}
