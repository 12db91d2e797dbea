/**
 * Accessibility of the visitor's page: keyboard only, screen reader, translations, plain HTTP on
 * the LAN.
 */

import { networkInterfaces } from 'node:os';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { LANGUAGE_CODES } from '../../shared/languages.ts';
import { fullTest, isFull } from '../support/needs.ts';
import {
  animationsOf,
  cameraOf,
  focus,
  focused,
  modelOf,
  openRoom,
  showAll,
  tabTo,
  tapPlace,
  waitForMore,
  waitForPhase,
} from '../support/page.ts';
import { faint, spilled, tiny, violations } from '../support/page-faults.ts';
import { PHONE } from '../support/screens.ts';
import { sheetStates } from '../support/sheet-states.ts';
import { suiteVisitor } from '../support/suite.ts';
import { suiteWithPages } from '../support/suite-pages.ts';
import { plantGarden } from '../support/visitor.ts';

const DESKTOP = { viewport: { width: 1280, height: 800 } } as const;

/** Where Ada's penguin and octopus are. */
const SPOTS = { own: [24, 24], other: [104, 24], child: [104, 24] } as const;
const STATES = sheetStates(SPOTS, { withVideo: false });
/** What a visitor's page shows beside the room, and what covers the room. */
const PANELS = ['plant', ...(isFull ? ['damage'] : []), 'card-own', 'cross-one', 'facts'];
const SHEETS = ['keepsake', 'gallery', 'draw', 'map'];

async function reach(page: Page, state: string): Promise<void> {
  await showAll(page);
  await STATES[state].open(page);
}

/** Where this machine is in its network: a page from there is no secure context, unlike one from itself. */
const lan = Object.values(networkInterfaces())
  .flat()
  .find((one) => one?.family === 'IPv4' && !one.internal)?.address;
const host = lan ?? '127.0.0.1';

const { server, room, roomUrl, cheapPage } = await suiteWithPages({
  ...{ size: '128x96', host: '0.0.0.0', energy: 'newcomer=100,refillPerSecond=1000' },
});
const ada = await suiteVisitor(server, 'Ada');

const open = (options: BrowserContextOptions): Promise<Page> =>
  cheapPage({ locale: 'en-GB', ...options });

async function enter(page: Page): Promise<void> {
  await openRoom(page, roomUrl);
  await page.getByTestId('gallery-item').first().waitFor();
}

await plantGarden([ada], ['Penguin', 'Octopus'], (i) => [SPOTS.own, SPOTS.other][i]);
const page = await open(DESKTOP);
await enter(page);

test('by keyboard alone: choose a seed, plant it, damage it, select organisms, cross two', async () => {
  const { keyboard } = page;
  // The first stop is the room itself.
  await keyboard.press('Tab');
  expect(await focused(page)).toBe('canvas');

  await keyboard.press('s');
  expect(await focused(page)).toBe('gallery-item');
  const chosen = await (await focus(page)).evaluate((at) => at.getAttribute('data-name'));
  await keyboard.press('ArrowRight');
  expect(await focused(page)).toBe('gallery-item');
  await keyboard.press('Enter');
  await keyboard.press('Escape');
  expect(await focused(page)).toBe('canvas');
  await keyboard.press('Enter');
  await waitForPhase(page, 3, 'asleep');
  const planted = room.organisms.find(({ id }) => id === 3)!;
  expect(planted.kind).not.toBe(chosen);
  expect(Math.hypot(planted.x - 64, planted.y - 48)).toBeLessThan(6);

  await keyboard.press('d');
  for (let i = 0; i < 6; i++) await keyboard.press(']');
  await keyboard.press('Enter');
  await page.waitForFunction(({ organisms }) => organisms.get(3)!.wounds > 0, await modelOf(page));

  await keyboard.press('n');
  const card = page.getByTestId('organism-card');
  await card.waitFor();
  await keyboard.press('n');
  await expect(card.locator('h2').textContent()).resolves.toBe('Penguin');
  await keyboard.press('b');
  await keyboard.press('b');
  await expect(card.locator('h2').textContent()).resolves.toBe('Octopus');

  await tabTo(page, 'cross-with');
  await keyboard.press('Enter');
  expect(await focused(page)).toBe('organism-card');
  await keyboard.press('n');
  await tabTo(page, 'mix');
  await keyboard.press('ArrowRight');
  await tabTo(page, 'make-seed');
  await keyboard.press('Enter');
  await page.getByTestId('hand-seed').waitFor();
  await keyboard.press('Escape');
  expect(await focused(page)).toBe('canvas');
});

