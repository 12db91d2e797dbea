/** Pictures of pages: taking and comparing them, contact sheets of several windows, and files that keepsakes save. */
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import type { WindowSize } from './screens.ts';

/** A picture of the page, or a part of it: [width × height × 3] bytes. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

interface Clip {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export async function pixelsOf(page: Page, clip?: Clip): Promise<Pixels> {
  const png = await page.screenshot({ timeout: 180_000, ...(clip && { clip }) });
  const { data, info } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data };
}

/**
 * Mean difference of two pictures, 0…255.
 *
 * @param at where a pixel of the first is in the second; the same by default
 */
export function differenceOf(
  a: Pixels,
  b: Pixels,
  at: (x: number, y: number) => readonly [number, number] = (x, y) => [x, y],
): number {
  let sum = 0;
  for (let y = 0; y < a.height; y++) {
    for (let x = 0; x < a.width; x++) {
      const [u, v] = at(x, y);
      for (let i = 0; i < 3; i++) {
        sum += Math.abs(a.data[3 * (y * a.width + x) + i] - b.data[3 * (v * b.width + u) + i]);
      }
    }
  }
  return sum / (3 * a.width * a.height);
}

/** Mean of a picture's values, 0…255. */
export function brightnessOf({ data }: Pixels): number {
  return data.reduce((sum, value) => sum + value, 0) / data.length;
}

/** Mean difference of all values, 0…255. */
export const MEAN = 1.3;
/** Share of pixels of which some value is off by more than `OFF`. */
export const SHARE = 0.003;
const OFF = 40;
/**
 * Pixels of the longer side at which two pictures are laid over each other: letters may be drawn a
 * little otherwise.
 */
const SIDE = 480;

/** @returns [height, width, 3] bytes, the longer side of `SIDE` pixels */
const reduced = (picture: Buffer | string): Promise<Buffer> =>
  sharp(picture)
    .resize(SIDE, SIDE, { fit: 'inside', withoutEnlargement: true })
    .removeAlpha()
    .blur(1)
    .raw()
    .toBuffer();

/**
 * @returns the mean difference of all values, 0…255, and the share of pixels that are clearly off
 */
export async function difference(
  a: Buffer | string,
  b: Buffer | string,
): Promise<{ mean: number; share: number }> {
  const [one, other] = await Promise.all([a, b].map(reduced));
  if (one.length !== other.length) return { mean: 255, share: 1 };
  let sum = 0;
  let off = 0;
  for (let i = 0; i < one.length; i += 3) {
    let most = 0;
    for (let c = i; c < i + 3; c++) {
      const by = Math.abs(one[c] - other[c]);
      sum += by;
      most = Math.max(most, by);
    }
    if (most > OFF) off++;
  }
  return { mean: sum / one.length, share: (3 * off) / one.length };
}

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
