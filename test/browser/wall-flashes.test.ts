/**
 * The wall never flashes: pictures that come too fast are joined, and changes of light are
 * softened.
 */
import type { Page } from 'playwright-core';
import { openWall } from '../support/page.ts';
import { afterTest } from '../support/suite.ts';
import { suiteWithPages } from '../support/suite-pages.ts';

/** What these tests replace in the wall. */
interface Flashing {
  readonly renderRoot: ShadowRoot;
  readonly drawn: { readonly soft: boolean };
  readonly stage: { onFrame: (now: number) => boolean };
  readonly model: {
    readonly planes: { readonly rgba: Uint8Array; readonly width: number; readonly height: number };
    readonly listeners: { emit(name: string, event: unknown): void };
  };
  levels: number[];
}

const { url, browser } = await suiteWithPages({ size: '128x72' });

/**
 * Opens a wall whose time goes on frame by frame, however slowly this machine draws, and which
 * keeps how bright each picture is.
 */
async function openWatched(): Promise<Page> {
  const viewport = { width: 320, height: 180 };
  const page = await browser.newPage({ viewport, reducedMotion: 'reduce' });
  afterTest(() => page.close());
  await page.clock.install();
  await openWall(page, `${url}/wall/garden?overlay=off`);
  await page.evaluate(() => {
    const { model } = document.querySelector('vivarium-wall') as unknown as Flashing;
    // From now on the test alone says what is seen: the server, silent for a moment of this clock,
    // may seem to be lost.
    Object.assign(model, { receive: () => {}, setConnection: () => {} });
  });
  await page.clock.pauseAt(Date.now() + 10_000);
  await page.evaluate(() => {
    const wall = document.querySelector('vivarium-wall') as unknown as Flashing;
    const canvas = wall.renderRoot.querySelector('canvas')!;
    const small = Object.assign(document.createElement('canvas'), { width: 16, height: 9 });
    const context = small.getContext('2d', { willReadFrequently: true })!;
    const { onFrame } = wall.stage;
    wall.levels = [];
    // Right after a picture was drawn, before it is handed over.
    wall.stage.onFrame = (now) => {
      context.drawImage(canvas, 0, 0, 16, 9);
      const { data } = context.getImageData(5, 3, 6, 3);
      const sum = data.reduce((total, value, i) => total + (i % 4 === 3 ? 0 : value), 0);
      wall.levels.push(sum / (6 * 3 * 3 * 255));
      return onFrame(now);
    };
  });
  return page;
}

const levelsOf = (page: Page): Promise<number[]> =>
  page.evaluate(() => (document.querySelector('vivarium-wall') as unknown as Flashing).levels);

test('two ticks between two frames never show an older picture', async () => {
  const page = await openWatched();
  const tell = (ticks: number, value: number): Promise<void> =>
    page.evaluate(
      ([count, fill]) => {
        const { planes, listeners } = (
          document.querySelector('vivarium-wall') as unknown as Flashing
        ).model;
        const all = [{ x: 0, y: 0, width: planes.width, height: planes.height }];
        planes.rgba.fill(fill);
        for (let i = 0; i < count; i++) listeners.emit('picture', { changed: all, replaced: all });
      },
      [ticks, value],
    );
  const frames = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await page.clock.runFor(16);
  };
  for (const value of [0, 255]) {
    await tell(1, value);
    await frames(60);
  }
  const before = await levelsOf(page);
  expect(before.at(-1)).toBeGreaterThan(0.5);
  await tell(2, 255);
  await frames(12);
  const since = (await levelsOf(page)).slice(before.length);
  expect(since.length).toBeGreaterThan(0);
  expect(Math.min(...since)).toBeGreaterThan(0.95 * before.at(-1)!);
});

test('a room that flashes between black and white four times a second does not flash on the wall', async () => {
  const page = await openWatched();
  const soft: boolean[] = [];
  // Black at first, sixty times a second: a picture follows as fast as the last ones came, and here
  // that may have been slowly.
  const lead = 40;
  for (let frame = 0; frame < lead + 140; frame++) {
    const flashed = frame - lead;
    soft.push(
      await page.evaluate(
        ({ white, anew }) => {
          const wall = document.querySelector('vivarium-wall') as unknown as Flashing;
          if (!anew) return wall.drawn.soft;
          const { planes, listeners } = wall.model;
          const all = [{ x: 0, y: 0, width: planes.width, height: planes.height }];
          planes.rgba.fill(white ? 255 : 0);
          listeners.emit('picture', { changed: all, replaced: all });
          return wall.drawn.soft;
        },
        { white: flashed >= 0 && flashed % 16 >= 8, anew: flashed < 0 || flashed % 8 === 0 },
      ),
    );
    await page.clock.runFor(16);
  }
  const levels = await levelsOf(page);
  const swing = (some: readonly number[]): number => Math.max(...some) - Math.min(...some);
  // The room does flash; the wall shows the beginning of it, and no more.
  expect(levels.length).toBeGreaterThan(lead + 120);
  expect(swing(levels.slice(lead, lead + 40))).toBeGreaterThan(0.5);
  expect(soft.slice(-40)).not.toContain(false);
  expect(swing(levels.slice(-40))).toBeLessThan(0.1);
});
