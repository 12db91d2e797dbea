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
  const seen = (within: string) => (open: SheetState['open']) => ({ open, within });
  const inRoom = seen('vivarium-room');
  const inSheet = seen('dialog[data-testid=seed-sheet]');
  const inCard = seen('organism-card');
  const held = (page: Page) => filmShown(page, '[data-testid=held]');
  return {
    plant: inRoom(async (page) => {
      await take(page, 'plant');
      await held(page);
    }),
    dice: inRoom(async (page) => {
      await take(page, 'plant');
      // The same each time.
      await page.evaluate(() => Object.assign(Math, { random: () => 0.42 }));
      await page.getByTestId('dice').click();
      await held(page);
    }),
    damage: inRoom((page) => take(page, 'damage')),
    look: inRoom((page) => take(page, 'look')),
    gallery: inSheet((page) => openSheet(page, 'gallery')),
    'gallery-search': inSheet((page) => search(page, 'fish')),
    'gallery-nothing': inSheet((page) => search(page, 'qqq xyz')),
    draw: inSheet(openPad),
    'draw-strokes': inSheet(drawFace),
    'draw-grown': inSheet(async (page) => {
      await drawFace(page);
      await page.getByTestId('grow-drawing').click();
      await filmShown(page, 'draw-pad');
    }),
    map: inSheet(openMap),
    'map-touched': inSheet(async (page) => {
      await openMap(page);
      const box = (await page.getByTestId('map').boundingBox())!;
      await page.mouse.click(box.x + 0.45 * box.width, box.y + 0.5 * box.height);
      await page.locator('[data-testid=take-spot]:enabled').waitFor();
      await filmShown(page, 'latent-map');
    }),
    'card-own': inCard((page) => look(page, spots.own)),
    'card-other': inCard((page) => look(page, spots.other)),
    'card-child': inCard((page) => look(page, spots.child)),
    'cross-one': inCard((page) => cross(page, spots.own)),
    'cross-two': inCard(async (page) => {
      await cross(page, spots.own);
      await clickPlace(page, ...spots.other);
      await filmShown(page, '[data-testid=child]');
    }),
    keepsake: seen('dialog[data-testid=keepsake]')(async (page) => {
      await look(page, spots.own);
      await page.getByTestId('keep').click();
      for (const what of withVideo ? ['picture', 'film', 'video'] : ['picture', 'film']) {
        await page.locator(`a[data-testid=save-${what}]`).waitFor();
      }
    }),
    keys: seen('dialog[data-testid=key-help]')(async (page) => {
      await closeAll(page);
      await page.keyboard.press('?');
      await page.getByTestId('key-help').waitFor();
    }),
    facts: seen('room-status')(async (page) => {
      await closeAll(page);
      await page.getByTestId('status').click();
      await page.getByTestId('name').fill('Somebody with a long name');
      await page.getByTestId('save-name').waitFor();
    }),
    list: seen('[data-testid=organism-list]')(async (page) => {
      await closeAll(page);
      await page.getByTestId('canvas').focus();
      await page.keyboard.press('Tab');
      await drawnTwice(page);
    }),
  };
}
