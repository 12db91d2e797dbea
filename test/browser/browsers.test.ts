/**
 * A visitor's main path in each family of browsers: Chromium, Firefox and WebKit. They open the
 * room, plant, see it grow, wound it, see it heal, look at its card, draw, and plant what they drew.
 */

import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import sharp from 'sharp';
import { ensureClient } from '../../server/http/client-build.ts';
import { drawSeldom, LONG_PERIOD } from '../support/browser.ts';
import {
  boxOf,
  type Driver,
  hasFirefox,
  hasWebKit,
  launchChromium,
  launchFirefox,
  launchWebKit,
  press,
  until,
} from '../support/drivers.ts';
import { fullTest, isFull, testNeeding } from '../support/needs.ts';
import type { PageElement, Point } from '../support/page.ts';
import { suiteServer } from '../support/suite.ts';

/** The text of `painted-page.ts` as one script. */
async function paintedScript(): Promise<string> {
  const entry = fileURLToPath(new URL('../support/painted-page.ts', import.meta.url));
  const { outputFiles } = await build({
    ...{ entryPoints: [entry], bundle: true, write: false, format: 'iife', target: 'es2022' },
  });
  return outputFiles[0].text;
}

/** What it adds to a page. */
interface Painted {
  largestDifference(scale: number, knows: boolean): number;
}

/** Cells. */
const SIZE = { width: 96, height: 96 };
/** How much livelier a creature is to look at than bare ground: standard deviation, 0…255. */
const LIVELY = 10;

const BROWSERS = [
  { name: 'chromium', need: 'Chromium', isPresent: true, launch: launchChromium },
  { name: 'firefox', need: 'firefox-esr and xvfb', isPresent: hasFirefox, launch: launchFirefox },
  {
    name: 'webkit',
    need: 'webkit2gtk-driver and xvfb',
    isPresent: hasWebKit,
    launch: launchWebKit,
  },
];

const { server, url } = await suiteServer(
  {
    ...{ size: `${SIZE.width}x${SIZE.height}`, energy: 'off', 'tick-rate': 30 },
    rooms: BROWSERS.map(({ name }) => name).join(),
  },
  { clientFolder: await ensureClient(() => {}), drawsSoon: true },
);

/**
 * Shows all of the room and waits until the camera stands still.
 *
 * @returns where places of the grid are in the window
 */
const spotsOf = (driver: Driver, ...places: readonly Point[]): Promise<Point[]> =>
  driver.run(async (wanted) => {
    const room = document.querySelector('vivarium-room') as unknown as PageElement;
    room.shadowRoot!.querySelector<HTMLElement>('.view .fit')!.click();
    const frame = () => new Promise(requestAnimationFrame);
    // Two of them tell how close the camera is, too.
    const look = () => JSON.stringify([room.worldToScreen(0, 0), room.worldToScreen(9, 9)]);
    for (let before = '', still = 0; still < 5; await frame()) {
      const now = look();
      still = now === before ? still + 1 : 0;
      before = now;
    }
    return wanted.map(({ x, y }) => room.worldToScreen(x, y));
  }, places);

/** Clicks on places of the grid, or draws a line through them. */
async function use(driver: Driver, ...places: readonly Point[]): Promise<void> {
  await driver.drag(await spotsOf(driver, ...places));
}

/** Waits until the page knows an organism to be at rest, after so many wounds. */
const untilAtRest = (driver: Driver, id: number, wounds: number): Promise<void> =>
  until(
    driver,
    (of, least) => {
      const { model } = document.querySelector('vivarium-room') as unknown as PageElement;
      const organism = model.organisms.get(of);
      return organism?.phase === 'asleep' && organism.wounds >= least;
    },
    id,
    wounds,
  );

/** How lively the window is about a place of the grid: standard deviation, 0…255. */
async function liveliness(driver: Driver, picture: Buffer, { x, y }: Point): Promise<number> {
  const corners = [-8, 8].map((away) => ({ x: x + away, y: y + away }));
  const [from, to] = await spotsOf(driver, ...corners);
  const part = await sharp(picture)
    .extract({
      ...{ left: Math.round(from.x), top: Math.round(from.y) },
      ...{ width: Math.round(to.x - from.x), height: Math.round(to.y - from.y) },
    })
    .png()
    .toBuffer();
  const { channels } = await sharp(part).stats();
  return Math.max(...channels.slice(0, 3).map(({ stdev }) => stdev));
}

