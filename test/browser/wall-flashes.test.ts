/**
 * No page flashes: pictures that come too fast are joined, changes of light are softened, and what
 * lives moves between its steps.
 */
import type { Page } from 'playwright-core';
import type { CameraRig } from '../../client/render/camera.ts';
import { leaveUnpainted, paintNow } from '../support/browser.ts';
import { afterTest } from '../support/closing.ts';
import { SMALL } from '../support/organisms.ts';
import { openRoom, openWall } from '../support/page.ts';
import { suiteWithPages } from '../support/suite-pages.ts';

interface View {
  readonly unsettled: boolean;
  readonly rig: CameraRig;
  readonly ticks: { mean: number };
  readonly resolution: object;
  onFrame: (now: number) => boolean;
}

/** What these tests replace in a wall, and in a visitor's page. */
interface Flashing {
  readonly renderRoot: ShadowRoot;
  readonly stage?: View;
  readonly room?: { readonly view: View };
  readonly model: {
    readonly planes: {
      readonly rgba: Uint8Array;
      readonly owner: Uint32Array;
      readonly width: number;
      readonly height: number;
    };
    tick: number | undefined;
    readonly listeners: { emit(name: string, event: unknown): void };
  };
  levels: number[];
  /** Whether each picture was softened. */
  soft: boolean[];
}

const WALL = '/wall/garden?overlay=off';
const VISITOR = '/r/garden';

const { url, browser } = await suiteWithPages({ ...SMALL, size: '64x40', water: 0 });

/** When milliseconds in 32 bits begin again, after 49 days. */
const WRAP = 2 ** 32;

/**
 * Opens a page whose time goes on frame by frame, however slowly this machine draws, and which
 * keeps how bright each picture is, and whether it was softened.
 *
 * @param age how long it seems to have been open then, ms
 */
async function openWatched(
  path: string,
  reducedMotion: 'reduce' | 'no-preference' = 'reduce',
  age?: number,
): Promise<Page> {
  // Few pixels, for a processor computes them.
  const viewport = path === WALL ? { width: 160, height: 90 } : { width: 480, height: 320 };
  const page = await browser.newPage({ viewport, deviceScaleFactor: 0.25, reducedMotion });
  afterTest(() => page.close());
  await leaveUnpainted(page);
  const opened = Date.now();
  await page.clock.install({ time: opened });
  await (path === WALL ? openWall : openRoom)(page, `${url}${path}`);
  await page
    .locator('vivarium-wall, vivarium-room')
    .evaluate((element) => element.classList.add('flashing'));
  await page.evaluate(() => {
    const { model } = document.querySelector('.flashing') as unknown as Flashing;
    // From now on the test alone says what is seen: the server, silent for a moment of this clock,
    // may seem to be lost.
    Object.assign(model, { receive: () => {}, setConnection: () => {} });
  });
  await page.clock.pauseAt(age === undefined ? Date.now() + 10_000 : opened + age);
  await page.evaluate(
    (ratio) => {
      const wall = document.querySelector('.flashing') as unknown as Flashing;
      const canvas = wall.renderRoot.querySelector('canvas')!;
      const small = Object.assign(document.createElement('canvas'), { width: 16, height: 9 });
      const context = small.getContext('2d', { willReadFrequently: true })!;
      const view = wall.stage ?? wall.room!.view;
      const { onFrame } = view;
      Object.assign(view.resolution, { ratio: () => ratio });
      wall.levels = [];
      wall.soft = [];
      // Right after a picture was drawn, before it is handed over.
      view.onFrame = (now) => {
        context.drawImage(canvas, 0, 0, 16, 9);
        const { data } = context.getImageData(5, 3, 6, 3);
        const sum = data.reduce((total, value, i) => total + (i % 4 === 3 ? 0 : value), 0);
        wall.levels.push(sum / (6 * 3 * 3 * 255));
        wall.soft.push(view.unsettled);
        return onFrame.call(view, now);
      };
    },
    path === WALL ? 0.5 : 0.25,
  );
  await paintNow(page, true);
  return page;
}

