/**
 * Measures the cost of paint in a room that is never at rest. Multiply-adds, texture reads and
 * chunks are counted for a screen that draws 60 frames a second and paints in each frame everything
 * that is due, as walls do with `resolution=full`. This is the highest possible cost of a frame.
 * The main threads of a wall and of a visitor's page are measured alternately with and without
 * paint, without drawing pixels.
 */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { chunksIn, PaintPlan } from '../../client/render/paint/paint-plan.ts';
import { CHUNK } from '../../client/render/shaders/paint.ts';
import { DEFAULT_CHECKPOINT } from '../../server/settings/server.ts';
import type { Room } from '../../server/world/room.ts';
import type { Planes } from '../../shared/codec/chunks.ts';
import type { Rect } from '../../shared/geometry.ts';
import {
  channelsOf,
  type PainterNet,
  painterWork,
  parsePainter,
  REACH,
  rampsOf,
} from '../../shared/painter/net.ts';
import { quantile, rounded, spreadOf } from '../load/figures.ts';
import { GARDEN } from '../load/garden.ts';
import { launchBrowser, leaveUnpainted } from '../support/browser.ts';
import { openRoom } from '../support/page.ts';
import { PHONE } from '../support/screens.ts';
import { openBusyGarden } from './busy-garden.ts';
import { FRAME, mainThreadCosts } from './main-thread.ts';
import { type BenchOptions, describeMachine, type Log } from './options.ts';

/**
 * Screens that show a whole room, in device pixels. A phone has three pixels a point and draws two.
 */
const SCREENS = [
  { name: 'wall, 3840×2160', height: 2160, width: 3840, scale: 8 },
  { name: 'phone, 390×844 with three pixels a point', height: 1688, width: 780, scale: 4 },
] as const;
/** Number of measurements of the main thread with paint, and without paint. */
const TURNS = 2;
/** Device pixel ratio at which cells are large enough for paint, with few pixels to compute. */
const PIXELS = 0.75;
/** Pages to measure. A phone opens close to free ground, where it shows few organisms. */
const PAGES = [
  {
    ...{ name: 'wall', path: '/wall/garden?resolution=full&frame=fixed' },
    options: { viewport: { width: 1920, height: 1080 } },
  },
  { name: 'phone', path: '/r/garden?resolution=full', options: PHONE },
] as const;

export async function benchPaint(log: Log, { seconds = 30 }: BenchOptions = {}) {
  const file = `../../${DEFAULT_CHECKPOINT}/painter.safetensors`;
  const net = parsePainter(readFileSync(fileURLToPath(new URL(file, import.meta.url))));
  const garden = await openBusyGarden();
  const browser = await launchBrowser();
  try {
    const chunks = await watch(garden.room, seconds);
    const screens = SCREENS.map((screen) => costsOf(screen, net, chunks));
    const mainThreads: Awaited<ReturnType<typeof measurePage>>[] = [];
    for (const page of PAGES) {
      const costs = await measurePage(browser, `http://127.0.0.1:${garden.port}`, page, seconds);
      log(JSON.stringify(costs));
      mainThreads.push(costs);
    }
    const work = painterWork(net);
    return { machine: describeMachine(), engine: garden.engine, work, screens, mainThreads };
  } finally {
    await browser.close();
    await garden.close();
  }
}

/** Returns the number of chunks of a whole room that are due in each frame, for some seconds. */
async function watch({ grid }: Room, seconds: number): Promise<number[]> {
  const { width, height } = grid;
  const all = { x: 0, y: 0, width, height };
  const [columns, rows] = [Math.ceil(width / CHUNK), Math.ceil(height / CHUNK)];
  const plan = new PaintPlan({ width, height }, { columns, rows });
  const seen = chunksIn(all, plan.room);
  const tick = 1000 / GARDEN.tickRate;
  let shown = copyOf(grid.planes);
  plan.change([all], 0, 0);
  const frame = (now: number): number => {
    const jobs = plan.due(seen, shown, now);
    for (const job of jobs) plan.paint(job, now);
    return jobs.length;
  };
  // Leave out the first frame, which paints the whole room.
  frame(1);
  const due: number[] = [];
  const start = performance.now();
  for (let now = 0; now < 1000 * seconds; now = performance.now() - start) {
    const changed = changedChunks(shown, grid.planes);
    if (changed.length > 0) {
      shown = copyOf(grid.planes);
      plan.change(changed, now + tick, now);
    }
    due.push(frame(now));
    await new Promise((resolve) => setTimeout(resolve, FRAME));
  }
  return due;
}

