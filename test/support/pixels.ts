/** Pictures of pages, and how they differ. */
import type { Page } from 'playwright-core';
import sharp from 'sharp';

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
