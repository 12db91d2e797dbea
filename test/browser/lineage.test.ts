/** The page of a room's family tree: seen, moved, tapped, printed, and by whom. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import type { LineagePage } from '../../shared/lineage.ts';
import { HOUSE } from '../../shared/vocabulary.ts';
import { isFull } from '../support/needs.ts';
import { SMALL } from '../support/organisms.ts';
import { download, openWall, resize } from '../support/page.ts';
import { outOfReach, violations } from '../support/page-faults.ts';
import { mobile, sizeText, WINDOWS } from '../support/screens.ts';
import { hostOf, suiteVisitor } from '../support/suite.ts';
import { suiteWithPages } from '../support/suite-pages.ts';

const { server, room, url, cheapPage } = await suiteWithPages({
  ...SMALL,
  size: '96x96',
  energy: 'off',
});
const ada = await suiteVisitor(server, 'Ada');
const address = `${url}/lineage/garden`;

interface Lineage extends HTMLElement {
  readonly layout: { readonly nodes: { readonly x: number; readonly y: number }[] };
  readonly camera: {
    readonly scale: number;
    readonly x: number;
    readonly isWhole: boolean;
    toScreen(x: number, y: number): { x: number; y: number };
  };
}

const camera = (page: Page) =>
  page.locator('vivarium-lineage').evaluate((element: Lineage) => {
    const { scale, x, isWhole } = element.camera;
    return { scale, x, isWhole };
  });

async function untilWhole(page: Page, isWhole: boolean): Promise<void> {
  while ((await camera(page)).isWhole !== isWhole) await pause(20);
}

const screenOf = (page: Page, index: number) =>
  page.locator('vivarium-lineage').evaluate((element: Lineage, i) => {
    const { layout, camera: view } = element;
    return view.toScreen(layout.nodes[i].x, layout.nodes[i].y);
  }, index);

const shown = (page: Page, phase: string): Promise<void> =>
  page.locator(`[data-testid=lineage][data-phase=${phase}]`).waitFor();

const treeOf = async (): Promise<LineagePage> => (await fetch(address)).json();

/** The tree, once it is as it has to be. */
async function treeWith(holds: (tree: LineagePage) => boolean): Promise<LineagePage> {
  for (;;) {
    const tree = await treeOf();
    if (holds(tree)) return tree;
    await pause(50);
  }
}

test('an empty room says so, and one that does not exist too', async () => {
  const page = await cheapPage(mobile(WINDOWS[1]));
  await page.goto(`${url}/lineage#garden`);
  await shown(page, 'empty');
  expect(await page.getByTestId('notice').textContent()).toContain(
    'No creature has lived here yet',
  );
  await page.goto(`${url}/lineage#nowhere`);
  await shown(page, 'no-room');
});