const copyOf = ({ width, height, rgba, owner }: Planes): Planes => ({
  ...{ width, height, rgba: rgba.slice(), owner: owner.slice() },
});

/** Returns the chunks in which two pictures of a room differ. */
function changedChunks(before: Planes, { width, height, rgba, owner }: Planes): Rect[] {
  const found = new Map<number, Rect>();
  const columns = Math.ceil(width / CHUNK);
  const [was, is] = [new Uint32Array(before.rgba.buffer), new Uint32Array(rgba.slice().buffer)];
  for (let i = 0; i < width * height; i++) {
    if (was[i] === is[i] && before.owner[i] === owner[i]) continue;
    const [column, row] = [
      Math.floor((i % width) / CHUNK),
      Math.floor(Math.floor(i / width) / CHUNK),
    ];
    found.set(row * columns + column, {
      ...{ x: CHUNK * column, y: CHUNK * row, width: CHUNK, height: CHUNK },
    });
  }
  return [...found.values()];
}

/**
 * Returns the texture reads of the passes, per cell and per pixel. Owners and maps are assumed to
 * be found in the first slot.
 */
function readsOf(net: PainterNet): { cell: number; pixel: number } {
  const [first, ...later] = net;
  const channels = channelsOf(net);
  // The owner, the table and a texel of the map; in the first layer also the map and its weights.
  const find = channels > 0 ? 3 : 0;
  const ofFirst = (first.outputs / 4) * (2 + REACH ** 2 * (2 + 5) + find + channels * 1.25);
  const ofLater = later.map(({ inputs, outputs }) => (outputs / 4) * (1 + 5 * (inputs / 4) + find));
  return { cell: ofLater.reduce((a, b) => a + b, ofFirst), pixel: 16 + 2 * rampsOf(net) };
}

function costsOf(
  { name, width, height, scale }: (typeof SCREENS)[number],
  net: PainterNet,
  chunks: readonly number[],
) {
  const [adds, reads] = [painterWork(net), readsOf(net)].map(
    ({ cell, pixel }) => CHUNK ** 2 * (cell + scale ** 2 * pixel),
  );
  return {
    screen: name,
    scale,
    frames: chunks.length,
    chunks: figuresOf(chunks),
    multiplyAdds: figuresOf(chunks.map((count) => count * adds)),
    reads: figuresOf(chunks.map((count) => count * reads)),
    /** Maximum number of texture reads that paint adds to the scene, for all pixels. */
    sceneReads: 2 * width * height,
  };
}

const figuresOf = (all: readonly number[]) => ({
  mean: rounded(all.reduce((a, b) => a + b, 0) / all.length),
  p95: rounded(quantile(all, 0.95)),
  max: rounded(Math.max(...all)),
});

/** Measures the processor time of a page's main thread in a 60th of a second, in ms. */
async function measurePage(
  browser: Browser,
  origin: string,
  { name, path, options }: (typeof PAGES)[number],
  seconds: number,
) {
  const costs = { painted: [] as number[], without: [] as number[] };
  for (let turn = 0; turn < 2 * TURNS; turn++) {
    const isPainted = turn % 2 === 0;
    const context = await browser.newContext({ ...options, deviceScaleFactor: 0.25 });
    await leaveUnpainted(context);
    await context.addInitScript((pixels) => {
      Object.defineProperty(window, 'devicePixelRatio', { value: pixels });
    }, PIXELS);
    if (!isPainted) await context.route('**/painters/*', (route) => route.abort());
    const page = await context.newPage();
    const painter = page.waitForRequest('**/painters/*');
    await openRoom(page, origin + path);
    await painter;
    // Wait for work that is done only once, such as compiling.
    await page.waitForTimeout(5_000);
    const during = () => page.waitForTimeout((1000 * seconds) / TURNS);
    costs[isPainted ? 'painted' : 'without'].push(...(await mainThreadCosts(browser, during)));
    await context.close();
  }
  const [painted, without] = [costs.painted, costs.without].map((all) => ({
    ...spreadOf(all),
    ...figuresOf(all),
  }));
  return { page: name, painted, without, ratio: rounded(painted.mean / without.mean) };
}
