/**
 * Pictures of one page in several windows, on one sheet: small enough to keep, and each to be
 * compared for itself.
 */
import sharp from 'sharp';
import type { WindowSize } from './screens.ts';

/** Pixels of a picture to a CSS pixel: words can still be read. */
export const SCALE = 0.6;
const GAP = 6;
/** Of what is thrown away at once: compressing it would take longer than all else. */
const FAST = { compressionLevel: 0 } as const;
const GROUND = '#3a3f44';

/** Where each window's picture lies on the sheet: side by side. */
function cellsOf(windows: readonly WindowSize[]) {
  let left = GAP;
  return windows.map((size) => {
    const [width, height] = [size.width, size.height].map((side) => Math.floor(side * SCALE));
    const cell = { left, top: GAP, width, height };
    left += width + GAP;
    return cell;
  });
}

/** One window's picture as it lies on a sheet: a screen rounds up what a sheet rounds down. */
export function cutOut(size: WindowSize, picture: Buffer): Promise<Buffer> {
  const [{ width, height }] = cellsOf([size]);
  return sharp(picture).extract({ left: 0, top: 0, width, height }).png(FAST).toBuffer();
}

/** @param pictures one for each window, taken at `SCALE`; @returns the sheet, losslessly */
export async function contactSheet(
  windows: readonly WindowSize[],
  pictures: readonly Buffer[],
): Promise<Buffer> {
  const cells = cellsOf(windows);
  const layers = cells.map(async ({ left, top }, i) => ({
    input: await cutOut(windows[i], pictures[i]),
    ...{ left, top },
  }));
  const last = cells.at(-1)!;
  const size = {
    width: last.left + last.width + GAP,
    height: Math.max(...cells.map(({ height }) => height)) + 2 * GAP,
  };
  return sharp({ create: { ...size, channels: 3, background: GROUND } })
    .composite(await Promise.all(layers))
    .png(FAST)
    .toBuffer();
}

/** The windows' pictures on a sheet, one by one. */
export async function picturesOn(
  sheet: Buffer | string,
  windows: readonly WindowSize[],
): Promise<Buffer[]> {
  const { data, info } = await sharp(sheet).raw().toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const pixels = { raw: { width, height, channels } } as const;
  return Promise.all(
    cellsOf(windows).map((cell) => sharp(data, pixels).extract(cell).png(FAST).toBuffer()),
  );
}
