/** After any failure of the server, walls and phones reconnect by themselves and visitors keep their identity. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { ensureClient } from '../../server/http/client-build.ts';
import { DEFAULTS } from '../../shared/defaults.ts';
import { createRandom } from '../../shared/random.ts';
import { launchBrowser } from '../support/browser.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { freePort } from '../support/free-port.ts';
import { cameraRests, openRoom, screenOf } from '../support/page.ts';
import { countStalls, generousTimeout } from '../support/patience.ts';
import { ServerProcess } from '../support/process.ts';
import { PHONE } from '../support/screens.ts';
import { leaveUnpainted } from '../support/unpainted.ts';
import { openWall } from '../support/wall.ts';

/** ms after the server is back. */
const LIMIT = 5_000;

interface RoomElement extends HTMLElement {
  readonly model: {
    readonly tick: number | undefined;
    readonly you: { readonly id: number; readonly name: string; readonly hue: number };
    readonly organisms: ReadonlyMap<number, { readonly planter?: { readonly id: number } }>;
  };
}

let folder: string;
let port: number;
let server: ServerProcess;
let proxy: FaultProxy;
let browser: Browser;
let wall: Page;
const phones: Page[] = [];

const start = async (): Promise<void> => {
  const settings = {
    port,
    host: '127.0.0.1',
    size: '96x64',
    attract: 'off',
    data: folder,
    checkpoint: 'test/fixtures/checkpoints/interim-emoji',
  };
  const args = Object.entries(settings).flatMap(([flag, value]) => [`--${flag}`, `${value}`]);
  server = new ServerProcess(args);
  await server.alive();
};

async function open(options: object): Promise<Page> {
  const page = await (await browser.newContext(options).then(leaveUnpainted)).newPage();
  return page;
}

/** The page's participant, and which organisms the page shows as its own. */
const self = (page: Page) =>
  page.evaluate(() => {
    const { model } = document.querySelector('vivarium-room') as unknown as RoomElement;
    const { you, organisms } = model;
    const mine = [...organisms].filter(([, { planter }]) => planter?.id === you.id);
    return { you: { ...you }, mine: mine.map(([id]) => id) };
  });

const waitForState = (page: Page, state: string): Promise<unknown> =>
  page.waitForSelector(`html[data-connection="${state}"]`, { state: 'attached' });

beforeAll(async () => {
  await ensureClient(() => {});
  folder = mkdtempSync(join(tmpdir(), 'vivarium-return-'));
  // A port that is the same after each start.
  port = await freePort();
  await start();
  proxy = await FaultProxy.open({ port, random: createRandom(1) });
  browser = await launchBrowser();
  wall = await open({ viewport: { width: 640, height: 360 }, reducedMotion: 'reduce' });
  await openWall(wall, `http://127.0.0.1:${proxy.port}/wall/garden`);
  for (const x of [24, 72]) {
    const page = await open(PHONE);
    await openRoom(page, `http://127.0.0.1:${proxy.port}/r/garden`);
    await page.getByTestId('gallery-item').first().waitFor();
    await cameraRests(page);
    const at = await screenOf(page, x, 32);
    // By a click: a busy machine's browser may swallow a tap.
    await page.mouse.click(at.x, at.y);
    await page.waitForFunction(() => {
      const { you, organisms } = (document.querySelector('vivarium-room') as unknown as RoomElement)
        .model;
      return [...organisms.values()].some(({ planter }) => planter?.id === you.id);
    });
    phones.push(page);
  }
});

afterAll(async () => {
  await browser?.close();
  await proxy?.close();
  await server?.end('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

test.each([
  // Its connections end at once, and dialling it is refused.
  ['is killed', false, 2_000],
  // Nobody is told, and dialling it is not even refused; until the machine has come up again.
  ['loses its power', true, DEFAULTS.net.pingInterval + DEFAULTS.net.pingTimeout + 1_000],
] as const)(
  'the server %s: the wall and the phones are back within five seconds of it, with the same identities',
  async (_, unplugged, away) => {
    const before = await Promise.all(phones.map(self));
    for (const { mine } of before) expect(mine).toHaveLength(1);
    proxy.set({ unplugged });
    await server.end('SIGKILL');
    const gone = Date.now();
    await Promise.all([wall, ...phones].map((page) => waitForState(page, 'reconnecting')));
    await new Promise((wake) => setTimeout(wake, Math.max(0, gone + away - Date.now())));
    await start();
    proxy.set({ unplugged: false });
    const back = Date.now();
    const stalls = countStalls();
    const took = await Promise.all(
      [wall, ...phones].map(async (page) => {
        await waitForState(page, 'live');
        return Date.now() - back - stalls.lost;
      }),
    );
    stalls.stop();
    if (process.env.VIVARIUM_FIGURES) console.log('live again after', took, 'ms');
    for (const ms of took) expect(ms).toBeLessThan(LIMIT * generousTimeout());
    expect(await Promise.all(phones.map(self))).toEqual(before);
  },
);
