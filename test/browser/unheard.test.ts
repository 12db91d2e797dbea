/** A phone that loses its connection: commands are not shown as done, and a new name is not lost. */
import type { Browser, Page } from 'playwright-core';
import type { VivariumServer } from '../../server/app/create-server.ts';
import { ensureClient } from '../../server/http/client-build.ts';
import { createRandom } from '../../shared/random.ts';
import { launchBrowser } from '../support/browser.ts';
import { FaultProxy, NO_FAULTS } from '../support/fault-proxy.ts';
import { cameraRests, fingerTap, openRoom, screenOf } from '../support/page.ts';
import { PHONE } from '../support/screens.ts';
import { startServer } from '../support/server.ts';
import { leaveUnpainted } from '../support/unpainted.ts';

let server: VivariumServer;
let proxy: FaultProxy;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  server = await startServer({ size: '96x96' }, await ensureClient(() => {}));
  proxy = await FaultProxy.open({ port: server.port, random: createRandom(5) });
  browser = await launchBrowser();
  page = await (await browser.newContext(PHONE).then(leaveUnpainted)).newPage();
  await openRoom(page, `http://127.0.0.1:${proxy.port}/r/garden`);
  await page.getByTestId('gallery-item').first().waitFor();
});

afterAll(async () => {
  await browser?.close();
  await proxy?.close();
  await server?.close();
});

const waitForState = (state: string): Promise<unknown> =>
  page.waitForSelector(`html[data-connection="${state}"]`, { state: 'attached' });

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
  await page.waitForFunction(
    () =>
      (
        document.querySelector('vivarium-room') as unknown as {
          model: { you: { name: string } };
        }
      ).model.you.name === 'Grace',
  );
  await give('sh1thead');
  await page.getByText('That name cannot be shown here.').waitFor();
  expect(await page.getByTestId('name').inputValue()).toBe('Grace');
  expect(await page.getByTestId('save-name').count()).toBe(0);
  expect(called()).toEqual(['Grace']);
});

test('while disconnected, a tap shows that nothing reaches the room; a new name is sent after reconnecting', async () => {
  const room = server.world.rooms.get('garden')!;
  proxy.set({ deaf: true });
  proxy.reset();
  await waitForState('reconnecting');
  await give('Hopper');
  expect(await page.getByTestId('name').inputValue()).toBe('Hopper');
  await page.getByTestId('status').tap();
  await cameraRests(page);
  await fingerTap(page, await screenOf(page, 48, 48));
  await page.getByTestId('toast').getByText('Nothing reaches the room just now.').waitFor();
  proxy.set(NO_FAULTS);
  await waitForState('live');
  while (called()[0] !== 'Hopper') await page.evaluate(() => new Promise(requestAnimationFrame));
  expect(room.organisms).toEqual([]);
  await fingerTap(page, await screenOf(page, 48, 48));
  while (room.organisms.length === 0) {
    await page.evaluate(() => new Promise(requestAnimationFrame));
  }
  expect(room.organisms[0].planter.name).toBe('Hopper');
});
