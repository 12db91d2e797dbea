/**
 * Chromium, Firefox and WebKit: a visitor opens the room, plants, sees it grow, wounds it, sees it heal, looks at its card,
 * draws, and plants what they drew; and the examples of client/CLIENT.md, as they stand there: pages of another site, and
 * programs in Node by the package's name.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import sharp from 'sharp';
import { ensureClient } from '../../server/http/serve-client.ts';
import type { Room } from '../../server/world/room.ts';
import { drawSeldom, LONG_PERIOD, paintAnew, unpaint, WISH } from '../support/browser.ts';
import { afterTest } from '../support/closing.ts';
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
  WINDOW,
} from '../support/drivers.ts';
import { fullTest, isFull, testNeeding } from '../support/needs.ts';
import { otherSite } from '../support/other-sites.ts';
import type { PageElement, Point } from '../support/page.ts';
import { suiteServer } from '../support/suite.ts';
import { Visitor } from '../support/visitor.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const text = readFileSync(join(root, 'client/CLIENT.md'), 'utf8');
/** The examples by their titles. */
const EXAMPLES = Object.fromEntries(
  [...text.matchAll(/^## (.+)\n\n```(?:js|html)\n([\s\S]+?)```/gm)].map(([, title, code]) => [
    title,
    code,
  ]),
);

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
const SIZE = { width: 160, height: 96 };
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

