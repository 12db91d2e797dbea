/**
 * Every page at the size of a phone, a desktop and a 4K wall, beside the picture of it that people
 * have looked at and found right. `VIVARIUM_BASELINES=1 npm test -- test/browser/baselines` retakes
 * them: review them before you commit them.
 */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { leaveUnpainted, paintNow } from '../support/browser.ts';
import { suiteFolder } from '../support/closing.ts';
import { goTo, liveShows, signIn } from '../support/host-client.ts';
import { isFull } from '../support/needs.ts';
import {
  cameraOf,
  cameraRests,
  drawnTwice,
  nextPictures,
  openRoom,
  openWall,
  resize,
} from '../support/page.ts';
import { difference, MEAN, SHARE } from '../support/pictures.ts';
import { PHONE } from '../support/screens.ts';
import { suiteVisitor } from '../support/suite.ts';
import { suiteWithPages } from '../support/suite-pages.ts';
import { plantGarden } from '../support/visitor.ts';

const FOLDER = fileURLToPath(new URL('baselines', import.meta.url));
const ANEW = process.env.VIVARIUM_BASELINES !== undefined;

/**
 * Fewer pixels than a screen has, for a processor computes them; all of the layout is that of the
 * screen.
 */
const SCREENS = {
  phone: { ...PHONE, deviceScaleFactor: 1 },
  desktop: { viewport: { width: 1920, height: 1080 }, deviceScaleFactor: 0.5 },
  '4k': { viewport: { width: 3840, height: 2160 }, deviceScaleFactor: 0.25 },
} as const;
type ScreenName = keyof typeof SCREENS;
/**
 * On which a page for a larger screen loads, without drawing as many pixels all the while: a page
 * draws at half of CSS pixels at least, whatever the device has.
 */
const LOADING = { width: 1280, height: 720 };

const TICK_RATE = 3;
const CREATURES = [
  ...['Penguin', 'Octopus', 'Tropical Fish', 'Fox Face'],
  ...['Turtle', 'Butterfly', 'Cactus', 'Sunflower'],
];

const { server, room, url, browser } = await suiteWithPages(
  { size: '160x90', energy: 'newcomer=100,refillPerSecond=1000', data: suiteFolder() },
  // The light is that of the server's hour and season.
  { date: () => new Date(2026, 5, 15, 13).getTime() },
);

beforeAll(async () => {
  const visitors = [await suiteVisitor(server, 'Ada'), await suiteVisitor(server, 'Bo')];
  await plantGarden(visitors, CREATURES, (i) => [20 + 40 * (i % 4), 24 + 42 * Math.floor(i / 4)]);
  // A machine that is busy otherwise would be told to be slow.
  server.setTickRate(room, TICK_RATE);
  if (ANEW) await mkdir(FOLDER, { recursive: true });
});

/** To each page as it is when all has come. */
const PAGES: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  room: async (page) => {
    await openRoom(page, `${url}/r/garden?resolution=full`);
    await page.getByTestId('gallery-item').first().waitFor();
    await page.locator('seed-film:not([waiting]) .film').first().waitFor();
    // The pictures of the seeds, which come after all else.
    await page.evaluate(async () => {
      const { model } = document.querySelector('vivarium-room') as unknown as {
        model: { checkpoint: { sheet: { url: string } } };
      };
      const image = new Image();
      image.src = model.checkpoint.sheet.url;
      await image.decode();
    });
    await drawnTwice(page);
    await cameraRests(page);
  },
  wall: async (page) => {
    // The address to scan is that of a port which differs each time.
    const address = encodeURIComponent('http://192.168.1.20:8080/r/garden');
    await openWall(page, `${url}/wall/garden?frame=fixed&resolution=full&url=${address}`);
    await nextPictures(page, 2);
  },
  host: async (page) => {
    await signIn(page, server.port, server.hostToken!);
    await goTo(page, 'watch');
    await liveShows(page, CREATURES.length);
    await drawnTwice(page);
    await page.getByText(`${TICK_RATE} steps per second`, { exact: true }).waitFor();
  },
};

/** Waits until a page has drawn itself at the size that its window has just taken. */
async function grow(page: Page, name: string): Promise<void> {
  const { viewport } = SCREENS['4k'];
  await resize(page, viewport);
  // The row of seeds shows the one that is held when it is taken.
  const held = page.locator('[data-testid=gallery-item][aria-pressed=true]');
  if (name === 'room') await held.dispatchEvent('click');
  await drawnTwice(page);
  await drawnTwice(page);
  if (name === 'room') {
    // Motion is reduced: it has not glided there, frame by frame.
    const { camera, heading } = await cameraOf(page);
    expect(camera).toEqual(heading);
  }
  if (name === 'wall') await nextPictures(page, 2);
}

/**
 * What differs from picture to picture and says nothing of the page: clocks, and how busy this
 * machine is.
 */
const FLEETING = '[data-testid=status], [data-fleeting]';

/** Each page where it is mostly seen; on every screen with VIVARIUM_TEST_FULL. */
const USUAL = { room: 'phone', wall: 'desktop', host: 'desktop' } as const;
const screensOf = (name: string): readonly ScreenName[] =>
  isFull || ANEW ? (Object.keys(SCREENS) as ScreenName[]) : [USUAL[name as keyof typeof USUAL]];

describe.each(Object.keys(PAGES))('the page of the %s', (name) => {
  test.each(screensOf(name))('looks on a %s as it did when it was looked at', async (screen) => {
    const context = await browser.newContext({
      ...SCREENS[screen],
      ...(screen === '4k' && { viewport: LOADING }),
      ...{ reducedMotion: 'reduce', locale: 'en-GB', timezoneId: 'Europe/Copenhagen' },
    });
    await context.clock.setFixedTime('2026-06-15T13:00:00+02:00');
    await context.addInitScript(() => {
      // A busy machine's room may be told to be slow, which is a longer word; and a wall's
      // captions take turns.
      const { json } = Response.prototype;
      Response.prototype.json = async function () {
        const text = JSON.stringify(await json.call(this));
        return JSON.parse(text.replaceAll('"slow":true', '"slow":false'));
      };
      Object.assign(window, { setInterval: () => 0 });
      // Which seeds are offered first is chance.
      let state = 1;
      Math.random = () => {
        state = (state * 16_807) % 2_147_483_647;
        return state / 2_147_483_647;
      };
    });
    const page = await context.newPage();
    // While it loads, no pixel is computed.
    if (name !== 'host') await leaveUnpainted(page);
    await PAGES[name](page);
    if (screen === '4k') await grow(page, name);
    if (name !== 'host') await paintNow(page);
    if (name === 'wall') await nextPictures(page, 4);
    if (name === 'room') for (let i = 0; i < 4; i++) await drawnTwice(page);
    const picture = await page.screenshot({
      ...{ timeout: 180_000, animations: 'disabled' },
      mask: [page.locator(FLEETING)],
      maskColor: '#202426',
    });
    await context.close();
    const file = join(FOLDER, `${name}-${screen}.webp`);
    if (ANEW) await sharp(picture).webp({ quality: 80 }).toFile(file);
    expect(existsSync(file)).toBe(true);
    const { mean, share } = await difference(picture, file);
    expect(mean).toBeLessThan(MEAN);
    expect(share).toBeLessThan(SHARE);
  });
});
