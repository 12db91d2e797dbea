/**
 * Every sheet and panel of the visitor's page in every state that a visitor can meet, and the way
 * there.
 */
import type { Page } from 'playwright-core';
import { clickPlace, drag, drawnTwice, padPoints } from './page.ts';

export interface SheetState {
  readonly open: (page: Page) => Promise<void>;
  /** Selector of what must be within reach. */
  readonly within: string;
}

type Place = readonly [number, number];

/** Where organisms are, in cells. */
export interface Spots {
  readonly own: Place;
  readonly other: Place;
  readonly child: Place;
}

/** Closes whatever is open above the room. */
export async function closeAll(page: Page): Promise<void> {
  for (let i = 0; i < 3; i++) await page.keyboard.press('Escape');
  // A dialog keeps keys to itself until the page has noticed that it is closed.
  while ((await page.locator('dialog[open], organism-card').count()) > 0) {
    await page.keyboard.press('Escape');
    await drawnTwice(page);
  }
}

async function take(page: Page, tool: 'plant' | 'damage' | 'look'): Promise<void> {
  await closeAll(page);
  await page.getByTestId(`tool-${tool}`).click();
}

async function openSheet(page: Page, sheet: 'gallery' | 'draw' | 'map'): Promise<void> {
  await take(page, 'plant');
  await page.getByTestId(`open-${sheet}`).click();
  await page.getByTestId('sheet-close').waitFor();
}

async function search(page: Page, text: string): Promise<void> {
  await openSheet(page, 'gallery');
  await page.getByTestId('search').fill(text);
}

/** Opens the pad, empty: it keeps what was drawn before. */
async function openPad(page: Page): Promise<void> {
  await openSheet(page, 'draw');
  const again = page.getByTestId('try-again');
  if (await again.isVisible()) await again.click();
  const clear = page.getByTestId('clear');
  if (await clear.isEnabled()) await clear.click();
}

async function look(page: Page, place: Place): Promise<void> {
  await take(page, 'look');
  await clickPlace(page, ...place);
  await page.getByTestId('organism-card').waitFor();
}

async function drawFace(page: Page): Promise<void> {
  await openPad(page);
  const draw = async (colour: string, ...strokes: readonly (readonly Place[])[]): Promise<void> => {
    await page.getByTestId(`colour-${colour}`).click();
    await drag(page, ...(await padPoints(page, strokes)));
  };
  const line = (...places: Place[]): Place[] => places;
  await page.getByTestId('width-thick').click();
  const bars = [0.3, 0.42, 0.54, 0.66].map((y) => line([0.3, y], [0.5, y], [0.7, y]));
  await draw('yellow', ...bars);
  await page.getByTestId('width-medium').click();
  await draw('black', [[0.4, 0.4]], [[0.6, 0.4]]);
  await draw('red', line([0.38, 0.6], [0.5, 0.66], [0.62, 0.6]));
}

async function openMap(page: Page): Promise<void> {
  await openSheet(page, 'map');
  // Canvases are 150 pixels high until they are drawn on.
  await page.waitForFunction(
    (canvas) => (canvas as HTMLCanvasElement).height !== 150,
    await page.getByTestId('map').elementHandle(),
  );
}

async function cross(page: Page, own: Place): Promise<void> {
  await look(page, own);
  await page.getByTestId('cross-with').click();
}

const filmShown = (page: Page, holder: string): Promise<void> =>
  page.locator(`${holder} seed-film:not([waiting]) .film`).first().waitFor();

/**
 * @param withVideo whether the keepsake waits for its video too, not only for its picture and film
 * @returns the states by their names; each can follow any other
 */
export function sheetStates(
  spots: Spots,
  { withVideo = true } = {},
): Readonly<Record<string, SheetState>> {
  const sheet = 'dialog[data-testid=seed-sheet]';
  const card = 'organism-card';
  return {
    plant: {
      open: async (page) => {
        await take(page, 'plant');
        await filmShown(page, '[data-testid=held]');
      },
      within: 'vivarium-room',
    },
    dice: {
      open: async (page) => {
        await take(page, 'plant');
        // The same each time.
        await page.evaluate(() => Object.assign(Math, { random: () => 0.42 }));
        await page.getByTestId('dice').click();
        await filmShown(page, '[data-testid=held]');
      },
      within: 'vivarium-room',
    },
    damage: { open: (page) => take(page, 'damage'), within: 'vivarium-room' },
    look: { open: (page) => take(page, 'look'), within: 'vivarium-room' },
    gallery: { open: (page) => openSheet(page, 'gallery'), within: sheet },
    'gallery-search': { open: (page) => search(page, 'fish'), within: sheet },
    'gallery-nothing': { open: (page) => search(page, 'dragon of the deep'), within: sheet },
    draw: { open: openPad, within: sheet },
    'draw-strokes': { open: drawFace, within: sheet },
    'draw-grown': {
      open: async (page) => {
        await drawFace(page);
        await page.getByTestId('grow-drawing').click();
        await filmShown(page, 'draw-pad');
      },
      within: sheet,
    },
    map: { open: openMap, within: sheet },
    'map-touched': {
      open: async (page) => {
        await openMap(page);
        const box = (await page.getByTestId('map').boundingBox())!;
        await page.mouse.click(box.x + 0.45 * box.width, box.y + 0.5 * box.height);
        await page.locator('[data-testid=take-spot]:enabled').waitFor();
        await filmShown(page, 'latent-map');
      },
      within: sheet,
    },
    'card-own': { open: (page) => look(page, spots.own), within: card },
    'card-other': { open: (page) => look(page, spots.other), within: card },
    'card-child': { open: (page) => look(page, spots.child), within: card },
    'cross-one': { open: (page) => cross(page, spots.own), within: card },
    'cross-two': {
      open: async (page) => {
        await cross(page, spots.own);
        await clickPlace(page, ...spots.other);
        await filmShown(page, '[data-testid=child]');
      },
      within: card,
    },
    keepsake: {
      open: async (page) => {
        await look(page, spots.own);
        await page.getByTestId('keep').click();
        await page.locator('a[data-testid=save-picture]').waitFor();
        await page.locator('a[data-testid=save-film]').waitFor();
        if (withVideo) await page.locator('a[data-testid=save-video]').waitFor();
      },
      within: 'dialog[data-testid=keepsake]',
    },
    keys: {
      open: async (page) => {
        await closeAll(page);
        await page.keyboard.press('?');
        await page.getByTestId('key-help').waitFor();
      },
      within: 'dialog[data-testid=key-help]',
    },
    facts: {
      open: async (page) => {
        await closeAll(page);
        await page.getByTestId('status').click();
        await page.getByTestId('name').fill('Somebody with a long name');
        await page.getByTestId('save-name').waitFor();
      },
      within: 'room-status',
    },
    list: {
      open: async (page) => {
        await closeAll(page);
        await page.getByTestId('canvas').focus();
        await page.keyboard.press('Tab');
        await drawnTwice(page);
      },
      within: '[data-testid=organism-list]',
    },
  };
}
