/** The whole path, in real browsers: plant, grow, wound, heal, together. */

import type { Page } from 'playwright-core';
import { ensureClient } from '../../server/http/client-build.ts';
import { leaveUnpainted } from '../support/browser.ts';
import {
  growthOf,
  modelOf,
  openRoom,
  pictureAt,
  recordGrowth,
  screenOf,
  waitForPhase,
  waitForPlanes,
  waitForTick,
  waitForWounds,
} from '../support/page.ts';
import { suiteServer } from '../support/suite.ts';
import { suiteBrowser } from '../support/suite-pages.ts';

const WIDTH = 128;
const HEIGHT = 96;
/**
 * Mean squared error of premultiplied RGBA, 0…1, over the window, between the healed organism and
 * its unwounded self. The interim checkpoint's card gives 0.0088 as the median for a disc of radius
 * 8 after 8 steps.
 */
const HEALED = 0.01;

// Slow enough that no page skips a frame of what is to be seen.
const { room, roomUrl } = await suiteServer(
  { size: `${WIDTH}x${HEIGHT}`, 'tick-rate': 12 },
  { clientFolder: await ensureClient(() => {}) },
);

/** The view of a room's page, in which what paints comes later. */
interface PaintedPage {
  readonly room: {
    readonly view: {
      readonly loop: { invalidate(): void };
      readonly renderer: {
        readonly gl: WebGL2RenderingContext;
        readonly paint: object | undefined;
      };
    };
  };
}
/** In the page. */
declare const viewOf: () => PaintedPage['room']['view'];

/** A browser of its own in the room. What its pages show is asked of their models. */
async function visit(): Promise<Page> {
  const browser = await suiteBrowser();
  const viewport = { width: 900, height: 700 };
  const context = await browser.newContext({ viewport, deviceScaleFactor: 0.5 });
  const page = await (await leaveUnpainted(context)).newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    // A machine that stands still for long lets a call to the server go, and makes another.
    const isCall = /closed before the connection is established/.test(message.text());
    if (message.type() === 'error' && !isCall) problems.push(message.text());
  });
  await openRoom(page, roomUrl);
  Object.assign(page, { problems });
  return page;
}

/** Waits until the page is told each tick, or every other one. */
async function notThrifty(page: Page): Promise<void> {
  await page.waitForFunction(
    ({ quality }) => quality && quality.tier !== 'thrifty',
    await modelOf(page),
  );
}

function serverPlanes(): Buffer {
  const { rgba, owner } = room.grid.planes;
  return Buffer.concat([rgba, new Uint8Array(owner.buffer)]);
}

function meanSquaredError(a: number[], b: number[]): number {
  return a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0) / a.length;
}

test('two browsers see an organism grow, a wound by the other visitor, and the healing; a late third sees the same', async () => {
  const [a, b] = [await visit(), await visit()];
  await Promise.all([a, b].map((page) => recordGrowth(page, WIDTH)));

  await a.getByTestId('tool-plant').click();
  await a.locator('[data-testid=gallery-item][data-name=Penguin]').click();
  const where = await screenOf(a, 64, 48);
  await a.mouse.click(where.x, where.y);
  await Promise.all([a, b].map((page) => waitForPhase(page, 1, 'asleep')));

  const [organism] = room.organisms;
  expect(organism).toMatchObject({ x: 64, y: 48, kind: 'Penguin' });
  for (const page of [a, b]) {
    const moments = await growthOf(page, 1);
    // A slow browser may skip a whole stage; what it shows still only grows, from the seed to the
    // grown organism.
    const stages = [...new Set(moments.map(({ stage }) => stage))];
    expect([stages[0], stages.at(-1)]).toEqual([2, 32]);
    expect(stages.length).toBeGreaterThanOrEqual(3);
    expect(stages).toEqual([...stages].sort((one, other) => one - other));
    for (const { stage, extent } of moments) expect(extent).toBeLessThanOrEqual(stage);
    expect(moments[0].extent).toBe(2);
    expect(Math.max(...moments.map(({ extent }) => extent))).toBeGreaterThan(24);
    // Eight ticks a stage from the tick of planting, whichever frames a slow browser has skipped.
    for (const { tick, stage } of moments) {
      const divisions = Math.min(4, Math.floor((tick - organism.born - 1) / 8));
      expect(stage).toBe(2 * 2 ** divisions);
    }
  }
  // What has come to rest is told to the last bit within a second.
  for (const page of [a, b]) await waitForPlanes(page, serverPlanes());

  // In the thriftiest tier the hole may have half closed before it is told.
  await Promise.all([a, b].map(notThrifty));
  const before = (await growthOf(a, 1)).at(-1)!;
  const self = await pictureAt(a, 1, before.tick);
  await b.getByTestId('tool-damage').click();
  await b.getByTestId('radius').fill('6');
  const spot = await screenOf(b, 64, 48);
  await b.mouse.click(spot.x, spot.y);
  await Promise.all([a, b].map((page) => waitForWounds(page, 1, 1)));
  await Promise.all([a, b].map((page) => waitForPhase(page, 1, 'asleep')));
  expect(room.organisms[0].wounds).toBe(1);
  await waitForTick(a, room.tick);
  await waitForTick(b, room.tick);

  for (const page of [a, b]) {
    const since = (await growthOf(page, 1)).filter(({ tick }) => tick > before.tick);
    const worst = since.reduce((least, next) => (next.owned < least.owned ? next : least));
    expect(worst.owned).toBeLessThan(before.owned - 40);
    const wounded = meanSquaredError(await pictureAt(page, 1, worst.tick), self);
    expect(wounded).toBeGreaterThan(2 * HEALED);
    const healed = meanSquaredError(await pictureAt(page, 1, since.at(-1)!.tick), self);
    expect(healed).toBeGreaterThan(0);
    expect(healed).toBeLessThan(HEALED);
  }

  const late = await visit();
  await waitForTick(late, room.tick);
  for (const page of [a, b, late]) await waitForPlanes(page, serverPlanes());
  for (const page of [a, b, late]) {
    expect((page as unknown as { problems: string[] }).problems).toEqual([]);
  }
});

