/** What takes pictures of pages: the windows, the garden, and sheets of pictures side by side. */
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import sharp from 'sharp';
import type { VivariumServer } from '../../../server/composition/create-server.ts';
import { runTranspiled } from '../../support/browser.ts';
import type { HostClient } from '../../support/host-client.ts';
import { WINDOWS, type WindowSize } from '../../support/screens.ts';

/** Windows side by side on one sheet. */
export const SHEETS: Readonly<Record<string, readonly WindowSize[]>> = {
  phones: WINDOWS.filter(({ height }) => [568, 844, 390].includes(height)),
  larger: WINDOWS.filter(({ height }) => height >= 900),
};
export const HOME = WINDOWS.at(-1)!;
const GAP = 8;

export const GARDEN = [
  ...['Penguin', 'Octopus', 'Tropical Fish', 'Fox Face', 'Turtle', 'Butterfly', 'Crab'],
  ...['Frog Face', 'Panda Face', 'Flamingo', 'Cactus', 'Sunflower', 'Mushroom', 'Whale'],
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
  const join = {
    across: pictures.length,
    shim: GAP,
    valign: 'top',
    background: '#555b60',
  } as const;
  await sharp([...pictures], { join })
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
