/** What takes pictures of pages: the windows, the garden, and sheets of pictures side by side. */
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import sharp from 'sharp';
import type { VivariumServer } from '../../../server/composition/create-server.ts';
import { runTranspiled } from '../../support/browser.ts';
import type { HostClient } from '../../support/host-client.ts';
import type { WindowSize } from '../../support/screens.ts';

/** Windows side by side on one sheet. */
export const SHEETS: Readonly<Record<string, readonly WindowSize[]>> = {
  phones: [
    { width: 320, height: 568 },
    { width: 390, height: 844 },
    { width: 844, height: 390 },
  ],
  larger: [
    { width: 820, height: 1180 },
    { width: 1440, height: 900 },
  ],
};
export const HOME = SHEETS.larger[1];
const GAP = 8;

export const GARDEN = [
  'Penguin',
  'Octopus',
  'Tropical Fish',
  'Fox Face',
  'Turtle',
  'Butterfly',
  'Crab',
];
export const MORE = [
  'Frog Face',
  'Panda Face',
  'Flamingo',
  'Cactus',
  'Sunflower',
  'Mushroom',
  'Whale',
];
const COLUMNS = 5;
/** Places of the garden; the second of the first row is free. */
export const placeOf = (i: number): [number, number] => {
  const at = i < 1 ? i : i + 1;
  return [30 + (at % COLUMNS) * 44, 26 + Math.floor(at / COLUMNS) * 44];
};
export const SPOTS = {
  own: [74, 26],
  other: placeOf(0),
  child: placeOf(1),
  second: placeOf(3),
} as const;

/** What all pictures need. */
export interface Studio {
  readonly out: string;
  readonly language: string;
  readonly browser: Browser;
  readonly server: VivariumServer;
  readonly host: HostClient;
  readonly url: string;
}

export async function sideBySide(pictures: readonly Buffer[], file: string): Promise<void> {
  const sizes = await Promise.all(
    pictures.map(async (one) => {
      const { width, height } = await sharp(one).metadata();
      return { width, height };
    }),
  );
  let left = GAP;
  const layers = pictures.map((input, i) => {
    const layer = { input, left, top: GAP };
    left += sizes[i].width + GAP;
    return layer;
  });
  const height = Math.max(...sizes.map((size) => size.height)) + 2 * GAP;
  await sharp({ create: { width: left, height, channels: 3, background: '#555b60' } })
    .composite(layers)
    .webp({ quality: 88 })
    .toFile(file);
  console.log(file);
}

/** A calm moment: pictures have come and nothing moves any more. */
export const settle = (page: Page, ms = 700) =>
  page.evaluate((time) => new Promise((resolve) => setTimeout(resolve, time)), ms);

export const shoot = (page: Page): Promise<Buffer> =>
  page.screenshot({ timeout: 180_000, animations: 'disabled' });

/** Takes what a page shows in each window. @param before runs in each window first */
export async function inWindows(
  { out }: Studio,
  page: Page,
  name: string,
  before?: (size: WindowSize) => Promise<void>,
): Promise<void> {
  for (const [sheet, sizes] of Object.entries(SHEETS)) {
    const pictures: Buffer[] = [];
    for (const size of sizes) {
      await page.setViewportSize(size);
      await before?.(size);
      await settle(page);
      pictures.push(await shoot(page));
    }
    await sideBySide(pictures, join(out, `${name}-${sheet}.webp`));
  }
  await page.setViewportSize(HOME);
}

export async function contextOf({ browser, language }: Studio, more = {}): Promise<BrowserContext> {
  const context = await browser.newContext({
    ...{ viewport: HOME, hasTouch: true, reducedMotion: 'reduce', locale: language },
    ...more,
  });
  return runTranspiled(context);
}
