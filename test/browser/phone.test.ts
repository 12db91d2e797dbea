/** A phone's fingers, in a real browser: a tap plants, two fingers zoom, one finger cuts. */

import {
  cameraRests,
  fingerTap,
  openRoom,
  screenOf,
  showAll,
  waitForPhase,
  waitForWounds,
} from '../support/page.ts';
import { PHONE } from '../support/screens.ts';
import { suiteWithPages } from '../support/suite-pages.ts';

const { room, roomUrl, newPage } = await suiteWithPages({ size: '96x96' });
const page = await newPage(PHONE);
await openRoom(page, roomUrl);
const fingers = await page.context().newCDPSession(page);

/** Fingers go down, along, and up again. Each has a list of places it passes. */
async function touch(...ways: { x: number; y: number }[][]): Promise<void> {
  const at = (i: number) => ways.map((way, id) => ({ ...way[i], id }));
  const send = (type: 'touchStart' | 'touchMove' | 'touchEnd', points: ReturnType<typeof at>) =>
    fingers.send('Input.dispatchTouchEvent', { type, touchPoints: points });
  await send('touchStart', at(0));
  for (let i = 1; i < ways[0].length; i++) await send('touchMove', at(i));
  await send('touchEnd', []);
}

const line = (x0: number, y0: number, x1: number, y1: number, steps = 10) =>
  Array.from({ length: steps + 1 }, (_, i) => ({
    x: x0 + ((x1 - x0) * i) / steps,
    y: y0 + ((y1 - y0) * i) / steps,
  }));

test('a seed is in hand at once: the first tap plants it', async () => {
  await cameraRests(page);
  const { x, y } = await screenOf(page, 48, 48);
  await fingerTap(page, { x, y });
  await waitForPhase(page, 1, 'asleep');
  const [organism] = room.organisms;
  expect(organism).toMatchObject({ x: 48, y: 48, origin: 'gallery' });
});

test('two fingers zoom about their midpoint, and plant nothing', async () => {
  await cameraRests(page);
  const [left, right] = [await screenOf(page, 38, 48), await screenOf(page, 58, 48)];
  const middle = (left.x + right.x) / 2;
  await touch(
    line(middle - 40, left.y, middle - 80, left.y),
    line(middle + 40, left.y, middle + 80, left.y),
  );
  await cameraRests(page);
  const [wideLeft, wideRight] = [await screenOf(page, 38, 48), await screenOf(page, 58, 48)];
  const scale = (wideRight.x - wideLeft.x) / (right.x - left.x);
  expect(scale).toBeGreaterThan(1.7);
  expect(scale).toBeLessThan(2.3);
  expect(Math.abs((wideLeft.x + wideRight.x) / 2 - middle)).toBeLessThan(40);
  expect(room.organisms).toHaveLength(1);
});

test('with the cutting tool, a finger damages the cells in its path', async () => {
  // A camera that still glides from the zoom would take the organism from under the finger.
  await openRoom(page, roomUrl);
  await page.getByTestId('tool-damage').tap();
  await showAll(page);
  // All across: whatever animal it is, there is flesh on the way.
  const from = await screenOf(page, 36, 46);
  const to = await screenOf(page, 60, 50);
  await touch(line(from.x, from.y, to.x, to.y));
  await waitForWounds(page, 1, 1);
  expect(room.organisms[0].wounds).toBeGreaterThan(0);
});
