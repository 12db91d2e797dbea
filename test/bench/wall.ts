/** Measures the memory of a wall's page, minute by minute, in a room that is never at rest. */

import { rounded } from '../load/figures.ts';
import { launchBrowser, leaveUnpainted } from '../support/browser.ts';
import { openRoom, type PageElement } from '../support/page.ts';
import { openBusyGarden } from './busy-garden.ts';
import { describeMachine } from './machine.ts';
import type { BenchOptions, Log } from './options.ts';

const SNAPSHOTS = 10;
const MB = 2 ** 20;

export async function benchWall(log: Log, { seconds = 1800 }: BenchOptions = {}) {
  const garden = await openBusyGarden();
  const browser = await launchBrowser();
  try {
    const context = await browser.newContext({
      viewport: { width: 1920, height: 1080 },
      deviceScaleFactor: 0.25,
    });
    await leaveUnpainted(context);
    await context.addInitScript(() => {
      const made = { count: 0 };
      Object.assign(window, { made });
      const { prototype } = WebGL2RenderingContext;
      for (const what of ['Texture', 'Buffer', 'Program', 'Shader', 'Framebuffer', 'VertexArray']) {
        for (const [verb, step] of [
          ['create', 1],
          ['delete', -1],
        ] as const) {
          const name = `${verb}${what}` as 'createTexture';
          const original = prototype[name];
          prototype[name] = function (...args: []) {
            made.count += step;
            return original.apply(this, args);
          };
        }
      }
    });
    const page = await context.newPage();
    await openRoom(page, `http://127.0.0.1:${garden.port}/wall/garden`);
    const devtools = await context.newCDPSession(page);
    await devtools.send('HeapProfiler.enable');
    await devtools.send('Performance.enable');

    const snapshot = async (minute: number) => {
      // Twice: what finalisers let go of is collected by the second.
      for (let i = 0; i < 2; i++) await devtools.send('HeapProfiler.collectGarbage');
      const usage = (await devtools.send('Runtime.getHeapUsage')) as {
        usedSize: number;
        backingStorageSize?: number;
      };
      const { metrics } = await devtools.send('Performance.getMetrics');
      const metric = (name: string): number => metrics.find((one) => one.name === name)!.value;
      const drawing = await page.evaluate(
        () => (window as unknown as { made: { count: number } }).made.count,
      );
      return {
        minute: rounded(minute),
        /** Of JavaScript, after all that can be collected was, MB. */
        heap: rounded(usage.usedSize / MB),
        /** Buffers outside of it, MB. */
        buffers: rounded((usage.backingStorageSize ?? 0) / MB),
        nodes: metric('Nodes'),
        listeners: metric('JSEventListeners'),
        /** Textures, buffers, programs and framebuffers that were made and not deleted. */
        drawing,
      };
    };
    const snapshots: Awaited<ReturnType<typeof snapshot>>[] = [];
    for (let i = 0; i <= SNAPSHOTS; i++) {
      if (i > 0) await page.waitForTimeout((1000 * seconds) / SNAPSHOTS);
      const one = await snapshot((i * seconds) / SNAPSHOTS / 60);
      snapshots.push(one);
      log(
        `minute ${one.minute}: heap ${one.heap} MB, buffers ${one.buffers} MB, ${one.nodes} nodes, ` +
          `${one.listeners} listeners, ${one.drawing} things of drawing`,
      );
    }
    const pictures = await page
      .locator('vivarium-wall')
      .evaluate(({ drawn }: PageElement) => drawn.pictures);
    const growth = rounded(snapshots.at(-1)!.heap / snapshots[SNAPSHOTS / 5].heap);
    log(`${pictures} pictures; the heap at the end is ${growth} × that after a fifth of the time`);
    return {
      machine: describeMachine(),
      engine: garden.engine,
      seconds,
      pictures,
      snapshots,
      growth,
    };
  } finally {
    await browser.close();
    await garden.close();
  }
}
