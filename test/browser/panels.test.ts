/**
 * Panels above the room on a phone: a tap beside one only closes it, Back closes it before it leaves
 * the room, the gardener waits for whoever is in one, and crossing hides nobody; what a newcomer reads,
 * and the list of their own creatures.
 */
import type { Page } from 'playwright-core';
import { isFull } from '../support/needs.ts';
import {
  cameraRests,
  fingerTap,
  modelOf,
  openRoom,
  resize,
  screenOf,
  showAll,
  tapPlace,
  waitForPhase,
} from '../support/page.ts';
import { outOfReachIn, violations } from '../support/page-faults.ts';
import { PHONE, WINDOWS } from '../support/screens.ts';
import { UNLIMITED } from '../support/server.ts';
import { hostOf, suiteVisitor } from '../support/suite.ts';
import { suiteWithPages } from '../support/suite-pages.ts';
import { plantGarden } from '../support/visitor.ts';

const { server, room, roomUrl, cheapPage } = await suiteWithPages({
  ...{ size: '192x108', energy: 'off', limits: UNLIMITED },
});
/** Near the corners, where panels are. */
const SPOTS = [
  [18, 18],
  [174, 18],
  [18, 90],
  [174, 90],
] as const;
/** Bare ground that a card above the dock does not hide. */
const BARE = [
  [96, 12],
  [96, 98],
  [130, 16],
] as const;
/** Bare ground that the details of the room do not hide. */
const BESIDE = [18, 54] as const;
/** Far above the sheets. */
const ABOVE = { x: 190, y: 8 };

const ada = await suiteVisitor(server, 'Ada');
await plantGarden([ada], ['Turtle', 'Penguin', 'Octopus', 'Cactus'], (i) => SPOTS[i]);
const page = await cheapPage(PHONE);
await page.goto('about:blank');
await openRoom(page, roomUrl);

const card = page.getByTestId('organism-card');
const crossing = page.locator('cross-panel');

async function tap(place: readonly [number, number]): Promise<void> {
  await cameraRests(page);
  await tapPlace(page, ...place);
}

async function openCard(): Promise<void> {
  await page.getByTestId('tool-look').tap();
  await showAll(page);
  await tap(SPOTS[0]);
  await card.waitFor();
}

interface Panel {
  readonly open: () => Promise<unknown>;
  readonly shown: string;
}

const sheet = (name: string, shown: string): Panel => ({
  open: async () => {
    await page.getByTestId('tool-plant').tap();
    await page.getByTestId(`open-${name}`).tap();
  },
  shown,
});

const SHEETS: Readonly<Record<string, Panel>> = {
  gallery: sheet('gallery', 'gallery-grid'),
  pad: sheet('draw', 'draw-pad'),
  map: sheet('map', 'latent-map'),
  keys: { open: () => page.keyboard.press('?'), shown: '[data-testid=key-help]' },
};

/** How many entries the page has added to the history, up to the current one. */
const entries = () => page.evaluate(() => (history.state as { panels?: number })?.panels ?? 0);

const entriesAre = (count: number) =>
  page.waitForFunction(
    (wanted) => ((history.state as { panels?: number } | null)?.panels ?? 0) === wanted,
    count,
  );

const gone = (selector: string) => page.locator(selector).waitFor({ state: 'detached' });

test('a tap beside a panel closes it, and plants and cuts nothing', async () => {
  for (const { open, shown } of Object.values(SHEETS)) {
    await open();
    await page.locator(shown).waitFor();
    await fingerTap(page, ABOVE);
    await gone(shown);
  }
  // A stroke that leaves the sheet is no tap beside it.
  await SHEETS.pad.open();
  const { x, y } = (await page.getByTestId('pad').boundingBox())!;
  await page.mouse.move(x + 50, y + 50);
  await page.mouse.down();
  await page.mouse.move(ABOVE.x, ABOVE.y, { steps: 4 });
  await page.mouse.up();
  await page.getByTestId('undo').tap();
  await page.keyboard.press('Escape');
  await gone('draw-pad');
  // A card that keys have opened while a seed is in hand.
  await page.getByTestId('tool-plant').tap();
  await page.keyboard.press('n');
  await card.waitFor();
  await page.keyboard.press('0');
  await tap(BARE[0]);
  await card.waitFor({ state: 'detached' });
  await page.getByTestId('status').tap();
  await page.getByTestId('details').waitFor();
  await tap(BESIDE);
  await page.getByTestId('details').waitFor({ state: 'detached' });
  await page.getByTestId('tool-damage').tap();
  await page.getByTestId('status').tap();
  await tap(SPOTS[2]);
  await page.getByTestId('details').waitFor({ state: 'detached' });
  // The same tap without a panel plants: it comes after all that the others could have done.
  await page.getByTestId('tool-plant').tap();
  await tap(BARE[2]);
  await waitForPhase(page, 5, 'asleep');
  expect(room.organisms.map(({ x, y }) => [x, y])).toEqual([...SPOTS, BARE[2]]);
  expect(room.organisms.map(({ wounds }) => wounds)).toEqual([0, 0, 0, 0, 0]);
});