const site = await otherSite();
const {
  server,
  room,
  url,
  roomUrl,
  join: enter,
} = await suiteServer(
  {
    ...{ size: `${SIZE.width}x${SIZE.height}`, energy: 'off', 'tick-rate': 30 },
    rooms: ['garden', ...BROWSERS.flatMap(({ name }) => [name, `${name}-site`])].join(),
    origins: site.origin,
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

const own = { x: 48, y: 48 };
const second = { x: 20, y: 48 };

/** The main path. @returns what went wrong in the page by itself */
async function visit(driver: Driver, name: string): Promise<readonly string[]> {
  const room = server.world.rooms.get(name)!;
  await driver.open(`${url}/r/${name}?lang=en`);
  await driver.run(() => {
    const problems: string[] = [];
    Object.assign(window, { problems });
    addEventListener('error', ({ message }) => problems.push(message));
    addEventListener('unhandledrejection', ({ reason }) => problems.push(String(reason)));
  });
  await driver.run(drawSeldom, LONG_PERIOD);
  if (!isFull) await driver.run(unpaint, WISH);
  await until(driver, () => document.documentElement.dataset.connection === 'live');

  await press(driver, '[data-testid=tool-plant]');
  await press(driver, '[data-testid=gallery-item][data-name=Penguin]');
  await use(driver, own);
  await untilAtRest(driver, 1, 0);
  expect(room.organisms).toMatchObject([{ ...own, kind: 'Penguin', origin: 'gallery' }]);
  // Nothing else lies under the pointer now.
  await press(driver, '[data-testid=tool-look]');
  await spotsOf(driver, own);
  if (!isFull) await driver.run(paintAnew, WISH, true);
  await spotsOf(driver, own);
  const grown = await driver.picture();
  const [creature, ground] = [
    await liveliness(driver, grown, own),
    await liveliness(driver, grown, second),
  ];
  expect(creature).toBeGreaterThan(ground + LIVELY);
  if (!isFull) await driver.run(paintAnew, WISH, false);

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
  // draw.test.ts has a drawing in Chromium.
  if (isFull) await visitDrawing(driver, room);
  return driver.run(() => (window as unknown as { problems: readonly string[] }).problems);
}

async function visitDrawing(driver: Driver, room: Room): Promise<void> {
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
}

/** Runs an example as a program. @returns it, what it has printed, and its status at the end */
function run(title: string, ...args: string[]) {
  const folder = join(root, '.cache/examples');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${title.replaceAll(' ', '-')}.mjs`);
  writeFileSync(file, EXAMPLES[title]);
  const program = spawn(process.execPath, [file, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const printed: string[] = [];
  program.stdout.on('data', (data: Buffer) => printed.push(...`${data}`.trim().split('\n')));
  const status = new Promise<number | null>((resolve) => program.on('close', resolve));
  return { program, printed, status };
}

describe.each(BROWSERS)('$name', ({ name, need, isPresent, launch }) => {
  // Launched by the first of its tests that runs; nothing of one visit is left in the next address.
  let launched: Promise<Driver> | undefined;
  const browser = (): Promise<Driver> => {
    launched ??= launch();
    return launched;
  };
  afterAll(async () => (await launched)?.close());

  // In `npm test`, other suites take this path in Chromium, and the test below uses Firefox.
  const inShort = name === 'webkit' ? testNeeding(need, isPresent) : fullTest;
  (isFull ? testNeeding(need, isPresent) : inShort)(
    'plant, grow, wound, heal, look, draw',
    async () => {
      expect(await visit(await browser(), name)).toEqual([]);
    },
  );

  // In `npm test`, in Chromium and WebKit.
  (name === 'firefox' ? fullTest : testNeeding(need, isPresent))(
    'paints as the reference does',
    async () => {
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
    },
  );

  if (name === 'webkit') return;
  // In `npm test`, Chromium only where there is no Firefox.
  (name === 'firefox' || !hasFirefox ? testNeeding(need, isPresent) : fullTest)(
    'pages of another site show a room on a canvas, and over what is behind it',
    async () => {
      const driver = await browser();
      const show = (title: string): Promise<void> => {
        const page = EXAMPLES[title].replaceAll('http://localhost:8080', url);
        site.page = page.replace('/r/garden', `/r/${name}-site`);
        return driver.open(`${site.origin}/`);
      };
      const visitor = await Visitor.join(server.port, `${name}-site`);
      afterTest(() => visitor.leave());
      await visitor.grow(48, 48);

      await show('A web page with a canvas');
      await until(driver, () => document.querySelector('canvas')!.width === 160);
      /** How many cells of a square are opaque. */
      const opaque = (x: number, y: number): number => {
        const context = document.querySelector('canvas')!.getContext('2d')!;
        const { data } = context.getImageData(x, y, 32, 32);
        return data.filter((value, i) => i % 4 === 3 && value > 200).length;
      };
      expect(await driver.run(opaque, 32, 32)).toBeGreaterThan(100);
      expect(await driver.run(opaque, 96, 32)).toBe(0);
      const before = visitor.life.length;
      const cell = WINDOW.width / SIZE.width;
      await driver.drag([{ x: cell * 112, y: cell * 48 }]);
      const [first] = visitor.welcome!.checkpoint.gallery;
      await until(driver, (kind) => document.title === kind, first.name);
      expect(visitor.life.slice(before).some(({ what }) => what === 'born')).toBe(true);
      await visitor.until(() => visitor.life.slice(before).some(({ what }) => what === 'asleep'));

      await show('A transparent overlay');
      await driver.run(() => {
        document.body.style.background = 'rgb(255, 0, 255)';
      });
      const { width, height } = WINDOW;
      const scale = width / SIZE.width;
      const at = (x: number, y: number): number =>
        4 * (Math.round(height / 2 + (y - 48) * scale) * width + Math.round(x * scale));
      let pixels: Buffer;
      do
        pixels = await sharp(await driver.picture())
          .removeAlpha()
          .ensureAlpha()
          .raw()
          .toBuffer();
      while (pixels.readUInt32BE(at(48, 48)) === 0xff00ffff);
      // Beside the creatures, and beyond the room, there is nothing but what is behind the element.
      for (const [x, y] of [
        [80, 10],
        [80, 85],
        [3, 3],
        [80, -20],
      ] as const) {
        expect(pixels.readUInt32BE(at(x, y)).toString(16)).toBe('ff00ffff');
      }
    },
  );
});

test('five examples, and no other', () => {
  expect(Object.keys(EXAMPLES)).toHaveLength(5);
});

test('programs plant a garden, touch it, and follow one organism to its end', async () => {
  const garden = run('Plant a garden', roomUrl);
  expect(await garden.status).toBe(0);
  expect(garden.printed).toEqual(Array(2).fill(expect.stringMatching(/^planted: ./)));
  expect(room.size).toBe(2);

  const visitor = await enter();
  const { organisms } = visitor.model;
  const [{ id, x, y, kind }] = organisms.values();
  const follow = run('Follow one organism', roomUrl, kind);
  const { spectators } = server.roomServers.get('garden')!;
  const isResting = (): boolean => organisms.get(id)?.phase === 'asleep';
  await visitor.until(() => spectators.size === 1 && isResting());
  const sensor = run('Wound what a sensor touches', roomUrl);
  sensor.program.stdin.end(`${x / SIZE.width} ${y / SIZE.height}\n0.01 0.01\n`);
  expect(await sensor.status).toBe(0);
  expect(sensor.printed).toEqual([kind, 'bare ground']);
  await visitor.until(() => organisms.get(id)?.healed === 1);
  // In one stroke: between two, what is left would grow on.
  const points = [x - 16, y - 8, x + 16, y - 8, x + 16, y + 8, x - 16, y + 8];
  await visitor.ask('damage', { radius: 12, points });
  expect(await follow.status).toBe(0);
  expect(follow.printed).toEqual(expect.arrayContaining(['wounded', 'healed', 'died']));
});
