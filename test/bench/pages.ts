/**
 * What the visitor's page and the wall ask of a processor a quarter as fast, in a room that is never at rest. Where there is no
 * GPU a processor computes each pixel, and that is all that would be measured: the pages are left unpainted, everything else
 * of them runs.
 */
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { launchBrowser } from '../support/browser.ts';
import { leaveUnpainted } from '../support/unpainted.ts';
import { openBusyGarden } from './busyGarden.ts';
import { quantile, rounded } from './figures.ts';
import { describeMachine, type Machine } from './machine.ts';

const SLOWED = 4;
/** ms; a frame of 60 in a second, and half of one more, is in time. */
const IN_TIME = 25;

interface PageRow {
  readonly page: string;
  readonly slowed: number;
  readonly framesPerSecond: number;
  /** From one frame to the next, ms. */
  readonly gap: { readonly p50: number; readonly p95: number; readonly p99: number };
  /** Share of the frames that came in time. */
  readonly inTime: number;
  /** Share of the time in which the main thread was at work. */
  readonly busy: number;
  readonly ticksPerSecond: number;
}

interface PageFigures {
  readonly machine: Machine;
  readonly engine: string;
  readonly awake: number;
  readonly pages: readonly PageRow[];
}

const PAGES: readonly {
  readonly name: string;
  readonly path: string;
  readonly element: string;
  readonly options: BrowserContextOptions;
}[] = [
  {
    name: 'phone',
    path: '/r/garden',
    element: 'vivarium-room',
    options: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
  },
  {
    name: 'wall',
    path: '/wall/garden',
    element: 'vivarium-wall',
    options: { viewport: { width: 1920, height: 1080 } },
  },
];

export async function benchPages(
  log: (line: string) => void,
  { seconds = 20 }: { readonly seconds?: number } = {},
): Promise<PageFigures> {
  const garden = await openBusyGarden();
  const browser = await launchBrowser();
  try {
    const rows: PageRow[] = [];
    for (const page of PAGES) {
      for (const slowed of [1, SLOWED]) {
        const row = await measure(browser, garden.port, page, slowed, seconds);
        log(
          `${row.page}, ${slowed}× slower: ${row.framesPerSecond} frames/s, ${(100 * row.inTime).toFixed(1)} % in time, ` +
            `gaps p50 ${row.gap.p50} p95 ${row.gap.p95} p99 ${row.gap.p99} ms; ` +
            `main thread ${(100 * row.busy).toFixed(0)} % busy; ${row.ticksPerSecond} ticks/s`,
        );
        rows.push(row);
      }
    }
    const awake = [...garden.room.organisms].filter(({ phase }) => phase !== 'asleep').length;
    return { machine: describeMachine(), engine: garden.engine, awake, pages: rows };
  } finally {
    await browser.close();
    await garden.close();
  }
}

async function measure(
  browser: Browser,
  port: number,
  { name, path, element, options }: (typeof PAGES)[number],
  slowed: number,
  seconds: number,
): Promise<PageRow> {
  // Few pixels, for those of the page around the canvas are a processor's as well.
  const context = await browser.newContext({ ...options, deviceScaleFactor: 0.25 });
  try {
    await leaveUnpainted(context);
    const page = await context.newPage();
    page.setDefaultTimeout(120_000);
    await page.goto(`http://127.0.0.1:${port}${path}`);
    await page.waitForSelector('html[data-connection="live"]', { state: 'attached' });
    const devtools = await context.newCDPSession(page);
    await devtools.send('Emulation.setCPUThrottlingRate', { rate: slowed });
    await devtools.send('Performance.enable');
    const busySeconds = async (): Promise<number> => {
      const { metrics } = await devtools.send('Performance.getMetrics');
      return metrics.find((one) => one.name === 'TaskDuration')!.value;
    };
    const watch = (ms: number) =>
      page.evaluate(
        async ([selector, span]) => {
          const { model } = document.querySelector(selector as string) as unknown as {
            model: { on(event: 'picture', listener: () => void): () => void };
          };
          let ticks = 0;
          const stop = model.on('picture', () => ticks++);
          const gaps: number[] = [];
          const start = performance.now();
          for (let last = start; last - start < (span as number); ) {
            const now = await new Promise<number>(requestAnimationFrame);
            if (now > last) gaps.push(now - last);
            last = Math.max(last, now);
          }
          stop();
          return { gaps, ticks, span: performance.now() - start };
        },
        [element, ms] as const,
      );
    // What is compiled and fetched only once is not what is asked of it.
    await watch(5_000);
    const before = await busySeconds();
    const { gaps, ticks, span } = await watch(1000 * seconds);
    const busy = (await busySeconds()) - before;
    return {
      page: name,
      slowed,
      framesPerSecond: rounded((1000 * gaps.length) / span),
      gap: {
        p50: rounded(quantile(gaps, 0.5)),
        p95: rounded(quantile(gaps, 0.95)),
        p99: rounded(quantile(gaps, 0.99)),
      },
      inTime: rounded(gaps.filter((gap) => gap <= IN_TIME).length / gaps.length),
      busy: rounded((1000 * busy) / span),
      ticksPerSecond: rounded((1000 * ticks) / span),
    };
  } finally {
    await context.close();
  }
}