test('a family is seen, moved, zoomed and tapped, on the smallest phone too, and printed', async () => {
  await ada.grow(24, 24);
  await ada.grow(70, 24, { from: 'gallery', index: 5 });
  await ada.plant(24, 70, await ada.cross(1, 2));
  const page = await cheapPage({ ...mobile(WINDOWS[1]) });
  await page.goto(`${url}/lineage#garden`);
  await shown(page, 'shown');
  expect(await page.getByTestId('size').textContent()).toBe('3 creatures · 2 generations');
  expect(await violations(page)).toEqual([]);
  expect(await outOfReach(page.locator('vivarium-lineage'))).toEqual([]);
  const whole = await camera(page);
  expect(whole.isWhole).toBe(true);
  await page.getByTestId('closer').tap();
  const close = await camera(page);
  expect(close.scale).toBeGreaterThan(whole.scale);
  await page.locator('canvas.tree').focus();
  await page.keyboard.press('ArrowRight');
  expect((await camera(page)).x).toBeGreaterThan(close.x);
  // A finger drags it and a wheel zooms it, also after the phone has been turned.
  await page.keyboard.press('0');
  expect((await camera(page)).isWhole).toBe(true);
  for (const [width, height] of [
    [568, 320],
    [320, 568],
  ]) {
    await resize(page, { width, height });
    await page.mouse.move(width / 2, height / 2);
    await page.mouse.wheel(0, -200);
    await untilWhole(page, false);
    const { x } = await camera(page);
    await page.mouse.down();
    await page.mouse.move(width / 2 - 40, height / 2, { steps: 4 });
    await page.mouse.up();
    expect((await camera(page)).x).toBeGreaterThan(x);
    await page.locator('canvas.tree').focus();
    await page.keyboard.press('0');
    await untilWhole(page, true);
  }
  const child = await screenOf(page, 2);
  await page.touchscreen.tap(child.x, child.y);
  const card = page.getByTestId('lineage-card');
  await card.waitFor();
  expect(await card.getByRole('heading', { level: 2 }).textContent()).toBe('A child of two');
  expect(await card.textContent()).toContain('planted by Ada');
  expect(await card.getByTestId('kin').count()).toBe(2);
  await card.getByTestId('plant').waitFor();
  const links = card.locator('a');
  expect(await links.nth(0).getAttribute('href')).toMatch(/^\/r\/garden\?seed=[\w-]{30,}$/);
  expect(await links.nth(1).getAttribute('href')).toMatch(/^\/keep#[\w-]{30,}\/garden$/);
  expect(await violations(page)).toEqual([]);
  expect(await outOfReach(card)).toEqual([]);
  await card.getByTestId('kin').first().tap();
  await card.getByText('Parent of').waitFor();
  await page.keyboard.press('Escape');
  await card.waitFor({ state: 'detached' });
  await page.evaluate(() => {
    const { toBlob } = HTMLCanvasElement.prototype;
    HTMLCanvasElement.prototype.toBlob = (done) => {
      HTMLCanvasElement.prototype.toBlob = toBlob;
      done(null);
    };
  });
  await page.getByTestId('print').tap();
  await page.getByText('The picture could not be made.').waitFor();
  expect(await outOfReach(page.locator('vivarium-lineage'))).toEqual([]);
  const { bytes: file } = await download(page.getByTestId('print'));
  expect([file.readUInt32BE(16), file.readUInt32BE(20)]).toEqual([4_860, 3_437]);
  await page.getByTestId('language').selectOption('ar');
  await page.locator('html[dir=rtl]').waitFor();
  await page.getByText('شجرة العائلة').waitFor();
  // Time runs with the text.
  await page.waitForFunction(() => {
    const { layout, camera: view } = document.querySelector('vivarium-lineage') as Lineage;
    const [first, , last] = layout.nodes.map(({ x, y }) => view.toScreen(x, y).x);
    return first > last;
  });
  await page.goto(`${url}/lineage#nowhere`);
  await shown(page, 'no-room');
  const left = await page
    .locator('vivarium-lineage')
    .evaluate((element: Lineage) => element.layout);
  expect(left).toBeUndefined();
});

test('on every phone and tablet all of the tree is seen, and no button covers it', async () => {
  const page = await cheapPage({ ...mobile(WINDOWS[2]) });
  await page.goto(`${url}/lineage#garden`);
  await shown(page, 'shown');
  const wrong: string[] = [];
  for (const size of isFull ? WINDOWS : [WINDOWS[0], WINDOWS[4]]) {
    await resize(page, size);
    const hidden = await page.locator('vivarium-lineage').evaluate((element: Lineage) => {
      const { layout, camera: view } = element;
      return layout.nodes
        .map(({ x, y }) => view.toScreen(x, y))
        .filter(({ x, y }) => !element.shadowRoot!.elementFromPoint(x, y)?.matches('canvas.tree'));
    });
    const { scale, isWhole } = await camera(page);
    if (hidden.length > 0 || !isWhole || scale < 20) {
      wrong.push(`${sizeText(size)}: ${JSON.stringify({ hidden, scale, isWhole })}`);
    }
    const lost = await outOfReach(page.locator('vivarium-lineage'));
    wrong.push(...lost.map((line) => `${sizeText(size)}: ${line}`));
  }
  expect(wrong).toEqual([]);
});

test('the tree is told under the rules of the room: no hidden names, no pictures of what the host removed, and nothing while it is closed', async () => {
  const picture = (id: number) => fetch(`${address}/${id}.png`);
  expect((await picture(3)).headers.get('content-type')).toBe('image/png');
  const { policy } = server.roomServers.get('garden')!;
  expect((await treeOf()).organisms.map(({ planter }) => planter.name)).toContain('Ada');
  policy.muted.add(ada.welcome!.you.id);
  // A tree is made once in two seconds.
  await treeWith(({ organisms }) => organisms.every(({ planter }) => planter.name === ''));
  policy.muted.clear();
  room.enqueue(1, { what: 'remove', by: HOUSE, organism: 3 });
  await ada.until(() => ada.life.some(({ what }) => what === 'died'));
  const { organisms } = await treeWith(({ organisms: [, , last] }) => last.cause === 'removed');
  expect(organisms[2]).toMatchObject({ id: 3, parents: [1, 2] });
  expect((await picture(3)).status).toBe(404);
  expect((await fetch(`${address}/3/seed`)).status).toBe(404);
  expect((await fetch(`${address}/x.png`)).status).toBe(404);
  policy.isClosed = true;
  expect(await (await fetch(address)).json()).toEqual({ reason: 'room-closed' });
  policy.isClosed = false;
});

test('at the end of the day the wall shows its family tree, and then the room', async () => {
  const wall = await cheapPage({ viewport: { width: 960, height: 540 } });
  // A server that does not answer at once is asked again.
  await wall.route('**/lineage/garden', (route) => route.abort(), { times: 1 });
  // Its room fills it, and the words stand over the room.
  await openWall(wall, `${url}/wall/garden?frame=fill`);
  await (await hostOf(server)).call('farewell', { seconds: 6 });
  const tree = wall.locator('wall-tree[data-organisms="3"]');
  await tree.waitFor();
  expect(await wall.locator('wall-tree h2').textContent()).toBe('Today’s family tree');
  const words = (await wall.locator('wall-overlay').boundingBox())!;
  const title = (await wall.locator('wall-tree h2').boundingBox())!;
  expect(title.x).toBeGreaterThanOrEqual(words.x + words.width);
  await tree.waitFor({ state: 'detached' });
  expect(room.size).toBe(0);
});