async function drawFace(driver: Driver): Promise<void> {
  const pad = await boxOf(driver, '[data-testid=pad]');
  const at = (x: number, y: number): Point => ({
    x: pad.x + x * pad.width,
    y: pad.y + y * pad.height,
  });
  await press(driver, '[data-testid=colour-yellow]');
  await press(driver, '[data-testid=width-thick]');
  for (const y of [0.35, 0.5, 0.65]) await driver.drag([at(0.3, y), at(0.5, y), at(0.7, y)]);
  await press(driver, '[data-testid=colour-black]');
  for (const x of [0.4, 0.6]) await driver.drag([at(x, 0.42), at(x, 0.46)]);
}

/** The main path. @returns what went wrong in the page by itself */
async function visit(driver: Driver, name: string): Promise<readonly string[]> {
  const room = server.world.rooms.get(name)!;
  const own = { x: 48, y: 48 };
  const second = { x: 20, y: 48 };

  await driver.open(`${url}/r/${name}?lang=en`);
  await driver.run(() => {
    const problems: string[] = [];
    Object.assign(window, { problems });
    addEventListener('error', ({ message }) => problems.push(message));
    addEventListener('unhandledrejection', ({ reason }) => problems.push(String(reason)));
  });
  await driver.run(drawSeldom, LONG_PERIOD);
  await until(driver, () => document.documentElement.dataset.connection === 'live');

  await press(driver, '[data-testid=tool-plant]');
  await press(driver, '[data-testid=gallery-item][data-name=Penguin]');
  await use(driver, own);
  await untilAtRest(driver, 1, 0);
  expect(room.organisms).toMatchObject([{ ...own, kind: 'Penguin', origin: 'gallery' }]);
  // Nothing else lies under the pointer now.
  await press(driver, '[data-testid=tool-look]');
  await spotsOf(driver, own);
  const grown = await driver.picture();
  const [creature, ground] = [
    await liveliness(driver, grown, own),
    await liveliness(driver, grown, second),
  ];
  expect(creature).toBeGreaterThan(ground + LIVELY);

  await press(driver, '[data-testid=tool-damage]');
  await use(driver, { x: 44, y: 47 }, own, { x: 52, y: 49 });
  await untilAtRest(driver, 1, 1);
  expect(room.organisms[0].healed).toBeGreaterThan(0);

  await press(driver, '[data-testid=tool-look]');
  await use(driver, own);
  await boxOf(driver, '[data-testid=organism-card]');
  const card = await driver.run(() => {
    const page = document.querySelector('vivarium-room')!.shadowRoot!;
    return page.querySelector('organism-card')!.shadowRoot!.textContent;
  });
  expect(card).toMatch(/Penguin.*planted by you/s);

  await press(driver, '[data-testid=tool-plant]');
  await press(driver, '[data-testid=open-draw]');
  await drawFace(driver);
  await press(driver, '[data-testid=grow-drawing]');
  await press(driver, '[data-testid=plant-drawing]');
  await until(driver, () => {
    const page = document.querySelector('vivarium-room')!.shadowRoot!;
    return page.querySelector('seed-sheet')?.shadowRoot?.querySelector('draw-pad') == null;
  });
  await use(driver, second);
  await untilAtRest(driver, 2, 0);
  expect(room.organisms[1]).toMatchObject({ ...second, origin: 'drawing' });
  return driver.run(() => (window as unknown as { problems: readonly string[] }).problems);
}

describe.each(BROWSERS)('$name', ({ name, need, isPresent, launch }) => {
  // Launched by the first of its tests that runs; nothing of one visit is left in the next address.
  let launched: Promise<Driver> | undefined;
  const browser = (): Promise<Driver> => {
    launched ??= launch();
    return launched;
  };
  afterAll(async () => (await launched)?.close());

  // In `npm test`, other suites take this path in Chromium, and client.test.ts uses Firefox.
  const inShort = name === 'webkit' ? testNeeding(need, isPresent) : fullTest;
  (isFull ? testNeeding(need, isPresent) : inShort)(
    'plant, grow, wound, heal, look, draw',
    async () => {
      expect(await visit(await browser(), name)).toEqual([]);
    },
  );

  testNeeding(need, isPresent)('paints as the reference does', async () => {
    const driver = await browser();
    await driver.open(`${url}/keep`);
    await driver.run(new Function(await paintedScript()) as () => void);
    for (const scale of [8, 4]) {
      for (const knows of isFull ? [false, true] : [scale === 4]) {
        const largest = await driver.run(
          (each) => (globalThis as unknown as Painted).largestDifference(each.scale, each.knows),
          { scale, knows },
        );
        expect(largest).toBeLessThanOrEqual(2);
      }
    }
  });
});
