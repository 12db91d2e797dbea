/**
 * A visitor scans the code on the wall over a slow connection and plants an organism: both pages in
 * real browsers, from opening the page to the organism's first cells on the wall.
 */

import type { JSHandle, Page } from 'playwright-core';
import { createRandom } from '../../shared/random.ts';
import { afterSuite } from '../support/closing.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { fingerTap, modelOf, type PageElement, waitForConnection } from '../support/page.ts';
import { PHONE } from '../support/screens.ts';
import { suiteWithPages } from '../support/suite-pages.ts';
import { generousTimeout } from '../support/waiting.ts';

/** ms that it may take. */
const LIMIT = 10_000;
/** 4 Mbit/s; 100 ms there, and as long back. */
const LINE = { bandwidth: 500_000, latency: 100 };

// The gardener plays until the visitor comes, who is timed as people have it.
const { server, room, url, cheapPage } = await suiteWithPages({
  ...{ size: '192x108', attract: 60, 'tick-rate': 15 },
});
const proxy = await FaultProxy.open({ port: server.port, random: createRandom(1), faults: LINE });
afterSuite(() => proxy.close());
// No pixel is computed, for both would have one processor for a GPU.
const wall = await cheapPage({ viewport: { width: 640, height: 360 } });

beforeAll(async () => {
  await wall.goto(`${url}/wall/garden`);
  const shown = await wall.locator('vivarium-wall').elementHandle();
  await wall.waitForFunction(
    ({ model }) => model?.organisms.size > 2,
    shown as unknown as JSHandle<PageElement>,
  );
});

/** Places with as much room around them as a first view looks for, the middle of the grid first. */
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
        (one) => Math.max(Math.abs(one.x - place.x), Math.abs(one.y - place.y)) > 0.8 * side,
      ),
    )
    .sort((a, b) => far(a.x, a.y) - far(b.x, b.y));
}

/** Where one of these places can be touched. */
function reachable(page: Page, places: readonly { x: number; y: number }[]) {
  const found = page.waitForFunction((all) => {
    const shown = document.querySelector('vivarium-room') as unknown as PageElement;
    for (const { x, y } of all) {
      const at = shown.worldToScreen(x, y);
      if (shown.shadowRoot!.elementFromPoint(at.x, at.y)?.tagName === 'CANVAS') return at;
    }
    return undefined;
  }, places);
  return found.then((handle) => handle.jsonValue() as Promise<{ x: number; y: number }>);
}

/**
 * Waits until the wall has drawn cells of an organism of this planter.
 *
 * @returns its position on the wall
 */
function firstCells(of: number): Promise<{ x: number; y: number }> {
  return wall
    .waitForFunction((planter) => {
      const shown = document.querySelector('vivarium-wall') as unknown as PageElement;
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

/**
 * A visitor comes, plants, and sees the organism on the wall.
 *
 * @returns how long that took, in ms
 */
async function visit(): Promise<number> {
  const page = await cheapPage(PHONE);

  const begun = performance.now();
  const since = (): number => Math.round(performance.now() - begun);
  await page.goto(`http://127.0.0.1:${proxy.port}/r/garden`, { waitUntil: 'commit' });
  await waitForConnection(page, 'live');
  const you = await (await modelOf(page)).evaluate((model) => model.you.id);
  const shown = since();
  const at = await reachable(page, freePlaces());
  await fingerTap(page, at);
  const tapped = since();
  const spot = await firstCells(you);
  const seen = since();
  if (process.env.VIVARIUM_FIGURES) console.info({ shown, tapped, seen });
  const view = wall.viewportSize()!;
  expect(Math.min(spot.x, spot.y)).toBeGreaterThan(0);
  expect(spot.x).toBeLessThan(view.width);
  expect(spot.y).toBeLessThan(view.height);
  expect(room.organisms.filter(({ planter }) => planter.id === you)).toHaveLength(1);
  // The gardener stops as soon as a visitor plays.
  expect(server.gardeners.of('garden')!.isActive).toBe(false);
  await page.close();
  return seen;
}

test(`from opening the page to cells of one's own on the wall, over 4 Mbit/s and 100 ms, in ${LIMIT / 1000} s`, async () => {
  const took = [await visit()];
  // Other tests run beside this one, and one of them may just have had the processor.
  while (Math.min(...took) > LIMIT && took.length < 3) took.push(await visit());
  expect(Math.min(...took)).toBeLessThanOrEqual(LIMIT * generousTimeout());
});