test('a tap on bare ground goes back from crossing to the card, and from the card to the room', async () => {
  await openCard();
  await page.getByTestId('cross-with').tap();
  await tap(BARE[0]);
  await crossing.waitFor({ state: 'detached' });
  await card.waitFor();
  await tap(BARE[1]);
  await card.waitFor({ state: 'detached' });
  expect(room.size).toBe(5);
});

test('Back closes what is open, the top first; other ways to close it leave nothing in the history', async () => {
  const length = await page.evaluate(() => history.length);
  for (const { open, shown } of Object.values(SHEETS)) {
    await open();
    await page.locator(shown).waitFor();
    expect(await entries()).toBe(1);
    await page.goBack();
    await gone(shown);
    expect(await entries()).toBe(0);
    await open();
    await page.locator(shown).waitFor();
    await page.keyboard.press('Escape');
    await gone(shown);
    await entriesAre(0);
  }
  await openCard();
  await page.getByTestId('keep').tap();
  await page.getByTestId('keepsake').waitFor();
  expect(await entries()).toBe(2);
  await page.goBack();
  await page.getByTestId('keepsake').waitFor({ state: 'detached' });
  await page.getByTestId('cross-with').tap();
  await page.goBack();
  await crossing.waitFor({ state: 'detached' });
  await page.getByTestId('cross-with').tap();
  await crossing.waitFor();
  // Both at once.
  await page.getByTestId('cancel-cross').tap();
  await card.waitFor({ state: 'detached' });
  await entriesAre(0);
  // The one that may lie ahead was there before.
  expect(await page.evaluate(() => history.length)).toBeLessThanOrEqual(length + 1);
});

test('crossing on a phone leaves everybody in sight, says what to do, and gives the view back', async () => {
  const view = async () => [await screenOf(page, 0, 0), await screenOf(page, 192, 108)];
  const others = [
    [320, 568],
    [844, 390],
  ];
  for (const [width, height] of [...(isFull ? others : []), [390, 844]]) {
    await resize(page, { width, height });
    await openCard();
    // Where nobody sees them all.
    await page.keyboard.press('+');
    await page.keyboard.press('+');
    await cameraRests(page);
    const before = await view();
    await page.getByTestId('cross-with').tap();
    await page.getByText('Now tap a second creature.').waitFor();
    await cameraRests(page);
    expect(await hidden(page)).toEqual([]);
    await tap(SPOTS[3]);
    await page.getByText('Tap another creature to change the pair.').waitFor();
    await cameraRests(page);
    expect(await hidden(page)).toEqual([]);
    await page.getByTestId('cancel-cross').tap();
    await card.waitFor({ state: 'detached' });
    await cameraRests(page);
    expect(await view()).toEqual(before);
    await page.keyboard.press('0');
    await cameraRests(page);
  }
});

/** The organisms that a finger cannot reach: something lies over them. */
async function hidden(of: Page): Promise<number[]> {
  const organisms = await (await modelOf(of)).evaluate(({ organisms: all }) =>
    [...all.values()].map(({ id, x, y }) => ({ id, x, y })),
  );
  const covered: number[] = [];
  for (const { id, x, y } of organisms) {
    // Also its edges.
    for (const by of [-8, 8]) {
      const at = await screenOf(of, x + by, y + by);
      const over = await of.evaluate(({ x: left, y: top }) => {
        let element = document.elementFromPoint(left, top);
        while (element?.shadowRoot) {
          const inner = element.shadowRoot.elementFromPoint(left, top);
          if (!inner || inner === element) break;
          element = inner;
        }
        return element?.localName;
      }, at);
      if (over !== 'canvas') covered.push(id);
    }
  }
  return covered;
}

