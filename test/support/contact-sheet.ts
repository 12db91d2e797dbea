/** Pictures of one page in several windows, on one sheet: small enough to keep, and each to be compared for itself. */
import sharp from 'sharp';
import type { WindowSize } from './screens.ts';

const GAP = 8;
const GROUND = '#3a3f44';
/** Windows up to this long are kept at three quarters of their size, larger ones at half. */
const LARGE = 900;

interface Cell {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Where each window's picture lies on the sheet: side by side. */
function cellsOf(windows: readonly WindowSize[]): Cell[] {
  let left = GAP;
  return windows.map((size) => {
    const scale = Math.max(size.width, size.height) > LARGE ? 0.5 : 0.75;
    const [width, height] = [size.width, size.height].map((side) => Math.round(side * scale));
    const cell = { left, top: GAP, width, height };
    left += width + GAP;
    return cell;
  });
}

/** @param pictures one for each window, of its size in CSS pixels; @returns the sheet, losslessly */
export async function contactSheet(
  windows: readonly WindowSize[],
  pictures: readonly Buffer[],
): Promise<Buffer> {
  const cells = cellsOf(windows);
  const layers = cells.map(async ({ left, top, width, height }, i) => ({
    input: await sharp(pictures[i]).resize(width, height).png().toBuffer(),
    left,
    top,
  }));
  const last = cells.at(-1)!;
  const size = {
    width: last.left + last.width + GAP,
    height: Math.max(...cells.map(({ height }) => height)) + 2 * GAP,
  };
  return sharp({ create: { ...size, channels: 3, background: GROUND } })
    .composite(await Promise.all(layers))
    .png()
    .toBuffer();
}

/** The windows' pictures on a sheet, one by one. */
export function picturesOn(
  sheet: Buffer | string,
  windows: readonly WindowSize[],
): Promise<Buffer[]> {
  return Promise.all(cellsOf(windows).map((cell) => sharp(sheet).extract(cell).png().toBuffer()));
}
