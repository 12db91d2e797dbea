/**
 * Winograd's minimal filtering F(4, 3) with the points 0, ±1, ±2 and ∞ (Lavin and Gray 2016, arXiv
 * 1509.09308, section 4.2).
 */

/** G: transforms the three numbers along a side of a kernel to one for each point. */
export const OF_KERNEL = [
  [1 / 4, 0, 0],
  [-1 / 6, -1 / 6, -1 / 6],
  [-1 / 6, 1 / 6, -1 / 6],
  [1 / 24, 1 / 12, 1 / 6],
  [1 / 24, -1 / 12, 1 / 6],
  [0, 0, 1],
];
