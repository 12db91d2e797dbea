/**
 * A phone's fingers, in a real browser: a tap plants, two fingers zoom, one finger cuts. While it has no connection, nothing is
 * shown as done, and a new name is not lost.
 */

import { STROKE_RADIUS } from '../../client/state/interaction-state.ts';
import { createRandom } from '../../shared/random.ts';
import { leaveUnpainted } from '../support/browser.ts';
import { afterSuite } from '../support/closing.ts';
import { FaultProxy, NO_FAULTS } from '../support/fault-proxy.ts';
import {
  cameraRests,
  line,
  modelOf,
  openRoom,
  screenOf,
  showAll,
  tapPlace,
  touch,
  waitForConnection,
  waitForPhase,
  waitForWounds,
} from '../support/page.ts';
import { PHONE } from '../support/screens.ts';
import { hostOf } from '../support/suite.ts';
import { suiteWithPages } from '../support/suite-pages.ts';

const { server, room, browser } = await suiteWithPages({ size: '96x96' });
const host = await hostOf(server);
const proxy = await FaultProxy.open({ port: server.port, random: createRandom(5) });
afterSuite(() => proxy.close());
const url = `http://127.0.0.1:${proxy.port}/r/garden`;
// A finger's way is told picture by picture: seldom ones would cut it into several strokes.
const page = await (await leaveUnpainted(await browser.newContext(PHONE))).newPage();
await openRoom(page, url);
await page.getByTestId('gallery-item').first().waitFor();

test('a phone asks for the stream of phones, which a crowd of them can get', async () => {
  const { seats, broadcaster } = server.roomServers.get('garden')!;
  const [member] = seats.members;
  while (broadcaster.viewportOf(member)?.best !== 'phone') {
    await new Promise((wake) => setTimeout(wake, 20));
  }
});

test('nothing invites to plant while the room is paused or its day ends, and the page says why', async () => {
  const hint = page.locator('.hint');
  const says = (text: string) => hint.filter({ hasText: text }).waitFor();
  await says('Tap to plant');
  await host.call('changeSettings', { paused: true });
  await says('The host has paused the room for a moment.');
  await host.call('changeSettings', { paused: false });
  await says('Tap to plant');
  await host.call('farewell', { seconds: 600 });
  await says('This day is over. Thank you, and goodbye.');
  await cameraRests(page);
  await tapPlace(page, 48, 48);
  await page.getByTestId('toast').filter({ hasText: 'This day is over.' }).waitFor();
  await host.call('stopFarewell');
  await says('Tap to plant');
});

async function give(name: string): Promise<void> {
  if (!(await page.getByTestId('details').isVisible())) await page.getByTestId('status').tap();
  await page.getByTestId('name').fill(name);
  await page.getByTestId('save-name').tap();
}

/** The names of the visitors in the room, on the server. */
const called = (): string[] => server.roomServers.get('garden')!.visitors.map(({ name }) => name);

test('a refused name does not stay in the field', async () => {
  await give('Grace');
  await page.waitForFunction(({ you }) => you.name === 'Grace', await modelOf(page));
  await give('sh1thead');
  await page.getByText('That name cannot be shown here.').waitFor();
  expect(await page.getByTestId('name').inputValue()).toBe('Grace');
  expect(await page.getByTestId('save-name').count()).toBe(0);
  expect(called()).toEqual(['Grace']);
});

test('while disconnected, a tap shows that nothing reaches the room; a new name is sent after reconnecting', async () => {
  proxy.set({ deaf: true });
  proxy.reset();
  await waitForConnection(page, 'reconnecting');
  await give('Hopper');
  expect(await page.getByTestId('name').inputValue()).toBe('Hopper');
  await page.getByTestId('status').tap();
  await cameraRests(page);
  await tapPlace(page, 48, 48);
  await page.getByTestId('toast').getByText('The room cannot be reached right now.').waitFor();
  proxy.set(NO_FAULTS);
  await waitForConnection(page, 'live');
  while (called()[0] !== 'Hopper') await page.evaluate(() => new Promise(requestAnimationFrame));
  expect(room.organisms).toEqual([]);
  // A seed is in hand already: the first tap plants it.
  await tapPlace(page, 48, 48);
  await waitForPhase(page, 1, 'asleep');
  const planter = expect.objectContaining({ name: 'Hopper' });
  expect(room.organisms).toMatchObject([{ x: 48, y: 48, origin: 'gallery', planter }]);
});

test('two fingers zoom about their midpoint, and plant nothing', async () => {
  await cameraRests(page);
  const [left, right] = [await screenOf(page, 38, 48), await screenOf(page, 58, 48)];
  const middle = (left.x + right.x) / 2;
  const apart = (by: number) =>
    line({ x: middle + by, y: left.y }, { x: middle + 2 * by, y: left.y }, 10);
  await touch(page, [apart(-40), apart(40)]);
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
  await openRoom(page, url);
  await page.getByTestId('tool-damage').tap();
  await showAll(page);
  // All across: whatever animal it is, there is flesh on the way.
  const from = await screenOf(page, 36, 46);
  const to = await screenOf(page, 60, 50);
  const lens = page.locator('.lens');
  expect(await lens.isVisible()).toBe(false);
  await touch(page, [line(from, to, 10)], {
    meanwhile: async () => {
      // The lens shows the cut beside the finger, not under it.
      await lens.waitFor();
      const box = (await lens.boundingBox())!;
      const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
      expect(Math.hypot(middle.x - to.x, middle.y - to.y)).toBeGreaterThan(box.width / 2 + 20);
      expect(middle.y).toBeLessThan(to.y);
    },
  });
  await lens.waitFor({ state: 'hidden' });
  await waitForWounds(page, 1, 1);
  // However many messages it took, it was one stroke, as wide as a finger needs.
  expect(room.organisms[0].wounds).toBe(1);
  expect(await page.getByTestId('radius').inputValue()).toBe(`${STROKE_RADIUS.touchRadius}`);
});
