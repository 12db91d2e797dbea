/**
 * A phone opens close by, follows what its visitor plants, and finds its way in a room as wide as it is by default.
 */
import type { Page } from 'playwright-core';
import { DEFAULT_SIZE } from '../../server/settings/server.ts';
import {
  cameraRests,
  fingerTap,
  line,
  modelOf,
  openRoom,
  screenOf,
  touch,
  waitForOwn,
} from '../support/page.ts';
import { PHONE } from '../support/screens.ts';
import { suiteVisitor } from '../support/suite.ts';
import { suiteWithPages } from '../support/suite-pages.ts';
import { plantGarden } from '../support/visitor.ts';

const SIDE = 32;
const { width: WIDTH, height: HEIGHT } = DEFAULT_SIZE;
/** Where Ada plants before anybody comes, and where once the phone is there. */
const FIRST = [
  [60, 60],
  [100, 60],
  [60, 110],
] as const;
const LATER = [300, 150] as const;
const PENGUIN = { from: 'gallery', index: 105 } as const;

const { server, room, roomUrl, cheapPage } = await suiteWithPages({
  ...{ energy: 'off', 'tick-rate': 30 },
});
const ada = await suiteVisitor(server, 'Ada');
/** One phone for all tests; only what is measured in the 320 px window has another. */
let phone: Page;

beforeAll(async () => {
  await plantGarden([ada], Array(FIRST.length).fill('Penguin'), (i) => FIRST[i]);
  phone = await open(390, 844);
});

/** CSS pixels to a cell. */
const zoomOf = async (page: Page): Promise<number> =>
  ((await screenOf(page, 100, 0)).x - (await screenOf(page, 0, 0)).x) / 100;

/** The middle of what the panels leave of a room's window, CSS pixels. */
async function middleOf(page: Page): Promise<{ x: number; y: number }> {
  const [header, dock] = await Promise.all(
    ['header', 'tool-dock'].map((each) => page.locator(each).first().boundingBox()),
  );
  return { x: page.viewportSize()!.width / 2, y: (header!.y + header!.height + dock!.y) / 2 };
}

/** Where an organism's flesh is in the window, CSS pixels. */
async function fleshOf(page: Page, id: number) {
  const [left, top, right, bottom] = await (await modelOf(page)).evaluate(({ planes }, of) => {
    const { owner, width } = planes!;
    const places = [...owner.keys()].filter((place) => owner[place] === of);
    const [xs, ys] = [places.map((at) => at % width), places.map((at) => Math.floor(at / width))];
    return [Math.min(...xs), Math.min(...ys), Math.max(...xs) + 1, Math.max(...ys) + 1];
  }, id);
  const [upper, lower] = [await screenOf(page, left, top), await screenOf(page, right, bottom)];
  return { ...upper, width: lower.x - upper.x, height: lower.y - upper.y };
}

/** The visitor's organisms as their page knows them. */
const mine = async (page: Page): Promise<number[]> =>
  (await modelOf(page)).evaluate(({ organisms, you }) =>
    [...organisms.values()].filter(({ planter }) => planter.id === you.id).map(({ id }) => id),
  );

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
    expect((await zoomOf(page)) * SIDE).toBeGreaterThan(0.28 * width);
    expect(await hintOf(page)).toBe('Tap to plant');
    const alive = room.organisms.length;
    await fingerTap(page, await middleOf(page));
    await waitForOwn(page, { phase: 'asleep' });
    await cameraRests(page);
    const [id] = await mine(page);
    expect(room.organisms.length).toBe(alive + 1);

    const flesh = await fleshOf(page, id);
    expect(Math.max(flesh.width, flesh.height)).toBeGreaterThanOrEqual(0.3 * width);
    // Whole, and in the middle of what the panels leave.
    const middle = await middleOf(page);
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
  const { x, y } = await middleOf(phone);
  const before = await zoomOf(phone);
  const pinch = (from: number, to: number) => line({ x: x + from, y }, { x: x + to, y }, 6);
  await touch(phone, [pinch(-90, -60), pinch(90, 60)]);
  await cameraRests(phone);
  expect(await zoomOf(phone)).toBeLessThan(0.8 * before);
  expect(await hintOf(phone)).toBe('');
  expect(await mine(phone)).toHaveLength(1);
});

test('the overview leads anywhere, and “Find mine” back', async () => {
  // Unseen by the phone, which looks elsewhere.
  await ada.grow(...LATER, PENGUIN);
  const overview = phone.getByTestId('overview');
  const box = (await overview.locator('canvas').boundingBox())!;
  await phone.touchscreen.tap(
    box.x + (LATER[0] / WIDTH) * box.width,
    box.y + (LATER[1] / HEIGHT) * box.height,
  );
  await cameraRests(phone);
  const there = await screenOf(phone, ...LATER);
  const middle = await middleOf(phone);
  expect(Math.hypot(there.x - middle.x, there.y - middle.y)).toBeLessThan(40);
  // What comes into view is sent.
  const place = LATER[1] * WIDTH + LATER[0];
  await phone.waitForFunction(([{ planes }, at, holder]) => planes!.owner[at] === holder, [
    await modelOf(phone),
    place,
    room.grid.planes.owner[place],
  ] as const);

  await phone.getByTestId('find-mine').tap();
  await cameraRests(phone);
  const [id] = await mine(phone);
  const flesh = await fleshOf(phone, id);
  const home = await middleOf(phone);
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
