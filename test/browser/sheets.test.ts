/**
 * Every sheet and panel of the visitor's page in every state. In each window, also at 200 % zoom,
 * all of it is within reach, and the pad is as large as the window allows; and it looks as it did
 * when people looked at it and found it right.
 * `VIVARIUM_BASELINES=1 npm test -- test/browser/sheets` retakes the pictures: review them before you commit them.
 */

import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { ensureClient } from '../../server/http/serve-client.ts';
import { leaveUnpainted } from '../support/browser.ts';
import { isFull } from '../support/needs.ts';
import {
  cameraRests,
  clickPlace,
  openRoom,
  resize,
  screenOf,
  waitForPhase,
} from '../support/page.ts';
import { outOfReach, outOfReachIn } from '../support/page-faults.ts';
import { contactSheet, cutOut, difference, picturesOn, SCALE, SHARE } from '../support/pictures.ts';
import { mobile, sizeText, WINDOWS, type WindowSize, ZOOMED } from '../support/screens.ts';
import { closeAll, sheetStates } from '../support/sheet-states.ts';
import { hostOf, suiteServer, suiteVisitor } from '../support/suite.ts';
import { suiteBrowser } from '../support/suite-pages.ts';
import { plantGarden } from '../support/visitor.ts';

const FOLDER = fileURLToPath(new URL('baselines/sheets', import.meta.url));
const ANEW = process.env.VIVARIUM_BASELINES !== undefined;
/** The window in which sheets are opened. */
const HOME = WINDOWS.at(-1)!;
/** Windows whose pictures are kept. */
const KEPT = WINDOWS.filter(({ width, height }) => height !== 568 && width !== 480);
const IS_FULL = isFull || ANEW;
/** All windows with VIVARIUM_TEST_FULL; otherwise phones, a desktop, and the smallest zoomed. */
const LOOKED_AT = IS_FULL
  ? [...WINDOWS, ...ZOOMED]
  : [
      ...KEPT.filter(({ height }) => height !== 1180),
      ...ZOOMED.filter(({ width, height }) => width * height === 160 * 240),
    ];
/** Without VIVARIUM_TEST_FULL, most sheets are looked at on two phones only. */
const PHONES = IS_FULL ? LOOKED_AT : LOOKED_AT.slice(0, 2);
/** One of each way to lie above the room: these are looked at in all of those windows. */
const WIDELY = ['plant', 'draw', 'card-own', 'cross-two', 'facts'];
/** These differ little from others, or are opened by other suites: with VIVARIUM_TEST_FULL. */
const SELDOM = [
  'look',
  'gallery-search',
  'keepsake',
  'draw-strokes',
  'map-touched',
  'cross-one',
  'gallery-nothing',
  'card-child',
  'keys',
];
/** Other windows in which the controls above the room must be within reach, with VIVARIUM_TEST_FULL. */
const BARE = ['320×568', '667×375', '820×1180', '1024×600', '740×600', '1180×820', '1920×1080'].map(
  (size): WindowSize => {
    const [width, height] = size.split('×').map(Number);
    return { width, height };
  },
);
/** Where a sheet is compared with its picture: all kept ones with VIVARIUM_TEST_FULL. */
const COMPARED = IS_FULL ? KEPT : KEPT.filter(({ width }) => width === 390);
/** Those with the longest words; without VIVARIUM_TEST_FULL, that with the longest. */
const WORDY = IS_FULL ? ['de', 'es'] : ['de'];
/**
 * Least side of the drawing pad, share of the window's shorter side; and at 200 % zoom, where
 * controls weigh twice.
 */
const PAD = 0.78;
const PAD_ZOOMED = 0.69;
/**
 * Mean difference of all values, 0…255: many small creatures suffer when a picture is made small
 * enough to keep.
 */
const MEAN_KEPT = 2.5;
/**
 * What differs from run to run and says nothing of the sheet: clocks, this machine, addresses and
 * the codes made of them.
 */
const FLEETING = [
  '.waiting[data-testid=status]',
  'room-status dd',
  'organism-card header p:last-child',
  '[data-testid=transform] seed-film',
];
/** A drawing is refined for as long as there is time; an organism may turn into it. */
const FLEETING_IN_DIALOGS = ['keepsake-sheet .picture img', 'draw-pad seed-film'];
const SPOTS = { own: [60, 60], other: [24, 24], child: [140, 30], second: [100, 24] } as const;

const clientFolder = await ensureClient(() => {});
const { server, roomUrl } = await suiteServer(
  { size: '192x108', energy: 'off' },
  { clientFolder, drawsSoon: true },
);
const browser = await suiteBrowser();
const host = await hostOf(server);
const ada = await suiteVisitor(server, 'Ada');
const context = await browser.newContext({
  ...{ ...mobile(HOME), deviceScaleFactor: SCALE },
  ...{ reducedMotion: 'reduce', locale: 'en-GB' },
});
// The dish is left dark: these are pictures of what lies above it.
await leaveUnpainted(context);
const page = await context.newPage();