test('the room information closes on Escape, and when another control is used', async () => {
  const [status, details] = [page.getByTestId('status'), page.getByTestId('details')];
  await status.click();
  await details.locator('input').first().focus();
  await page.keyboard.press('Escape');
  await details.waitFor({ state: 'detached' });
  expect(await focused(page)).toBe('status');
  await status.click();
  // Its rim, as a link or a button may lie in its middle.
  await details.click({ position: { x: 4, y: 4 } });
  expect(await details.isVisible()).toBe(true);
  await page.getByTestId('tool-look').click();
  await details.waitFor({ state: 'detached' });
  await status.click();
  await details.locator('input').first().focus();
  await page.getByTestId('tool-look').focus();
  await details.waitFor({ state: 'detached' });
  await status.click();
  await details.waitFor();
  await status.click();
  await details.waitFor({ state: 'detached' });
});

test('the help lists the keys; letter shortcuts can be limited to the room', async () => {
  const { keyboard } = page;
  await page.getByTestId('tool-plant').click();
  await keyboard.press('?');
  const help = page.getByTestId('key-help');
  await help.waitFor();
  expect(await violations(page)).toEqual([]);
  await help.locator('h2').click();
  await keyboard.press('d');
  const tool = (name: string) => page.getByTestId(`tool-${name}`).getAttribute('aria-checked');
  expect(await tool('plant')).toBe('true');
  await page.getByTestId('keys-everywhere').uncheck();
  await keyboard.press('Escape');
  await help.waitFor({ state: 'detached' });

  await page.getByTestId('status').focus();
  await keyboard.press('d');
  expect(await tool('plant')).toBe('true');
  await page.getByTestId('canvas').focus();
  await keyboard.press('d');
  expect(await tool('damage')).toBe('true');
  await keyboard.press('?');
  await page.getByTestId('keys-everywhere').check();
  await keyboard.press('Escape');
});

test('with reduced motion nothing moves by itself, and the camera jumps', async () => {
  await page.getByTestId('tool-look').click();
  await page.keyboard.press('0');
  const before = await cameraOf(page);
  await page.keyboard.press('n');
  const { camera, heading } = await cameraOf(page);
  expect(camera).toEqual(heading);
  expect(camera).not.toEqual(before.camera);
  await page.getByTestId('organism-card').waitFor();
  const moving = await page.evaluate(
    (animationsIn) =>
      animationsIn(document).map(({ effect }) => {
        const { target } = effect as KeyframeEffect;
        const { host } = target!.getRootNode() as Partial<ShadowRoot>;
        return `${host?.localName ?? 'page'}: ${target!.localName}`;
      }),
    await animationsOf(page),
  );
  // How much energy is left is a measure: it moves as that does, and nobody is moved along.
  expect(moving.filter((one) => one !== 'tool-dock: div')).toEqual([]);
});

test('in forced colours, the selected tool and the focus are visible', async () => {
  await page.emulateMedia({ forcedColors: 'active' });
  await openRoom(page, roomUrl);
  const outline = (name: string) =>
    page.getByTestId(`tool-${name}`).evaluate((element) => getComputedStyle(element).outlineStyle);
  expect(await outline('plant')).toBe('solid');
  expect(await outline('look')).toBe('none');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  const ring = await (await focus(page)).evaluate((at) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(at);
    return `${outlineWidth} ${outlineStyle}`;
  });
  expect(ring).toBe('3px solid');
  await page.emulateMedia({ forcedColors: 'none' });
});

