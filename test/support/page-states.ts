/** What a visitor's page can show: its tools, panels and sheets. */
import type { Page } from 'playwright-core';
import { screenOf, showAll } from './page.ts';

/** From a plain page to each state that a visitor can meet. */
export const STATES: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  'seeds to choose from': async (page) => {
    await page.keyboard.press('Escape');
    await page.getByTestId('tool-plant').click();
  },
  cutting: (page) => page.getByTestId('tool-damage').click(),
  'an organism looked at': async (page) => {
    await page.getByTestId('tool-look').click();
    await showAll(page);
    const { x, y } = await screenOf(page, 24, 24);
    await page.mouse.click(x, y);
    await page.getByTestId('organism-card').waitFor();
  },
  'crossing two': (page) => page.getByTestId('cross-with').click(),
  'facts of the room': async (page) => {
    await page.keyboard.press('Escape');
    await page.getByTestId('status').click();
    await page.getByTestId('details').waitFor();
  },
};

/** To what opens over the page. */
export const SHEETS: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  'a keepsake': async (page) => {
    await page.keyboard.press('Escape');
    await STATES['an organism looked at'](page);
    await page.getByTestId('keep').click();
    await page.locator('a[data-testid=save-film]').waitFor();
  },
  'all creatures': (page) => openSheet(page, 'gallery'),
  'the drawing pad': (page) => openSheet(page, 'draw'),
  'the map': (page) => openSheet(page, 'map'),
};

async function openSheet(page: Page, sheet: string): Promise<void> {
  await page.keyboard.press('Escape');
  await page.getByTestId('tool-plant').click();
  await page.getByTestId(`open-${sheet}`).click();
  await page.getByTestId('sheet-close').waitFor();
}