test('what paints is fetched after the first picture, once, and only where it has time', async () => {
  const browser = await suiteBrowser();
  const viewport = { width: 480, height: 320 };
  const context = await leaveUnpainted(
    await browser.newContext({ viewport, deviceScaleFactor: 0.5 }),
  );
  await context.addInitScript(() => {
    Object.assign(globalThis, {
      viewOf: () => (document.querySelector('vivarium-room') as unknown as PaintedPage).room.view,
    });
    const { prototype } = WebGL2RenderingContext;
    const { bindFramebuffer } = prototype;
    prototype.bindFramebuffer = function (target, framebuffer) {
      // A picture is shown.
      if (framebuffer === null) performance.mark('picture');
      bindFramebuffer.call(this, target, framebuffer);
    };
  });
  /** When what paints was asked for, and the first picture, ms of the page. */
  const open = async (address: string, isRefused = false) => {
    const page = await context.newPage();
    const warned: string[] = [];
    const asked: string[] = [];
    page.on('request', (request) => {
      if (/painting-|painters/.test(request.url())) asked.push(request.url());
    });
    page.on('console', (message) => message.type() === 'warning' && warned.push(message.text()));
    if (isRefused) await page.route('**/painting-*', (route) => route.abort());
    await openRoom(page, address);
    const draw = (count: number) =>
      page.evaluate(async (all) => {
        for (let i = 0; i < all; i++) {
          viewOf().loop.invalidate();
          await new Promise(requestAnimationFrame);
        }
      }, count);
    await page.waitForFunction(() => performance.getEntriesByName('picture').length > 0);
    await draw(3);
    const fetched = () =>
      page.evaluate(() =>
        performance
          .getEntriesByType('resource')
          .filter(({ name }) => /painting-|painters/.test(name))
          .map(({ startTime }) => startTime),
      );
    const first = await page.evaluate(() => performance.getEntriesByName('picture')[0].startTime);
    return { page, asked, warned, draw, fetched, first };
  };
  const painted = await open(`${roomUrl}?resolution=full`);
  await painted.page.waitForFunction(() => viewOf().renderer.paint !== undefined);
  const [code, weights] = await painted.fetched();
  expect(painted.first).toBeLessThan(code);
  expect(code).toBeLessThan(weights);
  // A context that comes back is painted again, with what has been fetched.
  const before = await painted.page.evaluateHandle(() => {
    const { gl, paint } = viewOf().renderer;
    const lost = gl.getExtension('WEBGL_lose_context')!;
    gl.canvas.addEventListener('webglcontextlost', () => setTimeout(() => lost.restoreContext()));
    lost.loseContext();
    return { paint };
  });
  const isNew = () =>
    painted.page.evaluate(({ paint }) => {
      const now = viewOf().renderer.paint;
      return now !== undefined && now !== paint;
    }, before);
  while (!(await isNew())) await painted.draw(1);
  expect(painted.asked).toHaveLength(2);

  // A processor draws it.
  const plain = await open(roomUrl);
  expect(plain.asked).toEqual([]);

  const refused = await open(`${roomUrl}?resolution=full`, true);
  const isTold = () => refused.warned.filter((text) => /painting-/.test(text)).length;
  while (isTold() === 0) await refused.draw(1);
  await refused.draw(3);
  expect(isTold()).toBe(1);
});