test('the room’s events are announced, and its organisms are a list', async () => {
  const told = (hasText: string | RegExp) =>
    page.getByTestId('story').filter({ hasText }).waitFor({ state: 'attached' });
  await told(/^\d+ creatures? lives? here\. 2 people here\.$/);
  await ada.ask('damage', { radius: 4, points: [20, 24, 28, 24] });
  await told('Penguin (planted by Ada) was wounded.');
  await told('Penguin (planted by Ada) has healed.');

  const list = page.getByTestId('organism-list');
  await page.getByTestId('canvas').focus();
  await page.keyboard.press('Tab');
  expect(await list.isVisible()).toBe(true);
  expect(await violations(page)).toEqual([]);
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByTestId('organism-card').waitFor();
  expect(await focused(page)).toBe('organism-card');
  await expect(page.getByTestId('organism-card').locator('h2').textContent()).resolves.toBe(
    'Octopus',
  );
});

describe.each([
  ['a phone', PHONE],
  // Sheets and panels are the same there but for their places.
  ...(isFull ? [['a desktop', DESKTOP] as const] : []),
] as const)('on %s', (_, screen) => {
  let page: Page;
  beforeAll(async () => {
    // With the longest words.
    page = await open({ ...screen, locale: 'de-DE' });
    await enter(page);
  });
  afterAll(() => page.context().close());

  test('axe finds nothing wrong, whatever is open; all is readable over any organism, fits, and is as large as fingers', async () => {
    const isPhone = screen === PHONE;
    for (const state of [...PANELS, ...SHEETS]) {
      await reach(page, state);
      // The suite of drawings asks axe about the pad as well.
      if (state !== 'draw' || isFull) {
        expect([state, ...(await violations(page))]).toEqual([state]);
      }
      if (PANELS.includes(state)) {
        expect([state, ...(await faint(page))]).toEqual([state]);
        expect([state, ...(await spilled(page))]).toEqual([state]);
      }
      if (isPhone) expect([state, ...(await tiny(page))]).toEqual([state]);
    }
  });

  // In German above.
  fullTest('every text fits in every language', async () => {
    await page.keyboard.press('Escape');
    await page.getByTestId('sheet-close').waitFor({ state: 'hidden' });
    for (const code of LANGUAGE_CODES) {
      await page.getByTestId('language').selectOption(code);
      await page.waitForSelector(`html[lang=${code}]`);
      for (const state of PANELS) {
        await reach(page, state);
        expect([code, ...(await spilled(page))]).toEqual([code]);
      }
    }
  });
});

test('the page follows the browser’s language, an address or the switch, and works without a secure context and other hosts', async () => {
  const page = await open({ ...PHONE, locale: 'de-AT' });
  const elsewhere: string[] = [];
  const problems: string[] = [];
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (!/^(data|blob):$/.test(url.protocol) && url.host !== `${host}:${server.port}`) {
      elsewhere.push(request.url());
    }
  });
  page.on('pageerror', (error) => problems.push(error.message));
  const url = `http://${host}:${server.port}/r/garden`;
  await openRoom(page, url);
  expect(await page.evaluate(() => isSecureContext)).toBe(lan === undefined);
  const plant = page.getByTestId('tool-plant');
  await page.waitForSelector('html[lang=de][dir=ltr]');
  expect(await plant.textContent()).toContain('Pflanzen');
  await page.getByTestId('gallery-item').first().waitFor();
  const before = room.organisms.length;
  await showAll(page);
  await tapPlace(page, 64, 80);
  await waitForMore(page, before);

  await page.getByTestId('language').selectOption('ja');
  await page.waitForSelector('html[lang=ja]');
  expect(await plant.textContent()).toContain('植える');
  await expect(page.locator('[data-name=Penguin]').getAttribute('title')).resolves.toBe('ペンギン');

  await openRoom(page, `${url}?lang=es`);
  await page.waitForSelector('html[lang=es]');
  // Choosing wins over what the address asked for.
  await page.getByTestId('language').selectOption('da');
  await page.waitForSelector('html[lang=da]');
  await page.reload();
  await page.waitForSelector('html[lang=da]');
  expect(elsewhere).toEqual([]);
  expect(problems).toEqual([]);
});
