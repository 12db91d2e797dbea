/**
 * After any failure of the server, walls and phones reconnect by themselves and visitors keep their
 * identity.
 */

import type { BrowserContextOptions, Page } from 'playwright-core';
import { ensureClient } from '../../server/http/serve-client.ts';
import { PING } from '../../server/realtime/socket-server.ts';
import { createRandom } from '../../shared/random.ts';
import { afterSuite, suiteFolder } from '../support/closing.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { isFull } from '../support/needs.ts';
import { SMALL } from '../support/organisms.ts';
import {
  clickPlace,
  modelOf,
  nextPicture,
  openRoom,
  openWall,
  screenOf,
  showAll,
  waitForConnection,
  waitForMore,
  waitForOwn,
  watchToasts,
} from '../support/page.ts';
import { flagsOf, ServerProcess } from '../support/process.ts';
import { freePort } from '../support/programs.ts';
import { PHONE } from '../support/screens.ts';
import { cheapPage, suiteBrowser } from '../support/suite-pages.ts';
import { countStalls, generousTimeout } from '../support/waiting.ts';

/** ms after the server is back. */
const LIMIT = 5_000;

await ensureClient(() => {});
const folder = suiteFolder();
// A port that is the same after each start.
const port = await freePort();
const proxy = await FaultProxy.open({ port, random: createRandom(1) });
afterSuite(() => proxy.close());
const browser = await suiteBrowser();
let phone: Page;
let server: ServerProcess;
let wall: Page;
afterSuite(() => server?.end('SIGKILL'));

const start = async (changes: Readonly<Record<string, string>> = {}): Promise<void> => {
  const settings = {
    port,
    host: '127.0.0.1',
    size: '96x64',
    'tick-rate': 30,
    attract: 'off',
    data: folder,
  };
  server = new ServerProcess(flagsOf({ ...settings, ...SMALL, ...changes }));
  await server.alive();
};

const open = (options: BrowserContextOptions) => cheapPage(browser, options);

/** The page's participant, and which organisms the page shows as its own. */
const self = async (page: Page) =>
  (await modelOf(page)).evaluate(({ you, organisms }) => {
    const mine = [...organisms].filter(([, { planter }]) => planter?.id === you.id);
    return { you: { ...you }, mine: mine.map(([id]) => id) };
  });

beforeAll(async () => {
  await start();
  wall = await open({ viewport: { width: 640, height: 360 } });
  await openWall(wall, `http://127.0.0.1:${proxy.port}/wall/garden`);
  phone = await open(PHONE);
  await openRoom(phone, `http://127.0.0.1:${proxy.port}/r/garden`);
  await phone.getByTestId('gallery-item').first().waitFor();
  await showAll(phone);
  // By a click: a busy machine's browser may swallow a tap.
  await clickPlace(phone, 24, 32);
  await waitForOwn(phone);
});

test.each([
  // The command is done, and its answer is lost.
  ['answers are lost', 'down', 40],
  // The command is lost itself.
  ['nothing gets through', 'both', 56],
] as const)(
  'a tap while %s: the page says soon that the room is away, and once it is back the seed is planted once',
  async (_, stalled, x) => {
    const { mine } = await self(phone);
    const told = await watchToasts(phone);
    await showAll(phone);
    const at = await screenOf(phone, x, 48);
    proxy.set({ stalled });
    await phone.mouse.click(at.x, at.y);
    // Long before the connection would end by itself.
    await waitForConnection(phone, 'reconnecting');
    expect((await told.jsonValue()).toasts).toContainEqual(
      expect.stringMatching(/^The room cannot be reached/),
    );
    proxy.reset();
    proxy.set({ stalled: 'none' });
    await waitForConnection(phone, 'live');
    await waitForOwn(phone, {}, mine.length + 1);
    // Later ticks bring no second one.
    for (let i = 0; i < 8; i++) await nextPicture(phone);
    expect((await self(phone)).mine).toHaveLength(mine.length + 1);
  },
);

// `npm test` kills the server only.
const losses = [
  // Its connections end immediately, and dialling it is refused.
  ['is killed', false, 2_000],
  // No end is sent, and dialling it is not even refused, until the machine is up again.
  ['loses its power', true, PING.pingInterval + PING.pingTimeout + 1_000],
] as const;

test.each(isFull ? losses : losses.slice(0, 1))(
  'the server %s: the wall and a phone are back within five seconds of it, with the same identity',
  async (_, unplugged, away) => {
    const before = await self(phone);
    expect(before.mine).not.toEqual([]);
    const pointers = wall.locator('cursor-layer .cursor');
    await phone.mouse.move(200, 300);
    await phone.mouse.move(210, 310);
    await pointers.first().waitFor({ state: 'attached' });
    proxy.set({ unplugged });
    await server.end('SIGKILL');
    const gone = Date.now();
    await Promise.all([wall, phone].map((page) => waitForConnection(page, 'reconnecting')));
    expect(await pointers.count()).toBe(0);
    await new Promise((wake) => setTimeout(wake, Math.max(0, gone + away - Date.now())));
    await start();
    proxy.set({ unplugged: false });
    const back = Date.now();
    const stalls = countStalls();
    const took = await Promise.all(
      [wall, phone].map(async (page) => {
        await waitForConnection(page, 'live');
        return Date.now() - back - stalls.lost;
      }),
    );
    stalls.stop();
    for (const ms of took) expect(ms).toBeLessThan(LIMIT * generousTimeout());
    expect(await self(phone)).toEqual(before);
  },
);

test('the server returns with other organisms: an open page shows them, and plants one of them', async () => {
  await server.end('SIGKILL');
  await waitForConnection(phone, 'reconnecting');
  const reloaded = phone.waitForEvent('domcontentloaded');
  await start({ checkpoint: 'checkpoints/digits', data: 'none' });
  await reloaded;
  await waitForConnection(phone, 'live');
  await phone.locator('[data-testid=gallery-item][aria-pressed=true]').waitFor();
  await showAll(phone);
  await clickPlace(phone, 48, 32);
  await waitForMore(phone, 0);
});
