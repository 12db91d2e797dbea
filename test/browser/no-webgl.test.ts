/** Pages in a browser without WebGL2: they say so, and do nothing else. */
import type { Page } from 'playwright-core';
import { launchBrowser } from '../support/browser.ts';
import { afterSuite, afterTest } from '../support/closing.ts';
import { goTo, signIn } from '../support/host-client.ts';
import { problemsOf } from '../support/page.ts';
import { suiteWithPages } from '../support/suite-pages.ts';

const { server, room, url, roomUrl } = await suiteWithPages({ size: '96x96' });
const browser = await launchBrowser(['--disable-3d-apis']);
afterSuite(() => browser.close());

/** A page with everything that went wrong on it, and the sockets that it has opened. */
async function open(locale = 'en-GB'): Promise<{ page: Page; wrong: string[]; sockets: string[] }> {
  const context = await browser.newContext({ locale, viewport: { width: 390, height: 844 } });
  afterTest(() => context.close());
  const page = await context.newPage();
  const wrong = problemsOf(page);
  const sockets: string[] = [];
  page.on('websocket', (socket) => sockets.push(socket.url()));
  return { page, wrong, sockets };
}

test('the visitor’s page says so in the visitor’s language; keys and clicks do nothing, and nobody has joined', async () => {
  for (const [locale, text] of [
    ['en-GB', 'This browser cannot show the room: it has no WebGL2.'],
    ['de-DE', 'Dieser Browser kann den Raum nicht zeigen'],
  ] as const) {
    const { page, wrong, sockets } = await open(locale);
    await page.goto(roomUrl);
    await page.getByRole('alert').getByText(text).waitFor();
    expect(await page.evaluate(() => document.querySelector('canvas'))).toBeNull();
    for (const key of ['1', 'd', 's', 'm', 'n', '?', '+', '0', 'Enter', 'Escape', 'ArrowLeft']) {
      await page.keyboard.press(key);
    }
    await page.mouse.click(195, 300);
    await page.mouse.click(195, 800);
    await page.setViewportSize({ width: 844, height: 390 });
    expect(await page.locator('vivarium-room').getByRole('button').count()).toBe(0);
    expect(await page.locator('vivarium-room').locator('canvas, dialog').count()).toBe(0);
    expect({ wrong, sockets }).toEqual({ wrong: [], sockets: [] });
  }
  expect(server.roomServers.get('garden')!.seats.size).toBe(0);
  expect(room.lastParticipant).toBe(0);
});

test('a wall says so, also one without text, and still shows where to go', async () => {
  for (const query of ['', '?overlay=off']) {
    const { page, wrong } = await open();
    await page.goto(`${url}/wall/garden${query}`);
    await page.getByText('No picture here: this browser has no WebGL2.').waitFor();
    await page.getByTestId('address').waitFor();
    expect(wrong).toEqual([]);
  }
});

test('the host’s page says so where the room would be, and everything else works', async () => {
  const { page, wrong, sockets } = await open();
  await signIn(page, server.port, server.hostToken!);
  // Before it is signed in, the page asks whether it is.
  wrong.length = 0;
  await goTo(page, 'watch');
  await page.getByText('This browser cannot show the room: it has no WebGL2.').waitFor();
  await page.getByTestId('live').click({ position: { x: 60, y: 60 } });
  for (const key of ['Enter', '+', 'ArrowLeft']) await page.keyboard.press(key);
  await page.getByTestId('tool-area').click();
  await page.getByTestId('pause').click();
  await page.getByText('Visitors are paused, but the room keeps running.').waitFor();
  expect({ wrong, sockets }).toEqual({ wrong: [], sockets: [] });
});
