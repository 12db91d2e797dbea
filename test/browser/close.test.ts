/**
 * Large on every screen: a phone opens close by and follows what its visitor plants; the room, as
 * wide as it is by default, fills a wall.
 */
import type { Page } from 'playwright-core';
import { DEFAULTS } from '../../shared/defaults.ts';
import {
  cameraRests,
  fingerTap,
  line,
  modelOf,
  nextPicture,
  nextPictures,
  openRoom,
  openWall,
  screenOf,
  touch,
  waitForPhase,
} from '../support/page.ts';
import { PHONE } from '../support/screens.ts';
import { suiteVisitor } from '../support/suite.ts';
import { suiteWithPages } from '../support/suite-pages.ts';
import { plantGarden } from '../support/visitor.ts';

const SIDE = 32;
const { width: WIDTH, height: HEIGHT } = DEFAULTS.room;
/** Where Ada plants before anybody comes, and where once the phone is there. */
const FIRST = [
  [60, 60],
  [100, 60],
  [60, 110],
] as const;
const LATER = [300, 150] as const;
const PENGUIN = { from: 'gallery', index: 105 } as const;

const { server, room, url, roomUrl, cheapPage } = await suiteWithPages({
  ...{ energy: 'off', 'tick-rate': 30 },
});
const ada = await suiteVisitor(server, 'Ada');
/** One phone for all tests; only what is measured in the 320 px window has another. */
let phone: Page;

beforeAll(async () => {
  await plantGarden([ada], Array(FIRST.length).fill('Penguin'), (i) => FIRST[i]);
  phone = await open(390, 844);
});

const zoomOf = async (page: Page): Promise<number> => {
  const [from, to] = [await screenOf(page, 0, 0), await screenOf(page, 100, 0)];
  return (to.x - from.x) / 100;
};

/** The part of the window between the panels. */
const between = async (page: Page) => {
  const [header, dock] = await Promise.all(
    ['header', 'tool-dock'].map((each) => page.locator(each).first().boundingBox()),
  );
  const { width } = page.viewportSize()!;
  return { x: width / 2, y: (header!.y + header!.height + dock!.y) / 2, width };
};

/** Where an organism's flesh is in the window, CSS pixels. */
async function fleshOf(page: Page, id: number) {
  const model = await modelOf(page);
  const cells = await page.evaluate(
    ([{ planes }, of]) => {
      const { owner, width } = planes!;
      const box = { left: 1e9, top: 1e9, right: -1, bottom: -1 };
      owner.forEach((holder, place) => {
        if (holder !== of) return;
        const [x, y] = [place % width, Math.floor(place / width)];
        box.left = Math.min(box.left, x);
        box.top = Math.min(box.top, y);
        box.right = Math.max(box.right, x + 1);
        box.bottom = Math.max(box.bottom, y + 1);
      });
      return box;
    },
    [model, id] as const,
  );
  const upper = await screenOf(page, cells.left, cells.top);
  const lower = await screenOf(page, cells.right, cells.bottom);
  return { ...upper, width: lower.x - upper.x, height: lower.y - upper.y };
}

/** The visitor's organisms as their page knows them. */
const mine = async (page: Page): Promise<number[]> =>
  (await modelOf(page)).evaluate(({ organisms, you }) =>
    [...organisms.values()].filter(({ planter }) => planter.id === you.id).map(({ id }) => id),
  );

async function waitForMine(page: Page, count: number): Promise<number> {
  await page.waitForFunction(
    ([{ organisms, you }, wanted]) =>
      [...organisms.values()].filter(({ planter }) => planter.id === you.id).length === wanted,
    [await modelOf(page), count] as const,
  );
  const id = (await mine(page)).at(-1)!;
  await waitForPhase(page, id, 'asleep');
  await cameraRests(page);
  return id;
}

async function open(width: number, height: number): Promise<Page> {
  const page = await cheapPage({ ...PHONE, viewport: { width, height } });
  await openRoom(page, roomUrl);
  await page.getByTestId('gallery-item').first().waitFor();
  await cameraRests(page);
  return page;
}

/** The hint above the dock; '' if there is none. */
const hintOf = async (page: Page): Promise<string> =>
  (await page.locator('.hint:not([hidden])').allTextContents()).join();

test('the first tap becomes a creature that fills a third of the width, on the smallest phones too', async () => {
  for (const width of [390, 320]) {
    // Only now: where others plant, nothing is free any more.
    const page = width === 390 ? phone : await open(width, 568);
    const { height } = page.viewportSize()!;
    // A creature would be large already, and where the finger falls first, nobody lives.
    expect((await zoomOf(page)) * SIDE).toBeGreaterThan(0.4 * width);
    expect(await hintOf(page)).toBe('Tap to plant');
    const alive = room.organisms.length;
    await fingerTap(page, await between(page));
    const id = await waitForMine(page, 1);
    expect(room.organisms.length).toBe(alive + 1);

    const flesh = await fleshOf(page, id);
    expect(Math.max(flesh.width, flesh.height)).toBeGreaterThanOrEqual(0.3 * width);
    // Whole, and in the middle of what the panels leave.
    const middle = await between(page);
    expect(Math.abs(flesh.x + flesh.width / 2 - middle.x)).toBeLessThan(0.12 * width);
    expect(Math.abs(flesh.y + flesh.height / 2 - middle.y)).toBeLessThan(0.12 * height);
    expect(flesh.x).toBeGreaterThan(0);
    if (page === phone) continue;
    // Somebody who does not pinch is told three times.
    const says = (hint: RegExp) =>
      page.locator('.hint', { hasText: hint }).waitFor({ state: 'attached' });
    await says(/^Pinch to zoom$/);
    for (const tool of ['damage', 'look', 'plant']) {
      await page.getByTestId(`tool-${tool}`).tap();
      await says(tool === 'plant' ? /^$/ : /^Pinch to zoom$/);
    }
    await page.context().close();
  }
});

