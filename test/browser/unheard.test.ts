/**
 * A phone that loses its connection: commands are not shown as done, and a new name is not lost.
 */

import { createRandom } from '../../shared/random.ts';
import { afterSuite } from '../support/closing.ts';
import { FaultProxy, NO_FAULTS } from '../support/fault-proxy.ts';
import {
  cameraRests,
  fingerTap,
  modelOf,
  openRoom,
  screenOf,
  waitForConnection,
} from '../support/page.ts';
import { PHONE } from '../support/screens.ts';
import { suiteWithPages } from '../support/suite-pages.ts';

const { server, room, newPage } = await suiteWithPages({ size: '96x96' });
const proxy = await FaultProxy.open({ port: server.port, random: createRandom(5) });
afterSuite(() => proxy.close());
const page = await newPage(PHONE);
await openRoom(page, `http://127.0.0.1:${proxy.port}/r/garden`);
await page.getByTestId('gallery-item').first().waitFor();

async function give(name: string): Promise<void> {
  if (!(await page.getByTestId('details').isVisible())) await page.getByTestId('status').tap();
  await page.getByTestId('name').fill(name);
  await page.getByTestId('save-name').tap();
}

/** The names of the visitors in the room, on the server. */
const called = (): string[] =>
  server.roomServers.get('garden')!.host.visitors.map(({ name }) => name);

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
  await fingerTap(page, await screenOf(page, 48, 48));
  await page.getByTestId('toast').getByText('The room cannot be reached right now.').waitFor();
  proxy.set(NO_FAULTS);
  await waitForConnection(page, 'live');
  while (called()[0] !== 'Hopper') await page.evaluate(() => new Promise(requestAnimationFrame));
  expect(room.organisms).toEqual([]);
  await fingerTap(page, await screenOf(page, 48, 48));
  while (room.organisms.length === 0) {
    await page.evaluate(() => new Promise(requestAnimationFrame));
  }
  expect(room.organisms[0].planter.name).toBe('Hopper');
});