const levelsOf = (page: Page): Promise<number[]> =>
  page.evaluate(() => (document.querySelector('.flashing') as unknown as Flashing).levels);

/** Tells a page of ticks in which all of the room has one brightness, 0…255. */
const show = (page: Page, value: number, ticks = 1): Promise<void> =>
  page.evaluate(
    ([count, fill]) => {
      const { planes, listeners } = (document.querySelector('.flashing') as unknown as Flashing)
        .model;
      const all = [{ x: 0, y: 0, width: planes.width, height: planes.height }];
      planes.rgba.fill(fill);
      for (let i = 0; i < count; i++) listeners.emit('picture', { changed: all, replaced: all });
    },
    [ticks, value],
  );

test('two ticks between two frames never show an older picture', async () => {
  const page = await openWatched(WALL);
  for (const value of [0, 255]) {
    await show(page, value);
    await page.clock.runFor(60 * 16);
  }
  const before = await levelsOf(page);
  expect(before.at(-1)).toBeGreaterThan(0.5);
  await show(page, 255, 2);
  await page.clock.runFor(12 * 16);
  const since = (await levelsOf(page)).slice(before.length);
  expect(since.length).toBeGreaterThan(0);
  expect(Math.min(...since)).toBeGreaterThan(0.95 * before.at(-1)!);
});

test.each([
  ['on the wall', WALL],
  ["on a visitor's page", VISITOR],
])(
  'a room that flashes between black and white four times a second does not flash %s',
  async (_, path) => {
    const page = await openWatched(path);
    // Black at first, sixty times a second: a picture follows as fast as the last ones came, and here
    // that may have been slowly.
    const lead = 40;
    for (let frame = 0; frame < lead; frame++) {
      await show(page, 0);
      await page.clock.runFor(16);
    }
    for (let half = 0; half < 17; half++) {
      await show(page, half % 2 === 0 ? 0 : 255);
      await page.clock.runFor(8 * 16);
    }
    const levels = await levelsOf(page);
    const soft = await page.evaluate(
      () => (document.querySelector('.flashing') as unknown as Flashing).soft,
    );
    const swing = (some: readonly number[]): number => Math.max(...some) - Math.min(...some);
    // The room does flash; the wall shows the beginning of it, and no more.
    expect(levels.length).toBeGreaterThan(lead + 120);
    expect(swing(levels.slice(lead, lead + 40))).toBeGreaterThan(0.5);
    expect(soft.slice(-40)).not.toContain(false);
    expect(swing(levels.slice(-40))).toBeLessThan(0.1);
  },
);