const OWN = [
  [60, 54],
  [130, 62],
] as const;
const ABOUT = 'A shared garden of creatures that grow cell by cell';
const own = () => OWN.map(([x, y]) => room.organisms.find((one) => one.x === x && one.y === y));

describe('a newcomer', () => {
  let page: Page;
  beforeAll(async () => {
    page = await cheapPage({ ...PHONE, locale: 'en-GB' });
  });

  test('reads in one sentence what this is, until they plant', async () => {
    await openRoom(page, roomUrl);
    const about = page.locator('header .about');
    expect(await about.textContent()).toBe(ABOUT);
    expect(await page.getByTestId('list-mine').count()).toBe(0);
    await page.getByTestId('gallery-item').first().waitFor();
    for (const [i, [x, y]] of OWN.entries()) {
      await showAll(page);
      await tapPlace(page, x, y);
      await ada.until(() => own().filter((one) => one?.phase === 'asleep').length > i);
    }
    await about.waitFor({ state: 'detached' });
    await page.getByTestId('status').tap();
    await page.getByTestId('details').getByText(ABOUT).waitFor();
    await page.keyboard.press('Escape');
  });

  test('finds a list of their creatures that says what happened to each, and leads to those that live', async () => {
    const [first, second] = own().map((one) => one!);
    await ada.ask('damage', { radius: 2, points: [first.x - 9, first.y, first.x + 9, first.y] });
    const host = await hostOf(server);
    await host.call('removeOrganism', { organism: second.id });
    const list = page.getByTestId('list-mine');
    await list.filter({ hasText: '1' }).waitFor();
    await list.tap();
    const dialog = page.getByTestId('my-creatures');
    const rows = dialog.getByRole('listitem');
    await rows.filter({ hasText: /one wound healed.*Ada cut your/s }).waitFor();
    expect(await rows.count()).toBe(2);
    expect(await rows.nth(1).textContent()).toContain('It is gone.');
    expect(await rows.nth(1).textContent()).not.toContain('Ada');
    expect(await outOfReachIn(isFull ? WINDOWS : WINDOWS.slice(0, 4), page, dialog)).toEqual([]);
    expect(await violations(page)).toEqual([]);
    await page.setViewportSize(PHONE.viewport);
    await rows.nth(0).getByRole('button').tap();
    await dialog.waitFor({ state: 'detached' });
    await page.getByTestId('organism-card').getByText('planted by you').waitFor();
    // The names that the host hides are hidden here, too.
    await host.call('changeSettings', { names: false });
    await page.getByTestId('organism-card').getByLabel('Close', { exact: true }).tap();
    await page.getByTestId('status').tap();
    await page.getByTestId('all-mine').tap();
    await dialog.waitFor();
    await rows.filter({ hasText: 'Ada' }).waitFor({ state: 'detached' });
    await page.keyboard.press('Escape');
    await host.call('changeSettings', { names: true });
  });
});

test('the gardener waits while a visitor looks at the map, and comes when it is closed', async () => {
  const gardener = server.gardeners.of('garden')!;
  const ticks = (count: number) => {
    const { tick } = room;
    return ada.until(() => room.tick > tick + count);
  };
  await SHEETS.map.open();
  await page.locator('latent-map').waitFor();
  await ticks(2);
  gardener.configure({ after: 100 });
  // Longer than its patience without visitors.
  await ticks(60);
  expect(gardener.isActive).toBe(false);
  await page.keyboard.press('Escape');
  await ada.until(() => gardener.isActive);
  await SHEETS.pad.open();
  await page.locator('draw-pad').waitFor();
  await ada.until(() => !gardener.isActive);
  await ticks(60);
  expect(gardener.isActive).toBe(false);
  gardener.configure({ after: 'off' });
});

test('a page that is reloaded with a sheet open shows the room, and Back leaves it', async () => {
  await page.locator('draw-pad').waitFor();
  await page.reload();
  await page.waitForSelector('html[data-connection="live"]', { state: 'attached' });
  await entriesAre(0);
  expect(await page.locator('dialog[open]').count()).toBe(0);
  await page.goBack();
  expect(page.url()).toBe('about:blank');
});
