/**
 * What paint costs in a room that is never at rest: multiply-adds and texture reads a frame, chunks
 * painted, and what it adds to the main thread, which is measured in turn with and without. Without
 * a GPU no pixel is drawn, but all that a picture needs is asked for; and all that is due is painted
 * at once, which is the most that a frame can cost.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { CHUNK } from '../../client/render/shaders/paint.ts';
import { DEFAULTS } from '../../shared/defaults.ts';
import {
  type PainterNet,
  painterWork,
  parsePainter,
  REACH,
  rampsOf,
} from '../../shared/painter/net.ts';
import { quantile, rounded, spreadOf } from '../load/figures.ts';
import { launchBrowser } from '../support/browser.ts';
import { openRoom, type PageElement } from '../support/page.ts';
import { PHONE } from '../support/screens.ts';
import { leaveUnpainted } from '../support/unpainted.ts';
import { openBusyGarden } from './busy-garden.ts';
import { describeMachine } from './machine.ts';
import { mainThreadCosts } from './main-thread.ts';
import type { BenchOptions, Log } from './options.ts';

const SCREENS = [
  { name: 'wall, 3840×2160', options: { viewport: { width: 1920, height: 1080 } }, pixels: 2 },
  { name: 'phone, 1170×2532', options: PHONE, pixels: 3 },
] as const;

/** How often each is measured with and without paint. */
const TURNS = 3;

interface Figures {
  readonly scale: number;
  readonly chunks: number;
  readonly multiplyAdds: number;
}

export async function benchPaint(log: Log, { seconds = 20 }: BenchOptions = {}) {
  const file = `../../${DEFAULTS.operations.checkpoint}/painter.safetensors`;
  const net = parsePainter(readFileSync(fileURLToPath(new URL(file, import.meta.url))));
  const garden = await openBusyGarden();
  const browser = await launchBrowser();
  try {
    const screens: object[] = [];
    for (const screen of SCREENS) {
      const row = await measure(browser, `http://127.0.0.1:${garden.port}`, screen, {
        net,
        seconds,
      });
      const { multiplyAdds, reads, chunks, mainThread } = row;
      log(
        `${row.screen}: ${chunks.mean} chunks of ${row.scale} pixels a cell in a frame, ` +
          `${rounded(multiplyAdds.mean / 1e6)} M multiply-adds (p95 ${rounded(multiplyAdds.p95 / 1e6)}), ` +
          `${rounded(reads.mean / 1e6)} M texture reads (p95 ${rounded(reads.p95 / 1e6)}); ` +
          `main thread ${mainThread.painted} ms of a frame, without paint ${mainThread.without}: ${mainThread.ratio} times`,
      );
      screens.push(row);
    }
    return { machine: describeMachine(), engine: garden.engine, work: painterWork(net), screens };
  } finally {
    await browser.close();
    await garden.close();
  }
}

/** Texture reads of the passes: of the layers once a cell, and of each pixel; owners at most. */
function readsOf(net: PainterNet): { cell: number; pixel: number } {
  const [first, ...later] = net;
  const ofFirst = (first.outputs / 4) * (2 + REACH ** 2 * (2 + 5));
  const ofLater = later.map(({ inputs, outputs }) => (outputs / 4) * (1 + 5 * (inputs / 4)));
  return { cell: ofLater.reduce((a, b) => a + b, ofFirst), pixel: 16 + 2 * rampsOf(net) };
}

async function measure(
  browser: Browser,
  origin: string,
  screen: (typeof SCREENS)[number],
  { net, seconds }: { readonly net: PainterNet; readonly seconds: number },
) {
  const frames: Figures[] = [];
  const costs: Record<'painted' | 'without', number[]> = { painted: [], without: [] };
  for (let turn = 0; turn < 2 * TURNS; turn++) {
    const isPainted = turn % 2 === 0;
    const context = await browser.newContext({ ...screen.options, deviceScaleFactor: 0.25 });
    await leaveUnpainted(context);
    // Few pixels around the canvas, as many of it as the screen has.
    await context.addInitScript((pixels) => {
      Object.defineProperty(window, 'devicePixelRatio', { value: pixels });
    }, screen.pixels);
    if (!isPainted) await context.route('**/painters/*', (route) => route.abort());
    try {
      const page = await context.newPage();
      await openRoom(page, `${origin}/wall/garden?resolution=full&frame=fixed`);
      if (isPainted) await paintOf(page);
      // What is painted for the first time is not what is asked of it.
      await page.waitForTimeout(5_000);
      const found = await mainThreadCosts(browser, async () => {
        if (isPainted) frames.push(...(await watch(page, seconds / TURNS)));
        else await page.waitForTimeout((1000 * seconds) / TURNS);
      });
      costs[isPainted ? 'painted' : 'without'].push(...found);
    } finally {
      await context.close();
    }
  }
  const reads = readsOf(net);
  const scale = Math.max(...frames.map((frame) => frame.scale));
  const readsOfFrame = (chunks: number): number =>
    chunks * CHUNK ** 2 * (reads.cell + scale ** 2 * reads.pixel);
  const [painted, without] = [costs.painted, costs.without].map((all) => mean(all));
  return {
    screen: screen.name,
    frames: frames.length,
    scale,
    chunks: figuresOf(frames.map(({ chunks }) => chunks)),
    multiplyAdds: figuresOf(frames.map(({ multiplyAdds }) => multiplyAdds)),
    reads: figuresOf(frames.map(({ chunks }) => readsOfFrame(chunks))),
    /** Mean processor time of the main thread in a 60th of a second, ms. */
    mainThread: {
      painted: rounded(painted),
      without: rounded(without),
      ratio: rounded(painted / without),
      ofPainted: spreadOf(costs.painted),
      ofWithout: spreadOf(costs.without),
    },
  };
}

const mean = (all: readonly number[]): number => all.reduce((a, b) => a + b, 0) / all.length;

const figuresOf = (all: readonly number[]) => ({
  mean: rounded(mean(all)),
  p95: rounded(quantile(all, 0.95)),
  max: rounded(Math.max(...all)),
});

/** A wall's renderer, as far as it is looked into. */
type Stage = PageElement['stage'] & {
  readonly drawn: number;
  readonly renderer: { readonly paint?: { readonly figures: Figures } };
};

/** Waits until the wall paints. */
const paintOf = (page: Page): Promise<unknown> =>
  page.waitForFunction(() => {
    const { stage } = document.querySelector('vivarium-wall') as PageElement;
    return (stage as Stage | undefined)?.renderer.paint !== undefined;
  });

/** The figures of each frame of some seconds. */
const watch = (page: Page, seconds: number): Promise<Figures[]> =>
  page.evaluate(async (duration) => {
    const { stage } = document.querySelector('vivarium-wall') as PageElement;
    const { renderer } = stage as Stage;
    const found: Figures[] = [];
    const end = performance.now() + 1000 * duration;
    for (let seen = -1; performance.now() < end; ) {
      await new Promise(requestAnimationFrame);
      const { drawn } = stage as Stage;
      if (drawn !== seen && renderer.paint) found.push({ ...renderer.paint.figures });
      seen = drawn;
    }
    return found;
  }, seconds);
