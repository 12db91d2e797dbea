/** Rooms on pages of other sites: of those that may act, of those that may watch, and of strangers. */
import { ensureClient } from '../../server/http/serve-client.ts';
import { type OtherSite, otherSite } from '../support/other-sites.ts';
import { suiteServer } from '../support/suite.ts';
import { cheapPage, suiteBrowser } from '../support/suite-pages.ts';

const [friend, museum, stranger] = [await otherSite(), await otherSite(), await otherSite()];
const { server, room, url, roomUrl } = await suiteServer(
  {
    ...{ size: '96x96', energy: 'off', 'tick-rate': 30, 'max-spectators': 1 },
    ...{ origins: friend.origin, embed: `${friend.origin},${museum.origin}` },
  },
  { clientFolder: await ensureClient(() => {}) },
);
const browser = await suiteBrowser();
const { seats, spectators } = server.roomServers.get('garden')!;
/** Participants, and spectators. */
const present = (): number[] => [seats.size, spectators.size];

/** Opens a page of another site. */
async function open(site: OtherSite, body: string) {
  site.page = `<!doctype html><meta charset="utf-8"><body style="margin: 0">
    <script type="module" src="${url}/vivarium-room.js"></script>${body}`;
  const page = await cheapPage(browser, { viewport: { width: 400, height: 400 } });
  await page.goto(`${site.origin}/`);
  return page;
}

/** An element, 400 pixels wide. */
const element = (attributes: string, content = ''): string =>
  `<vivarium-room src="${roomUrl}" style="width: 400px; height: 400px" ${attributes}>${content}</vivarium-room>`;

/** Waits until all connections of the test before have ended, or others have come. */
async function untilPresent(...wished: readonly number[]): Promise<void> {
  while (`${present()}` !== `${wished}`) await new Promise((resolve) => setTimeout(resolve, 20));
}

type Shown = HTMLElement & {
  room: { state: string; ended?: string; organisms: Map<number, { kind: string }> };
};

test('a site that may act shows a live room, in which people plant with a seed of its choice', async () => {
  await untilPresent(0, 0);
  const page = await open(friend, element('interactive view="0,0,96,96" seed="Penguin"'));
  await untilPresent(1, 0);
  await page.waitForFunction(
    () => (document.querySelector('vivarium-room') as Shown).room.state === 'live',
  );
  await page.mouse.click(200, 200);
  await page.waitForFunction(() => {
    const { room } = document.querySelector('vivarium-room') as Shown;
    return [...room.organisms.values()].some(({ kind }) => kind === 'Penguin');
  });
  expect([...room.organisms.values()].map(({ x, y }) => [x, y])).toEqual([[48, 48]]);
});

test('a site of --embed watches, also if its element would act, and where it frames a page', async () => {
  await untilPresent(0, 0);
  const page = await open(museum, element('interactive'));
  await untilPresent(0, 1);
  await page.mouse.click(100, 300);
  await page.close();
  await untilPresent(0, 0);
  await open(museum, `<iframe src="${roomUrl}" width="400" height="400"></iframe>`);
  await untilPresent(0, 1);
  expect(room.size).toBe(1);
});

test('beyond the limit of spectators there is a sentence, or what the site says instead', async () => {
  await untilPresent(0, 0);
  await open(museum, element(''));
  await untilPresent(0, 1);
  const page = await open(museum, element(''));
  await page.getByRole('status').getByText('Too many people are watching').waitFor();
  const other = await open(museum, element('', '<em>Heute ist zu viel los.</em>'));
  await other.getByText('Heute ist zu viel los.').waitFor();
  expect(present()).toEqual([0, 1]);
});

test('a stranger gets neither the element nor a frame nor a connection', async () => {
  await untilPresent(0, 0);
  const page = await open(
    stranger,
    `${element('')}<iframe src="${roomUrl}" width="400" height="400"></iframe>`,
  );
  const socket = await page.evaluate(
    (address) =>
      new Promise((resolve) => {
        const line = new WebSocket(address);
        line.onopen = () => resolve('open');
        line.onerror = () => resolve('refused');
      }),
    `${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`,
  );
  const defined = await page.evaluate(() => customElements.get('vivarium-room') !== undefined);
  const [, frame] = page.frames();
  expect([socket, defined, await frame.locator('canvas').count()]).toEqual(['refused', false, 0]);
  expect(present()).toEqual([0, 0]);
});
