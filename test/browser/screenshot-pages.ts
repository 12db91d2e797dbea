/** Pictures of each page in its states: the visitor's, walls, the host's, keepsakes, and family trees. */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import sharp from 'sharp';
import { sectionsOf } from '../../client/host/navigation.ts';
import type { VivariumServer } from '../../server/composition/create-server.ts';
import { HOUSE } from '../../shared/vocabulary.ts';
import { leaveUnpainted, runTranspiled } from '../support/browser.ts';
import { goTo, type HostClient, liveScreenOf, liveShows, signIn } from '../support/host-client.ts';
import { cameraRests, clickPlace, openRoom, openWall, waitForPhase } from '../support/page.ts';
import { WINDOWS, type WindowSize } from '../support/screens.ts';
import { closeAll, sheetStates } from '../support/sheet-states.ts';
import { Visitor } from '../support/visitor.ts';

/** Windows side by side on one sheet. */
const SHEETS: Readonly<Record<string, readonly WindowSize[]>> = {
  phones: WINDOWS.filter(({ height }) => [568, 844, 390].includes(height)),
  larger: WINDOWS.filter(({ height }) => height >= 900),
};
const HOME = WINDOWS.at(-1)!;
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
const SPOTS = {
  own: [74, 26],
  other: placeOf(0),
  child: placeOf(1),
  second: placeOf(3),
} as const;

/** What all pictures need. */
interface Studio {
  readonly out: string;
  readonly language: string;
  readonly browser: Browser;
  readonly server: VivariumServer;
  readonly host: HostClient;
  readonly url: string;
}