test('a pinch dismisses the hint for good, and the camera stays where the visitor has it', async () => {
  expect(await hintOf(phone)).toBe('Pinch to zoom');
  const { x, y } = await between(phone);
  const before = await zoomOf(phone);
  const pinch = (from: number, to: number) => line({ x: x + from, y }, { x: x + to, y }, 6);
  await touch(phone, [pinch(-90, -60), pinch(90, 60)]);
  await cameraRests(phone);
  expect(await zoomOf(phone)).toBeLessThan(0.8 * before);
  expect(await hintOf(phone)).toBe('');
  expect(await mine(phone)).toHaveLength(1);
});

test('the overview leads anywhere, “Find mine” back, and what comes into view is whole', async () => {
  // Unseen by the phone, which looks elsewhere.
  await ada.grow(...LATER, PENGUIN);
  const overview = phone.getByTestId('overview');
  const box = (await overview.boundingBox())!;
  await phone.touchscreen.tap(
    box.x + (LATER[0] / WIDTH) * box.width,
    box.y + (LATER[1] / HEIGHT) * box.height,
  );
  await cameraRests(phone);
  const there = await screenOf(phone, ...LATER);
  const middle = await between(phone);
  expect(Math.hypot(there.x - middle.x, there.y - middle.y)).toBeLessThan(40);
  const { owner, rgba } = room.grid.planes;
  await phone.waitForFunction(([{ planes }, place, holder]) => planes!.owner[place] === holder, [
    await modelOf(phone),
    LATER[1] * WIDTH + LATER[0],
    owner[LATER[1] * WIDTH + LATER[0]],
  ] as const);
  // All that is in view is the room's, byte for byte.
  const zoom = await zoomOf(phone);
  const origin = await screenOf(phone, 0, 0);
  const edge = (at: number, start: number, size: number): number =>
    Math.max(0, Math.min(size, Math.round((at - start) / zoom)));
  const left = edge(0, origin.x, WIDTH);
  const right = edge(390, origin.x, WIDTH);
  const top = edge(0, origin.y, HEIGHT);
  const bottom = edge(844, origin.y, HEIGHT);
  const shown = async () =>
    (await modelOf(phone)).evaluate(
      ({ planes }, [x0, x1, y0, y1]) => {
        const cells: number[] = [];
        for (let y = y0; y < y1; y++) {
          for (let x = x0; x < x1; x++) {
            const place = y * planes!.width + x;
            cells.push(planes!.owner[place], ...planes!.rgba.subarray(4 * place, 4 * place + 4));
          }
        }
        return cells;
      },
      [left, right, top, bottom] as const,
    );
  const truth: number[] = [];
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const place = y * WIDTH + x;
      truth.push(owner[place], ...rgba.subarray(4 * place, 4 * place + 4));
    }
  }
  expect(truth.filter((value) => value !== 0).length).toBeGreaterThan(500);
  while (String(await shown()) !== String(truth)) await nextPicture(phone);

  await phone.getByTestId('find-mine').tap();
  await cameraRests(phone);
  const [id] = await mine(phone);
  const flesh = await fleshOf(phone, id);
  const home = await between(phone);
  expect(Math.max(flesh.width, flesh.height)).toBeGreaterThanOrEqual(0.3 * 390);
  expect(Math.abs(flesh.x + flesh.width / 2 - home.x)).toBeLessThan(0.12 * 390);
});

test('across, the whole room takes the whole height; then there is no overview', async () => {
  await phone.setViewportSize({ width: 844, height: 390 });
  await phone.getByRole('button', { name: 'Show all' }).tap();
  await cameraRests(phone);
  const [upper, lower] = [await screenOf(phone, 0, 0), await screenOf(phone, WIDTH, HEIGHT)];
  expect(lower.y - upper.y).toBeGreaterThan(0.9 * 390);
  expect(upper.y).toBeGreaterThan(0);
  expect(lower.y).toBeLessThan(390);
  await phone.getByTestId('overview').waitFor({ state: 'hidden' });
});

test('the room takes nine tenths of a 16:9 wall, which drifts or not', async () => {
  const address = encodeURIComponent('http://192.168.1.20:8080/r/garden');
  for (const frame of ['drift', 'fixed']) {
    const page = await cheapPage({
      ...{ viewport: { width: 1920, height: 1080 }, deviceScaleFactor: 0.25 },
      reducedMotion: frame === 'drift' ? 'no-preference' : 'reduce',
    });
    await openWall(page, `${url}/wall/garden?frame=${frame}&url=${address}`);
    await nextPictures(page, 2);
    const [upper, lower] = [await screenOf(page, 0, 0), await screenOf(page, WIDTH, HEIGHT)];
    const share = ((lower.x - upper.x) * (lower.y - upper.y)) / (1920 * 1080);
    expect(share).toBeGreaterThan(0.9);
    expect(Math.min(upper.x, upper.y)).toBeGreaterThan(0);
    expect(lower.x).toBeLessThan(1920);
    expect(lower.y).toBeLessThan(1080);
    await page.context().close();
  }
});