test('what steps each third tick moves in each picture, a new stage fades in, a wound is there at once, and who rests breathes', async () => {
  // Times begin again in the midst of it.
  const page = await openWatched(VISITOR, 'no-preference', WRAP - 700);
  const FRAME = 16;
  const TICK = 4 * FRAME;
  await page.evaluate((tick) => {
    const { room, model } = document.querySelector('.flashing') as unknown as Flashing;
    // How fast the first frames came says nothing of this clock.
    room!.view.ticks.mean = tick;
    // So close that who rests breathes.
    const { rig } = room!.view;
    rig.zoomAbout(240, 160, 4 / rig.camera.zoom);
    model.tick = 0;
  }, TICK);
  /** A tick: a ring of cells if there is one to paint, and something that changes far away. */
  const tick = (ring?: { inner: number; outer: number; value: number }): Promise<void> =>
    page.evaluate((painted) => {
      const { model } = document.querySelector('.flashing') as unknown as Flashing;
      const { rgba, owner, width, height } = model.planes;
      model.tick!++;
      rgba[3] = model.tick! % 2;
      for (let place = 0; painted && place < width * height; place++) {
        const away = Math.hypot((place % width) - 31.5, Math.floor(place / width) - 19.5);
        if (away > 30) continue;
        const lives = away >= painted.inner && away < painted.outer;
        owner[place] = lives ? 5 : 0;
        rgba.fill(lives ? painted.value : 0, 4 * place, 4 * place + 3);
        rgba[4 * place + 3] = lives ? 255 : 0;
      }
      const changed = [{ x: 0, y: 0, width, height }];
      model.listeners.emit('picture', { changed, replaced: [] });
    }, ring);
  const frames = async (count: number): Promise<number[]> => {
    const before = (await levelsOf(page)).length;
    await page.clock.runFor(count * FRAME);
    return (await levelsOf(page)).slice(before);
  };
  const stepsOf = (levels: readonly number[]): number[] =>
    levels.slice(1).map((level, i) => Math.abs(level - levels[i]));
  const sum = (some: readonly number[]): number => some.reduce((all, one) => all + one, 0);

  await tick({ inner: 0, outer: 9, value: 20 });
  await frames(25);
  const grown: number[] = [];
  for (let i = 0; i < 9; i++) {
    await tick(i % 3 === 0 ? { inner: 0, outer: 9, value: 60 + 15 * i } : undefined);
    grown.push(...(await frames(4)));
  }
  // From its second step on the page knows its pace.
  const steps = stepsOf(grown).slice(12);
  const mean = sum(steps) / steps.length;
  expect(steps.filter((step) => step < mean / 4)).toEqual([]);
  expect(Math.max(...steps)).toBeLessThan(4 * mean);

  await frames(15);
  await tick({ inner: 0, outer: 18, value: 195 });
  const stage: number[] = [];
  for (let i = 0; i < 8; i++) {
    stage.push(...(await frames(4)));
    await tick();
  }
  expect(stage.at(-1)! - stage[0]).toBeGreaterThan(0.05);
  expect(Math.max(...stepsOf(stage))).toBeLessThan((stage.at(-1)! - stage[0]) / 8);

  await tick({ inner: 9, outer: 18, value: 195 });
  const wound = await frames(15);
  const depth = stage.at(-1)! - wound.at(-1)!;
  expect(depth).toBeGreaterThan(0.02);
  expect(wound[7] - wound.at(-1)!).toBeLessThan(depth / 10);

  // The page at rest: what each pixel of its canvas shows, by its distance from the middle.
  const pixels = (): Promise<number[]> =>
    page.evaluate(
      () =>
        new Promise((resolve) => {
          const { renderRoot, room } = document.querySelector('.flashing') as unknown as Flashing;
          const canvas = renderRoot.querySelector('canvas')!;
          const { view } = room!;
          const { onFrame } = view;
          view.onFrame = (now) => {
            view.onFrame = onFrame;
            const copy = document.createElement('canvas');
            Object.assign(copy, { width: canvas.width, height: canvas.height });
            const context = copy.getContext('2d')!;
            context.drawImage(canvas, 0, 0);
            const { data } = context.getImageData(0, 0, copy.width, copy.height);
            resolve(Array.from({ length: data.length / 4 }, (__, i) => data[4 * i + 1]));
            return onFrame.call(view, now);
          };
        }),
    );
  const later = async (): Promise<number[]> => {
    // A picture counts for a tenth of a second of breath, however long ago the last one was.
    await page.clock.runFor(300);
    const seen = pixels();
    await page.clock.runFor(100);
    return seen;
  };
  await page.clock.fastForward(500);
  const resting = await later();
  const breathed: number[][] = [];
  for (let i = 0; i < 6; i++) breathed.push(await later());
  const changed = (now: readonly number[], least: number): number =>
    now.filter((level, i) => Math.abs(level - resting[i]) >= least).length;
  expect(Math.max(...breathed.map((now) => changed(now, 8)))).toBeGreaterThan(20);
  // The ground is still.
  expect(Math.max(...breathed.map((now) => changed(now, 1)))).toBeLessThan(resting.length / 4);
  // Nobody does anything: the page rests.
  for (let i = 0; i < 20; i++) await page.clock.fastForward(2_000);
  const drawn = (await levelsOf(page)).length;
  await page.clock.runFor(1_000);
  expect(await levelsOf(page)).toHaveLength(drawn);
});