beforeAll(async () => {
  await plantFamily();
  await openRoom(page, roomUrl);
  await page.locator('[data-testid=gallery-item][data-name=Turtle]').click();
  await cameraRests(page);
  await clickPlace(page, ...SPOTS.own);
  await waitForPhase(page, 4, 'asleep');
  // How a busy machine keeps up says nothing of the page.
  await setPace(page, false);
  if (ANEW) mkdirSync(FOLDER, { recursive: true });
});

/** From now on the page is told nothing else of the room's pace. */
function setPace(of: Page, slow: boolean): Promise<void> {
  return of.evaluate((isSlow) => {
    const room = document.querySelector('vivarium-room') as unknown as {
      model: object;
      requestUpdate(): void;
    };
    const value = { tickRate: 15, actual: isSlow ? 12 : 15, awake: 0, slow: isSlow };
    Object.defineProperty(room.model, 'pace', {
      get: () => value,
      set: () => {},
      configurable: true,
    });
    room.requestUpdate();
  }, slow);
}

/** Two of Ada's and a child of theirs. */
async function plantFamily(): Promise<void> {
  const spots = [SPOTS.other, SPOTS.second];
  await plantGarden([ada], ['Penguin', 'Octopus'], (i) => spots[i]);
  await ada.plant(...SPOTS.child, await ada.cross(1, 2, { mutation: 0 }));
}

function pictureOf(of: Page, within: string): Promise<Buffer> {
  // A mask lies above everything, also where a dialog covers what it hides.
  const fleeting = within.startsWith('dialog') ? FLEETING_IN_DIALOGS : FLEETING;
  return of.screenshot({
    ...{ animations: 'disabled', timeout: 180_000, maskColor: '#202426' },
    mask: fleeting.map((selector) => of.locator(selector)),
  });
}

/** What is wrong in some window with what is open on a page. */
async function lookEverywhere(of: Page, name: string, within: string): Promise<string[]> {
  const wrong: string[] = [];
  const pictures = new Map<WindowSize, Buffer>();
  await of.mouse.move(0, 0);
  // The server computes what a seed becomes: a card shows it a while after it has opened.
  await of.locator('seed-film[waiting]').first().waitFor({ state: 'detached' });
  const sizes = WIDELY.includes(name) ? LOOKED_AT : PHONES;
  for (const size of name === 'plant' && IS_FULL ? [...sizes, ...BARE] : sizes) {
    await resize(of, size);
    const text = sizeText(size);
    if (COMPARED.includes(size)) pictures.set(size, await pictureOf(of, within));
    const lost = await outOfReach(of.locator(within));
    wrong.push(...lost.map((line) => `${text}: ${line}`));
    if (name === 'draw' || name === 'draw-strokes') wrong.push(...(await smallPad(size)));
  }
  const file = join(FOLDER, `${name}.webp`);
  if (ANEW) {
    const sheet = await contactSheet(KEPT, [...pictures.values()]);
    await sharp(sheet).webp({ quality: 86, smartSubsample: true, effort: 6 }).toFile(file);
  }
  return [...wrong, ...(await unlike(pictures, file))];
}

async function smallPad(size: WindowSize): Promise<string[]> {
  const { width, height } = (await page.getByTestId('pad').boundingBox())!;
  const share = Math.min(width, height) / Math.min(size.width, size.height);
  const isSmall = share < (ZOOMED.includes(size) ? PAD_ZOOMED : PAD);
  return isSmall ? [`${sizeText(size)}: the pad is ${width} × ${height}`] : [];
}

/** In which windows a sheet looks otherwise than in the picture that was kept. */
async function unlike(now: ReadonlyMap<WindowSize, Buffer>, file: string): Promise<string[]> {
  if (!existsSync(file)) return [`there is no ${file}`];
  const kept = await picturesOn(file, KEPT);
  const found = await Promise.all(
    [...now].map(async ([size, picture]) => {
      const { mean, share } = await difference(
        await cutOut(size, picture),
        kept[KEPT.indexOf(size)],
      );
      const figures = `${sizeText(size)}: mean ${mean.toFixed(2)}, share ${share.toFixed(4)}`;
      return mean < MEAN_KEPT && share < SHARE ? [] : [`looks otherwise at ${figures}`];
    }),
  );
  return found.flat();
}

const states = sheetStates(SPOTS);
const looked = Object.keys(states).filter((name) => IS_FULL || !SELDOM.includes(name));

test.each(looked)('%s: within reach, and as it was, in every window', async (name) => {
  const { open, within } = states[name];
  await resize(page, HOME);
  await open(page);
  expect(await lookEverywhere(page, name, within)).toEqual([]);
});

test('the notice of a slow room is within the window', async () => {
  await resize(page, HOME);
  await closeAll(page);
  await setPace(page, true);
  const status = page.getByTestId('status');
  expect(await status.textContent()).toMatch(/\d\s*slow\s*$/);
  const wrong = await outOfReachIn(LOOKED_AT, page, page.locator('header').first());
  await setPace(page, false);
  expect(wrong).toEqual([]);
});

/** What creatures are called. */
const KINDS = fileURLToPath(new URL('../../client/locale/kinds', import.meta.url));

