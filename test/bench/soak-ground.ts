/** Where the bots of `soak.ts` play: each two of them have ground of their own, of one organism's size. */

const COLUMNS = 8;

/** Spots that so many bots need. */
export const spotsFor = (bots: number): number => Math.ceil(bots / 2);

/** Size of a grid for so many bots, as `--size` takes it. */
export function sizeFor(bots: number, side: number): string {
  const spots = spotsFor(bots);
  return `${side * Math.min(COLUMNS, spots)}x${side * Math.ceil(spots / COLUMNS)}`;
}

/** The middle of a bot's spot. */
export function spotOf(bot: number, side: number): { x: number; y: number } {
  const spot = bot >> 1;
  return {
    x: side * (spot % COLUMNS) + side / 2,
    y: side * Math.floor(spot / COLUMNS) + side / 2,
  };
}