async function sideBySide(pictures: readonly Buffer[], file: string): Promise<void> {
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

const shoot = (page: Page): Promise<Buffer> =>
  page.screenshot({ timeout: 180_000, animations: 'disabled' });

/** Takes what a page shows in each window. @param before runs in each window first */
async function inWindows(
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

async function contextOf({ browser, language }: Studio, more = {}): Promise<BrowserContext> {
  const context = await browser.newContext({
    ...{ viewport: HOME, hasTouch: true, reducedMotion: 'reduce', locale: language },
    ...more,
  });
  return runTranspiled(context);
}

/** Every sheet and panel of the visitor's page. The dish is left dark: others show it. */
export async function takeVisitor(studio: Studio): Promise<void> {
  const context = await contextOf(studio).then(leaveUnpainted);
  const page = await context.newPage();
  await openRoom(page, `${studio.url}/r/garden`);
  await page.locator('[data-testid=gallery-item]').first().click();
  await page.locator('.view .fit').dispatchEvent('click');
  await cameraRests(page);
  await clickPlace(page, ...SPOTS.own);
  const own = studio.server.world.rooms.get('garden')!.size;
  await waitForPhase(page, own, 'asleep');
  for (const [name, { open }] of Object.entries(sheetStates(SPOTS))) {
    await page.locator('.view .fit').dispatchEvent('click');
    await cameraRests(page);
    await open(page).catch((error: Error) => console.error(`${name}: ${error.message}`));
    await inWindows(studio, page, `visitor-${name}`);
  }
  await closeAll(page);
  await context.close();
}

/** What a visitor meets without opening anything, loaded again in each window. */
export async function takeArrival(studio: Studio): Promise<void> {
  const { host, url, server, out } = studio;
  const garden = server.roomServers.get('garden')!;
  const pages: Readonly<Record<string, (page: Page) => Promise<void>>> = {
    opened: async (page) => {
      await openRoom(page, `${url}/r/garden`);
      await page.getByTestId('gallery-item').first().waitFor();
    },
    told: async (page) => {
      await openRoom(page, `${url}/r/garden`);
      await host.call('spotlight', { x: 118, y: 70 });
      await page.getByTestId('toast').first().waitFor();
      await cameraRests(page);
    },
    watching: (page) => openRoom(page, `${url}/r/garden?view=only`),
    unwatched: async (page) => {
      await host.call('changeSettings', { spectators: false });
      await page.goto(`${url}/r/garden?view=only`);
      await page.getByRole('alert').waitFor();
      await host.call('changeSettings', { spectators: true });
    },
    paused: async (page) => {
      await host.call('changeSettings', { paused: true });
      await openRoom(page, `${url}/r/garden`);
      // What a tap then says.
      await page.locator('canvas').first().tap();
      await page.getByTestId('toast').first().waitFor();
    },
    waiting: async (page) => {
      await host.call('changeSettings', { capacity: 1 });
      const first = await Visitor.join(server.port, 'garden', 'Ada');
      await page.goto(`${url}/r/garden`);
      await page.getByTestId('line').waitFor();
      page.once('close', () => first.leave());
    },
    unknown: async (page) => {
      await page.goto(`${url}/r/nowhere`);
      await page.getByRole('alert').waitFor();
    },
    closed: async (page) => {
      server.rooms.setHours({ dim: true, closed: true });
      await page.goto(`${url}/r/garden`);
      await page.getByRole('alert').waitFor();
      server.rooms.setHours({ dim: false, closed: false });
    },
    banned: async (page) => {
      await openRoom(page, `${url}/r/garden`);
      const { id } = garden.host.visitors.at(-1)!;
      const { id: ban } = await host.call('ban', { participant: id, address: false, minutes: 1 });
      await page.getByRole('alert').waitFor();
      await host.call('liftBan', {}, { ban });
    },
    farewell: async (page) => {
      await openRoom(page, `${url}/r/garden`);
      await host.call('farewell', { seconds: 600 });
      await settle(page, 1_500);
    },
  };
  for (const [name, arrive] of Object.entries(pages)) {
    for (const [sheet, sizes] of Object.entries(SHEETS)) {
      const pictures: Buffer[] = [];
      for (const viewport of sizes) {
        const isMobile = viewport.width < 820 || viewport.height < 500;
        const context = await contextOf(studio, { viewport, isMobile });
        const page = await context.newPage();
        await arrive(page).catch((error: Error) => console.error(`${name}: ${error.message}`));
        await settle(page);
        pictures.push(await shoot(page));
        await context.close();
        await host.call('changeSettings', { capacity: 200, paused: false });
        await host.call('stopFarewell').catch(() => {});
      }
      await sideBySide(pictures, join(out, `arrival-${name}-${sheet}.webp`));
    }
  }
}

const WALLS: readonly WindowSize[] = [
  { width: 1920, height: 1080 },
  { width: 3840, height: 2160 },
  { width: 1080, height: 1920 },
];

/** The wall in each of its states. A processor computes few pixels: large walls are taken small. */
export async function takeWall(studio: Studio): Promise<void> {
  const { host, url, server, out } = studio;
  const address = encodeURIComponent('http://192.168.1.20:8080/r/garden');
  const wall = `${url}/wall/garden?resolution=full&url=${address}`;
  const { id: job } = await host.call('timelapse', { kind: 'gif', seconds: 2 });
  const states: Readonly<Record<string, [string, (page: Page) => Promise<unknown>]>> = {
    room: ['', async () => {}],
    close: [
      '',
      async (page) => {
        await host.call('spotlight', { x: 118, y: 70 });
        await settle(page, 2_500);
      },
    ],
    film: ['', () => host.call('showFilm', { job, frame: 20, speed: 0 })],
    farewell: ['', () => host.call('farewell', { seconds: 600 })],
    arabic: ['&languages=ar', async () => {}],
    filling: ['&frame=fill', async () => {}],
    dim: ['', async () => server.rooms.setHours({ dim: true, closed: false })],
  };
  const people = await Promise.all(
    ['Ada', 'Bo', 'Chiyo', ''].map((name) => Visitor.join(server.port, 'garden', name)),
  );
  while ((await host.call('state')).jobs.some(({ state }) => state === 'going')) await pause(200);
  for (const [name, [query, arrange]] of Object.entries(states)) {
    const pictures: Buffer[] = [];
    for (const viewport of WALLS) {
      const deviceScaleFactor = 960 / Math.max(viewport.width, viewport.height);
      const context = await contextOf(studio, { viewport, deviceScaleFactor });
      const page = await context.newPage();
      await openWall(page, `${wall}${query}`);
      await arrange(page);
      await settle(page, 4_500);
      pictures.push(await shoot(page));
      await host.call('showRoom');
      await host.call('stopFarewell').catch(() => {});
      server.rooms.setHours({ dim: false, closed: false });
      await context.close();
    }
    await sideBySide(pictures, join(out, `wall-${name}.webp`));
  }
  for (const one of people) one.leave();
}

/** Every section of the host's page, signing in, and its dialogs. */
export async function takeHost(studio: Studio): Promise<void> {
  const { server, url, host } = studio;
  const context = await contextOf(studio);
  const page = await context.newPage();
  await page.goto(`${url}/host`);
  await page.getByTestId('token').waitFor();
  await inWindows(studio, page, 'host-login');
  const people = await Promise.all(
    ['Ada', 'Bo', '', 'Chiyo'].map((name) => Visitor.join(server.port, 'garden', name)),
  );
  const wall = await Visitor.join(server.port, 'garden', undefined, { as: 'wall' });
  await host.call('addWall', { name: 'Foyer' });
  await host.call('makeToken', { name: 'Lights', role: 'operator' });
  await host.call('takeSnapshot', { name: 'Evening of the opening' });
  await people[0].ask('report', { organism: server.world.rooms.get('garden')!.organisms[2].id });
  await signIn(page, server.port, server.hostToken!);
  for (const { id } of sectionsOf(false)) {
    await goTo(page, id);
    if (id === 'film') {
      await page.getByTestId('film-moment').focus();
      await page.keyboard.press('ArrowLeft');
      await page.getByRole('link', { name: 'Download' }).waitFor();
    }
    await inWindows(studio, page, `host-${id}`);
  }
  await goTo(page, 'watch');
  await liveShows(page, GARDEN.length);
  const at = await liveScreenOf(page, ...placeOf(2));
  await page.mouse.click(at.x, at.y);
  await page.getByTestId('organism').waitFor();
  await inWindows(studio, page, 'host-organism');
  await page.getByTestId('remove').click();
  await inWindows(studio, page, 'host-confirm');
  await page.keyboard.press('Escape');
  for (const tool of ['area', 'point']) {
    await page.getByTestId(`tool-${tool}`).click();
    await inWindows(studio, page, `host-tool-${tool}`);
  }
  await page.getByTestId('tool-look').click();
  await host.call('spotlight', { x: 118, y: 70 });
  await page.getByTestId('walls-show').waitFor();
  await inWindows(studio, page, 'host-showing');
  await context.close();
  for (const one of [...people, wall]) one.leave();
}

/** A keepsake at home, and the page without one. */
export async function takeKeep(studio: Studio): Promise<void> {
  const { server, url } = studio;
  const ada = await Visitor.join(server.port, 'garden', 'Ada');
  const [{ id }] = server.world.rooms.get('garden')!.organisms;
  const answer = await ada.ask('keep', { organism: id });
  if (!('token' in answer)) throw new Error('no token');
  const context = await contextOf(studio);
  const page = await context.newPage();
  await page.goto(`${url}/keep`);
  await inWindows(studio, page, 'keep-empty');
  await page.goto('about:blank');
  await page.goto(`${url}/keep#${answer.token}/garden`);
  await page.locator('[data-testid=keep][data-phase=grown]').waitFor();
  await inWindows(studio, page, 'keep-grown');
  await context.close();
  ada.leave();
}

/** How many of the garden make room for children in each generation. */
const CHILDREN = 4;
const GENERATIONS = 3;

/** Crosses neighbours for some generations. Each child takes the place of one of the oldest. */
async function breed({ server }: Studio): Promise<void> {
  const room = server.world.rooms.get('garden')!;
  const people = await Promise.all(
    ['Ada', 'Bo'].map((name) => Visitor.join(server.port, 'garden', name)),
  );
  const [ada] = people;
  const rests = () => room.organisms.every(({ phase }) => /awake|asleep/.test(phase));
  for (let generation = 0; generation < GENERATIONS; generation++) {
    await ada.until(rests);
    const old = room.organisms.slice(0, CHILDREN);
    const parents = room.organisms.slice(-2 * CHILDREN);
    for (const [i, { id, x, y }] of old.entries()) {
      const by = people[i % people.length];
      const [a, b] = [parents[2 * i].id, parents[2 * i + 1].id];
      const seed = await by.cross(a, b, { mix: 0.3 + 0.1 * i });
      room.enqueue(1, { what: 'remove', by: HOUSE, organism: id });
      await ada.until(() => room.viewOf(id) === undefined);
      await by.plant(x, y, seed);
    }
  }
  await ada.until(rests);
  for (const one of people) one.leave();
}

/** The tree whole and close by, the card of a child; then the wall, which ends the day. */
export async function takeLineage(studio: Studio): Promise<void> {
  const { host, url, out } = studio;
  await breed(studio);
  const context = await contextOf(studio);
  const page = await context.newPage();
  await page.goto(`${url}/lineage#garden`);
  await page.locator('[data-testid=lineage][data-phase=shown]').waitFor();
  const whole = () => page.getByTestId('fit').click();
  await inWindows(studio, page, 'lineage-whole', whole);
  await inWindows(studio, page, 'lineage-close', async () => {
    await whole();
    for (let i = 0; i < 2; i++) await page.getByTestId('closer').click();
  });
  await whole();
  await page.locator('canvas.tree').focus();
  await page.keyboard.press('Enter');
  await page.getByTestId('lineage-card').waitFor();
  await inWindows(studio, page, 'lineage-card');
  await context.close();
  const walls = await contextOf(studio, {
    viewport: { width: 3840, height: 2160 },
    reducedMotion: 'no-preference',
  });
  const wall = await walls.newPage();
  await openWall(wall, `${url}/wall/garden`);
  await host.call('farewell', { seconds: 90 });
  await wall.locator('wall-tree[data-organisms]').waitFor();
  for (const name of ['growing', 'grown']) {
    await settle(wall, 9_000);
    const file = join(out, `lineage-wall-${name}.png`);
    await wall.screenshot({ path: file, timeout: 180_000 });
    console.log(file);
  }
  await walls.close();
}