test.each(WORDY)('in “%s” the fullest sheets are within reach as well', async (code) => {
  await resize(page, HOME);
  await closeAll(page);
  await page.getByTestId('language').selectOption(code);
  await page.waitForSelector(`html[lang=${code}]`);
  await page.getByTestId('tool-plant').click();
  const creature = page.getByTestId('gallery-item').first();
  const names = JSON.parse(readFileSync(join(KINDS, `${code}.json`), 'utf8'));
  const name = await creature.getAttribute('data-name');
  expect(await creature.getAttribute('title')).toBe(names[name!]);
  const wrong: string[] = [];
  for (const name of IS_FULL
    ? ['draw-strokes', 'draw-grown', 'cross-two']
    : ['draw', 'cross-two']) {
    await resize(page, HOME);
    const { open, within } = states[name];
    await open(page);
    const lost = await outOfReachIn([WINDOWS[0], WINDOWS[3]], page, page.locator(within));
    wrong.push(...lost.map((line) => `${name}, ${line}`));
  }
  expect(wrong).toEqual([]);
});

/** What is above the room, in a dialog and in a card; all sheets and panels with VIVARIUM_TEST_FULL. */
const FULLEST = [
  ...['plant', 'gallery', 'card-child'],
  ...(isFull ? ['draw-grown', 'cross-two', 'keepsake', 'facts', 'damage'] : []),
  ...(isFull ? ['draw-strokes', 'map-touched', 'keys', 'list'] : []),
];

test('in Arabic everything runs from right to left, and every sheet is within reach', async () => {
  const sizes = WINDOWS.filter(({ height }) => (isFull ? [568, 844, 900] : [844]).includes(height));
  await resize(page, HOME);
  await closeAll(page);
  await page.getByTestId('language').selectOption('ar');
  await page.waitForSelector('html[lang=ar][dir=rtl]');
  const wrong: string[] = [];
  // The card is on the left, above what grows there.
  const spots = { ...SPOTS, other: SPOTS.second };
  const arabic = sheetStates(spots);
  for (const name of FULLEST) {
    const { open, within } = arabic[name];
    await resize(page, HOME);
    await open(page);
    const scope = page.locator(within);
    const direction = await scope.evaluate((element) => getComputedStyle(element).direction);
    if (direction !== 'rtl') wrong.push(`${name} runs ${direction}`);
    const lost = await outOfReachIn(sizes, page, scope);
    wrong.push(...lost.map((line) => `${name}, ${line}`));
  }
  expect(wrong).toEqual([]);
  // The room's controls have changed sides, and its map has not.
  await closeAll(page);
  await resize(page, HOME);
  const middleOf = async (testid: string): Promise<number> => {
    const { x, width } = (await page.getByTestId(testid).boundingBox())!;
    return x + width / 2;
  };
  expect(await middleOf('status')).toBeLessThan(HOME.width / 3);
  expect(await middleOf('find-mine')).toBeGreaterThan((2 * HOME.width) / 3);
  const [left, right] = [await screenOf(page, 0, 0), await screenOf(page, 192, 0)];
  expect(left.x).toBeLessThan(right.x);
});

test('the pages of a visitor who is not admitted are within reach, and match their pictures, in every window', async () => {
  const within = 'vivarium-room .closed';
  await resize(page, HOME);
  await closeAll(page);
  await page.getByTestId('language').selectOption('en');
  await page.getByTestId('tool-look').click();
  await host.call('changeSettings', { capacity: 2 });
  // Whoever has been idle for long would give way.
  await ada.ask('damage', { radius: 1, points: [190, 106] });
  const { x, y } = await screenOf(page, ...SPOTS.own);
  await page.mouse.move(x, y);
  await page.mouse.move(x + 5, y + 5, { steps: 3 });
  const other = await context.newPage();
  await other.goto(roomUrl);
  await other.getByTestId('line').waitFor();
  expect(await lookEverywhere(other, 'waiting', within)).toEqual([]);
  await other.close();

  await host.call('closeRoom', {});
  await page.locator(within).waitFor();
  // It is said in passing as well.
  await page.getByTestId('toast').waitFor({ state: 'detached' });
  expect(await lookEverywhere(page, 'closed', within)).toEqual([]);
  await host.call('openRoom', {});
  await page.waitForSelector('html[data-connection="live"]', { state: 'attached' });

  const { id } = server.roomServers.get('garden')!.visitors.find(({ name }) => name !== 'Ada')!;
  const ban = { participant: id, address: false, minutes: null };
  await host.call('ban', ban);
  await page.locator(within).waitFor();
  expect(await lookEverywhere(page, 'banned', within)).toEqual([]);
});

test('the comparison detects a different sheet', async () => {
  const file = join(FOLDER, 'draw.webp');
  // A button's worth of something bright, in the first of its windows.
  const spot = { create: { width: 90, height: 40, channels: 3, background: '#ffcf6b' } } as const;
  const other = await sharp(file)
    .composite([{ input: spot, left: 20, top: 60 }])
    .png()
    .toBuffer();
  const pictures = await picturesOn(other, KEPT);
  expect(await unlike(new Map(KEPT.map((size, i) => [size, pictures[i]])), file)).toHaveLength(1);
});
