/**
 * A visitor scans the code on the wall over a slow connection and plants an organism: both pages in real browsers, from
 * opening the page to the organism's first cells on the wall.
 */
import type { Browser, Page } from 'playwright-core';
import type { VivariumServer } from '../../server/app/create-server.ts';
import { ensureClient } from '../../server/http/client-build.ts';
import type { Room } from '../../server/world/room.ts';
import { createRandom } from '../../shared/random.ts';
import { launchBrowser } from '../support/browser.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { fingerTap } from '../support/page.ts';
import { generousTimeout } from '../support/patience.ts';
import { PHONE } from '../support/screens.ts';
import { startServer } from '../support/server.ts';

/** ms that it may take. */
const LIMIT = 10_000;
/** 4 Mbit/s; 100 ms there, and as long back. */
const LINE = { bandwidth: 500_000, latency: 100 };

/** What both pages show to scripts. */
interface Shown extends HTMLElement {
  readonly model: {
    readonly you?: { readonly id: number };
    readonly organisms: ReadonlyMap<number, { planter: { id: number }; x: number; y: number }>;
    readonly planes?: { readonly rgba: Uint8Array; readonly owner: Uint32Array; width: number };
  };
  readonly drawn: { readonly pictures: number };
  worldToScreen(x: number, y: number): { x: number; y: number };
}

let server: VivariumServer;
let room: Room;
let proxy: FaultProxy;
/** Each on a machine of its own, as far as one machine can pretend: two would draw one after the other. */
let browsers: Browser[] = [];
let wall: Page;

beforeAll(async () => {
  // The gardener plays until the visitor comes.
  server = await startServer({ attract: 60 }, await ensureClient(() => {}));
  room = server.world.rooms.get('garden')!;
  proxy = await FaultProxy.open({ port: server.port, random: createRandom(1), faults: LINE });
  browsers = [await launchBrowser(), await launchBrowser()];
  // Small and calm: the machine that draws it in software is that of the phone and of the server too.
  const screen = await browsers[0].newContext({
    viewport: { width: 640, height: 360 },
    reducedMotion: 'reduce',
  });
  wall = await screen.newPage();
  // A phone's browser has drawn before; this one would spend seconds on its first shader. Nothing is kept of it.
  const before = await browsers[1].newContext({ viewport: PHONE.viewport });
  const page = await before.newPage();
  await page.goto(`http://127.0.0.1:${server.port}/wall/garden`);
  await page.waitForFunction(() => {
    const shown = document.querySelector('vivarium-wall') as Shown | null;
    return shown !== null && shown.drawn.pictures > 2;
  });
  await before.close();
  await wall.goto(`http://127.0.0.1:${server.port}/wall/garden`);
  await wall.waitForFunction(() => {
    const shown = document.querySelector('vivarium-wall') as Shown | null;
    return shown !== null && shown.model.organisms.size > 2;
  });
});

afterAll(async () => {
  await Promise.all(browsers.map((browser) => browser.close()));
  await proxy.close();
  await server.close();
});

/** Places with room around them, the middle of the grid first. */
function freePlaces(): { x: number; y: number }[] {
  const { width, height } = room.grid;
  const { side } = room.species;
  const places: { x: number; y: number }[] = [];
  for (let y = side / 2; y <= height - side / 2; y += 8) {
    for (let x = side / 2; x <= width - side / 2; x += 8) places.push({ x, y });
  }
  const far = (x: number, y: number): number => Math.hypot(x - width / 2, y - height / 2);
  return places
    .filter((place) =>
      room.organisms.every(
        (one) => Math.max(Math.abs(one.x - place.x), Math.abs(one.y - place.y)) > 1.1 * side,
      ),
    )
    .sort((a, b) => far(a.x, a.y) - far(b.x, b.y));
}

/** Where one of these places can be touched. */
function reachable(page: Page, places: readonly { x: number; y: number }[]) {
  return page.evaluate((all) => {
    const shown = document.querySelector('vivarium-room') as unknown as Shown;
    for (const { x, y } of all) {
      const at = shown.worldToScreen(x, y);
      if (shown.shadowRoot!.elementFromPoint(at.x, at.y)?.tagName === 'CANVAS') return at;
    }
    return undefined;
  }, places);
}

/** Waits until the wall has drawn cells of an organism of this planter. @returns its position on the wall */
function firstCells(of: number): Promise<{ x: number; y: number }> {
  return wall
    .waitForFunction((planter) => {
      const shown = document.querySelector('vivarium-wall') as unknown as Shown;
      const { organisms, planes } = shown.model;
      const found = [...organisms].find(([, one]) => one.planter.id === planter);
      if (!found || !planes) return undefined;
      const [id, { x, y }] = found;
      const place = planes.owner.indexOf(id);
      if (place < 0 || planes.rgba[4 * place + 3] === 0) return undefined;
      const state = window as unknown as { cellsAt?: Record<number, number> };
      state.cellsAt ??= {};
      const cellsAt = (state.cellsAt[id] ??= shown.drawn.pictures);
      // Of two pictures more the second was begun after the cells had come.
      return shown.drawn.pictures >= cellsAt + 2 ? shown.worldToScreen(x, y) : undefined;
    }, of)
    .then((handle) => handle.jsonValue() as Promise<{ x: number; y: number }>);
}

/** A visitor comes, plants, and sees the organism on the wall. @returns how long that took, in ms */
async function visit(): Promise<number> {
  const phone = await browsers[1].newContext(PHONE);
  const page = await phone.newPage();

  const begun = performance.now();
  const since = (): number => Math.round(performance.now() - begun);
  await page.goto(`http://127.0.0.1:${proxy.port}/r/garden`, { waitUntil: 'commit' });
  await page.waitForSelector('html[data-connection="live"]', { state: 'attached' });
  const you = await page.evaluate(() => {
    const { model } = document.querySelector('vivarium-room') as unknown as Shown;
    return model.you!.id;
  });
  const shown = since();
  const at = await reachable(page, freePlaces());
  expect(at).toBeDefined();
  await fingerTap(page, at!);
  const tapped = since();
  const spot = await firstCells(you);
  const seen = since();
  if (process.env.VIVARIUM_FIGURES) console.info({ shown, tapped, seen });
  if (process.env.VIVARIUM_PICTURES) {
    await wall.screenshot({ path: `${process.env.VIVARIUM_PICTURES}/scan-wall.png` });
    await page.screenshot({ path: `${process.env.VIVARIUM_PICTURES}/scan-phone.png` });
  }
  const view = wall.viewportSize()!;
  expect(spot.x).toBeGreaterThan(0);
  expect(spot.x).toBeLessThan(view.width);
  expect(spot.y).toBeGreaterThan(0);
  expect(spot.y).toBeLessThan(view.height);
  expect(room.organisms.filter(({ planter }) => planter.id === you)).toHaveLength(1);
  // The gardener stops as soon as a visitor plays.
  expect(server.gardeners.of('garden')!.isActive).toBe(false);
  await phone.close();
  return seen;
}

test(`from opening the page to cells of one's own on the wall, over 4 Mbit/s and 100 ms, in ${LIMIT / 1000} s`, async () => {
  const took = [await visit()];
  // Other tests run beside this one, and one of them may just have had the processor.
  while (Math.min(...took) > LIMIT && took.length < 3) took.push(await visit());
  expect(Math.min(...took)).toBeLessThanOrEqual(LIMIT * generousTimeout());
});
