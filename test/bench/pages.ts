/**
 * Measures the processor time that the visitor's page and the wall take on a browser's main thread,
 * in a room that is never at rest, and whether a processor a quarter as fast would draw 60 frames a
 * second. Without a GPU, the processor computes each pixel, which would hide all other costs. So
 * the pages are left unpainted. The measured time is that of frames and of all other tasks, for
 * ticks, hands or garbage. With many `--seconds`, the memory of each page before and after shows
 * whether it stays bounded.
 */

import type { Browser, Page } from 'playwright-core';
import { quantile, rounded, spreadOf } from '../load/figures.ts';
import { launchBrowser, leaveUnpainted } from '../support/browser.ts';
import { modelOf, openRoom } from '../support/page.ts';
import { PHONE } from '../support/screens.ts';
import { openBusyGarden } from './busy-garden.ts';
import { FRAME, mainThreadCosts } from './main-thread.ts';
import { type BenchOptions, describeMachine, type Log } from './options.ts';

const SLOWED = 4;

const PAGES = [
  {
    name: 'phone',
    path: '/r/garden',
    options: PHONE,
  },
  {
    name: 'wall',
    path: '/wall/garden',
    options: { viewport: { width: 1920, height: 1080 } },
  },
] as const;

export async function benchPages(log: Log, { seconds = 30 }: BenchOptions = {}) {
  const garden = await openBusyGarden();
  const browser = await launchBrowser();
  try {
    const pages: Awaited<ReturnType<typeof measure>>[] = [];
    for (const page of PAGES) {
      const row = await measure(browser, garden.port, page, seconds);
      log(JSON.stringify(row));
      pages.push(row);
    }
    return { machine: describeMachine(), engine: garden.engine, slowedBy: SLOWED, pages };
  } finally {
    await browser.close();
    await garden.close();
  }
}

async function measure(
  browser: Browser,
  port: number,
  { name, path, options }: (typeof PAGES)[number],
  seconds: number,
) {
  // Few pixels, because the processor also computes the page around the canvas.
  const context = await browser.newContext({ ...options, deviceScaleFactor: 0.25 });
  try {
    await leaveUnpainted(context);
    const page = await context.newPage();
    await openRoom(page, `http://127.0.0.1:${port}${path}`);
    // Wait for work that is done only once, such as compiling and fetching.
    await page.waitForTimeout(5_000);
    const model = await modelOf(page);
    const tick = () => model.evaluate((shown) => shown.tick!);
    const before = await memoryOf(page);
    const first = await tick();
    const costs = await mainThreadCosts(browser, () => page.waitForTimeout(1000 * seconds));
    const ticks = (await tick()) - first;
    const slowed = costs.map((ms) => SLOWED * ms);
    return {
      ...{ page: name, ticks, before, after: await memoryOf(page) },
      /** Processor time of the main thread in each 60th of a second, in ms, times four. */
      slowed: { ...spreadOf(slowed), p95: rounded(quantile(slowed, 0.95)) },
      /** Share of these slowed frames that are done within a 60th of a second. */
      inTime: rounded(slowed.filter((ms) => ms <= FRAME).length / slowed.length),
    };
  } finally {
    await context.close();
  }
}

/**
 * Returns the memory of a page after garbage collection: its heap in MB, and its number of nodes.
 */
async function memoryOf(page: Page): Promise<{ heap: number; nodes: number }> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('HeapProfiler.enable');
  await devtools.send('Performance.enable');
  // The second collection frees objects that finalizers of the first have released.
  for (let i = 0; i < 2; i++) await devtools.send('HeapProfiler.collectGarbage');
  const { usedSize } = await devtools.send('Runtime.getHeapUsage');
  const { metrics } = await devtools.send('Performance.getMetrics');
  await devtools.detach();
  const nodes = metrics.find(({ name }) => name === 'Nodes')!.value;
  return { heap: rounded(usedSize / 2 ** 20), nodes };
}
