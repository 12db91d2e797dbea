/**
 * `npm run screenshot`: the documents' pictures. Grows a garden in a real room and takes its picture, as desktop, phone, wall and
 * host see it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import type { VivariumServer } from '../../server/composition/create-server.ts';
import { ensureClient } from '../../server/http/serve-client.ts';
import { DEFAULT_SIZE } from '../../server/settings/server.ts';
import { launchBrowser, runTranspiled } from '../support/browser.ts';
import { liveScreenOf, liveShows, signIn } from '../support/host-client.ts';
import {
  cameraRests,
  nextPictures,
  openRoom,
  openWall,
  type Point,
  screenOf,
  waitForPhase,
  waitForWounds,
} from '../support/page.ts';
import { DESKTOP, PHONE } from '../support/screens.ts';
import { startServer } from '../support/server.ts';
import { Visitor } from '../support/visitor.ts';

const PICTURES = fileURLToPath(new URL('pictures', import.meta.url));

const SCREENS = {
  room: { viewport: { width: 1920, height: 1080 }, deviceScaleFactor: 1 },
  phone: { ...PHONE, deviceScaleFactor: 2 },
} as const;

/** The size of rooms, in cells. */
const { width: WIDTH, height: HEIGHT } = DEFAULT_SIZE;

/** How long the gardener composes before pictures are taken, in ms. */
const COMPOSING = 240_000;

/** The point of a phone's view that is farthest from all creatures. */
async function emptiest(page: Page, spots: readonly (readonly [number, number])[]): Promise<Point> {
  const taken = await Promise.all(spots.map(([x, y]) => screenOf(page, x, y)));
  const gap = (at: Point) => Math.min(...taken.map(({ x, y }) => Math.hypot(x - at.x, y - at.y)));
  const points: Point[] = [];
  for (let x = 90; x <= 300; x += 10) for (let y = 200; y <= 520; y += 10) points.push({ x, y });
  return points.reduce((best, one) => (gap(one) > gap(best) ? one : best));
}

/** Returns the place that is farthest from all creatures. */
function barest(spots: readonly (readonly [number, number])[]): readonly [number, number] {
  const places: [number, number][] = [];
  for (let x = 20; x < WIDTH - 20; x += 4) {
    for (let y = 20; y < HEIGHT - 20; y += 4) places.push([x, y]);
  }
  const gap = ([x, y]: readonly [number, number]) =>
    Math.min(...spots.map((spot) => Math.hypot(spot[0] - x, spot[1] - y)));
  return places.reduce((best, one) => (gap(one) > gap(best) ? one : best));
}

/** The wall's page as it is laid out at 4K, with half as many pixels a side: a processor draws it. */
async function takeWall(browser: Browser, url: string): Promise<void> {
  const viewport = { width: 3840, height: 2160 };
  const page = await browser.newPage({ viewport, deviceScaleFactor: 0.5, reducedMotion: 'reduce' });
  await page.clock.install();
  await openWall(page, url);
  await nextPictures(page, 1);
  // It rests while its picture is taken.
  await page.clock.pauseAt(Date.now() + 60_000);
  const file = join(PICTURES, 'wall.jpg');
  await sharp(await page.screenshot({ timeout: 180_000 }))
    .jpeg({ quality: 86 })
    .toFile(file);
  console.log(file);
  await page.close();
}

/** The host's page with an organism selected. Few colours are enough for dark panels. */
async function takeHost(
  browser: Browser,
  { port, hostToken }: VivariumServer,
  spots: readonly (readonly [number, number])[],
): Promise<void> {
  const [x, y] = spots[3];
  const page = await browser.newPage({ ...DESKTOP, locale: 'en' });
  await signIn(page, port, hostToken!);
  await liveShows(page, spots.length);
  const at = await liveScreenOf(page, x, y);
  await page.mouse.click(at.x, at.y);
  await page.getByTestId('organism').waitFor();
  // Pictures come, and nothing moves any more.
  await page.waitForTimeout(1_200);
  const file = join(PICTURES, 'host.png');
  await sharp(await page.screenshot({ timeout: 180_000 }))
    .png({ palette: true, quality: 90 })
    .toFile(file);
  console.log(file);
  await page.close();
}

async function main(): Promise<void> {
  const clientFolder = await ensureClient(console.log);
  const data = mkdtempSync(join(tmpdir(), 'vivarium-pictures-'));
  const server = await startServer(
    { attract: 5, energy: 'newcomer=100,refillPerSecond=1000', data },
    { clientFolder },
  );
  const url = `http://127.0.0.1:${server.port}/r/garden`;
  const spectator = new Visitor(server.port);
  spectator.requestJoin({ as: 'wall' });
  console.log('The gardener composes a garden, which takes four minutes …');
  await setTimeout(COMPOSING);
  const visitors = await Promise.all(
    ['Bo', 'Chiyo', 'Dag'].map((name) => Visitor.join(server.port, 'garden', name)),
  );
  const [bo, chiyo, dag] = visitors;
  const room = server.world.rooms.get('garden')!;
  while (room.organisms.some(({ phase }) => phase === 'growing')) await setTimeout(100);
  const spots = room.organisms.map(({ x, y }) => [x, y] as const);

  const browser = await launchBrowser();
  for (const [shot, [name, screen]] of [...Object.entries(SCREENS)].entries()) {
    const page = await browser.newPage(screen);
    await runTranspiled(page);
    await openRoom(page, url);
    // One is growing, one is wounded, and people point at things.
    const { id, x, y } = room.organisms[[11, 13][shot]];
    bo.send('cursor', { x: x + 7, y: y - 4, tool: 'damage' });
    chiyo.send('cursor', { x: spots[3][0], y: spots[3][1] + 9, tool: 'look' });
    dag.send('cursor', { x: spots[8][0], y: spots[8][1], tool: 'plant' });
    if (name === 'phone') {
      // It opens with free ground, and stays with what is planted there.
      const free = await emptiest(page, spots);
      await page.touchscreen.tap(free.x, free.y);
      await waitForPhase(page, room.organisms.at(-1)!.id, 'asleep');
      await cameraRests(page);
    } else {
      const at = await screenOf(page, 300, 165);
      await page.mouse.move(at.x, at.y);
    }
    await page.waitForTimeout(400);
    // Last, since it heals at once.
    await bo.ask('damage', { radius: 5, points: [x - 6, y + 5, x + 7, y - 4] });
    await waitForWounds(page, id, 1);
    const file = join(PICTURES, `${name}.webp`);
    await sharp(await page.screenshot({ timeout: 180_000 }))
      .webp({ quality: 95, effort: 6, smartSubsample: true })
      .toFile(file);
    console.log(file);
    await page.close();
  }
  // One that is just growing, in slow motion: a wall takes long to draw here.
  server.setTickRate(room, 1);
  const index = room.species.gallery.findIndex(({ name }) => name === 'Sunflower');
  const [x, y] = barest(spots);
  await chiyo.ask('plant', { x, y, seed: { from: 'gallery', index } });
  const { id } = room.organisms.at(-1)!;
  await chiyo.until(() =>
    chiyo.life.some((event) => event.what === 'divided' && event.id === id && event.stage === 16),
  );
  const scanned = encodeURIComponent(url);
  const wall = `${url.replace('/r/', '/wall/')}?frame=fixed&resolution=full&url=${scanned}`;
  await takeWall(browser, wall);
  await takeHost(browser, server, spots);
  await browser.close();
  for (const visitor of [spectator, ...visitors]) visitor.leave();
  await server.close();
  rmSync(data, { recursive: true });
}

await main();
