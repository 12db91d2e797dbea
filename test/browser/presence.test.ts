/** A visitor on a phone: fingers that plant, zoom and cut, a line that breaks, own organisms, names, and the keepsake. */

import type { JSHandle, Page } from 'playwright-core';
import sharp from 'sharp';
import { STROKE_RADIUS } from '../../client/state/stroke-width.ts';
import type { Event } from '../../shared/protocol/events.ts';
import { createRandom } from '../../shared/random.ts';
import type { OrganismView } from '../../shared/vocabulary.ts';
import { leaveUnpainted, paintNext } from '../support/browser.ts';
import { afterSuite } from '../support/closing.ts';
import { FaultProxy, NO_FAULTS } from '../support/fault-proxy.ts';
import { isFull } from '../support/needs.ts';
import {
  cameraRests,
  download,
  drawnTwice,
  fingerTap,
  line,
  modelOf,
  openRoom,
  type PageElement,
  type Point,
  problemsOf,
  screenOf,
  showAll,
  tapPlace,
  touch,
  waitForConnection,
  waitForMore,
  waitForPhase,
  waitForWounds,
  watchToasts,
} from '../support/page.ts';
import { violations } from '../support/page-faults.ts';
import { PHONE } from '../support/screens.ts';
import { hostOf, suiteVisitor } from '../support/suite.ts';
import { suiteWithPages } from '../support/suite-pages.ts';

const { server, room, browser } = await suiteWithPages({
  ...{ size: '160x160', energy: 'newcomer=100', 'tick-rate': 60 },
});
const proxy = await FaultProxy.open({ port: server.port, random: createRandom(3) });
afterSuite(() => proxy.close());
const ada = await suiteVisitor(server, 'Ada');
/** What the phone has planted. */
let mine: OrganismView;
const url = `http://127.0.0.1:${proxy.port}/r/garden`;

const host = await hostOf(server);
/** A new phone, whose dish is painted only for a test that looks at it. */
const visitPhone = async (): Promise<Page> => {
  const context = await browser.newContext({ ...PHONE, deviceScaleFactor: 0.5 });
  return (await leaveUnpainted(context)).newPage();
};
let page = await visitPhone();
await openRoom(page, url);
await page.getByTestId('gallery-item').first().waitFor();

async function tap(x: number, y: number): Promise<void> {
  await showAll(page);
  await tapPlace(page, x, y);
}

const save = (testId: string) => download(page.locator(`a[data-testid=${testId}]`));

async function breakLine(): Promise<void> {
  proxy.set({ deaf: true });
  proxy.reset();
  await waitForConnection(page, 'reconnecting');
}

interface DrawnPixel extends Point {
  /** Light of that pixel in each picture, and the tick that the page was at. */
  readonly seen: { readonly light: number; readonly tick: number | undefined }[];
}

interface Probed {
  probe?: DrawnPixel;
}

/** Has this page, once it is loaded again, look at each of its pictures for `watchPixel`. */
const recordPictures = (): Promise<unknown> =>
  // What a picture shows is known only while it is drawn.
  page.addInitScript(() => {
    const show = WebGL2RenderingContext.prototype.blitFramebuffer;
    WebGL2RenderingContext.prototype.blitFramebuffer = function (...rest) {
      show.apply(this, rest);
      const { probe } = window as Probed;
      if (!probe || this.getParameter(this.DRAW_FRAMEBUFFER_BINDING)) return;
      this.bindFramebuffer(this.READ_FRAMEBUFFER, null);
      const pixel = new Uint8Array(4);
      // A slow page draws fewer pixels.
      const canvas = this.canvas as HTMLCanvasElement;
      const ratio = canvas.width / canvas.clientWidth;
      const [px, py] = [probe.x * ratio, canvas.height - probe.y * ratio].map(Math.round);
      this.readPixels(px, py, 1, 1, this.RGBA, this.UNSIGNED_BYTE, pixel);
      const { model } = document.querySelector('vivarium-room') as unknown as PageElement;
      probe.seen.push({ light: pixel[0] + pixel[1] + pixel[2], tick: model.tick });
    };
  });

/** From now on each picture tells what it shows at a place of the window, CSS pixels. */
const watchPixel = (at: Point): Promise<JSHandle<DrawnPixel>> =>
  page.evaluateHandle(({ x, y }) => {
    const probe: DrawnPixel = { x, y, seen: [] };
    (window as Probed).probe = probe;
    return probe;
  }, at);

/** Expects a portrait, as PNG, on which there is something to see. */
async function expectPicture(png: Buffer): Promise<void> {
  const image = sharp(png);
  expect(await image.metadata()).toMatchObject({ format: 'png', width: 1080, height: 1350 });
  const { entropy } = await image.stats();
  expect(entropy).toBeGreaterThan(3);
}

/** Expects a film, as GIF, that repeats, and shows a creature and a name from the first picture. */
async function expectFilm(gif: Buffer): Promise<void> {
  const { format, pages = 0, loop, delay = [] } = await sharp(gif, { animated: true }).metadata();
  expect([format, loop]).toEqual(['gif', 0]);
  expect(pages).toBeGreaterThan(8);
  expect(delay.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThanOrEqual(6_000);
  const lightest = async (index: number, top: number, height: number): Promise<number> => {
    const part = { left: 60, top, width: 240, height };
    const { channels } = await sharp(gif, { page: index }).extract(part).stats();
    return Math.max(...channels.slice(0, 3).map(({ max }) => max));
  };
  const parts = [0, pages - 1].flatMap((index) => [
    lightest(index, 40, 240),
    lightest(index, 310, 40),
  ]);
  for (const light of await Promise.all(parts)) expect(light).toBeGreaterThan(150);
}

afterEach(() => proxy.set(NO_FAULTS));

test('a phone asks for the stream of phones, which a crowd of them can get', async () => {
  const { seats, broadcaster } = server.roomServers.get('garden')!;
  const member = [...seats.members].at(-1)!;
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
  await tap(30, 128);
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
  expect(called()).toEqual(['Ada', 'Grace']);
});

test('while disconnected, a tap shows that nothing reaches the room; a new name is sent after reconnecting', async () => {
  await breakLine();
  expect(await violations(page)).toEqual([]);
  await give('Hopper');
  expect(await page.getByTestId('name').inputValue()).toBe('Hopper');
  await page.getByTestId('status').tap();
  await tap(30, 128);
  await page.getByTestId('toast').getByText('The room cannot be reached right now.').waitFor();
  proxy.set(NO_FAULTS);
  await waitForConnection(page, 'live');
  while (called()[1] !== 'Hopper') await page.evaluate(() => new Promise(requestAnimationFrame));
  expect(room.organisms).toEqual([]);
  // A seed is in hand already: the first tap plants it.
  await tap(30, 128);
  await waitForPhase(page, 1, 'asleep');
  const planter = expect.objectContaining({ name: 'Hopper' });
  expect(room.organisms).toMatchObject([{ x: 30, y: 128, origin: 'gallery', planter }]);
  [mine] = room.organisms;
});

test('two fingers zoom about their midpoint, and plant nothing', async () => {
  await cameraRests(page);
  const [left, right] = [await screenOf(page, 20, 128), await screenOf(page, 40, 128)];
  const middle = (left.x + right.x) / 2;
  const apart = (by: number) =>
    line({ x: middle + by, y: left.y }, { x: middle + 2 * by, y: left.y }, 10);
  await touch(page, [apart(-40), apart(40)]);
  await cameraRests(page);
  const [wideLeft, wideRight] = [await screenOf(page, 20, 128), await screenOf(page, 40, 128)];
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
  const from = await screenOf(page, 18, 126);
  const to = await screenOf(page, 42, 130);
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

test('the card shows the planter and the relatives; a tap on a relative goes there', async () => {
  const mother = await ada.plant(24, 30, { from: 'gallery', index: 105 });
  const father = await ada.plant(80, 30, { from: 'gallery', index: 20 });
  const child = await ada.plant(130, 30, await ada.cross(mother, father));
  await waitForPhase(page, child, 'asleep');
  await page.getByTestId('tool-look').tap();
  const card = page.getByTestId('organism-card');
  await tap(130, 30);
  await card.getByText('planted by Ada').waitFor();
  expect(await page.getByTestId('kin-parents').getByRole('button').count()).toBe(2);
  expect(await page.getByTestId('kin-children').count()).toBe(0);
  await page.getByTestId('kin-parents').getByRole('button').first().tap();
  await page.getByTestId('kin-children').waitFor();
  expect(await card.locator('h2').textContent()).toBe(room.viewOf(mother)!.kind);
  expect(await page.getByTestId('survived').textContent()).toBe('never wounded');
  await card.getByLabel('Close', { exact: true }).tap();
});

/** How often it had healed before the wound that the next tests are about. */
let healedBefore = 0;
test('a wound and its cost are visible under the finger before the server knows of it', async () => {
  await recordPictures();
  await paintNext(page, true);
  await openRoom(page, url);
  await page.getByTestId('tool-damage').tap();
  await showAll(page);
  // Its brightest place.
  const { rgba, owner, width } = room.grid.planes;
  let [place, most] = [0, 0];
  owner.forEach((id, i) => {
    const light = rgba[4 * i] + rgba[4 * i + 1] + rgba[4 * i + 2];
    if (id === mine.id && light > most) [place, most] = [i, light];
  });
  const at = await screenOf(page, (place % width) + 0.5, Math.floor(place / width) + 0.5);
  const pixel = await watchPixel(at);
  // A touch beside it: the picture is drawn, and what is to be cut is whole in it.
  // (below it: to its left there may be no screen.)
  const from = { x: at.x, y: at.y + 60 };
  await fingerTap(page, from);
  // It may have grazed it: the server hears of that first.
  const tapped = room.tick;
  while (room.tick < tapped + 40) await drawnTwice(page);
  await waitForPhase(page, mine.id, 'asleep');
  const whole = await page.waitForFunction(({ seen }) => seen.at(-1)?.light, pixel);
  ({ healed: healedBefore } = room.viewOf(mine.id)!);
  // Nothing refills, so that the cost stays visible on a slow machine.
  const roomServer = server.roomServers.get('garden')!;
  const { energySettings } = room;
  roomServer.setEnergy({ ...energySettings, refillPerSecond: 0.001 });
  await page.waitForFunction(
    ({ energy }) => (energy as Event<'energy'>).refillPerSecond === 0.001,
    await modelOf(page),
  );
  proxy.set({ stalled: 'both' });
  // What was on its way may still arrive, and is no later than this.
  const last = room.tick;
  await pixel.evaluate(({ seen }) => {
    seen.length = 0;
  });
  await touch(page, [line(from, { x: at.x, y: at.y - 60 }, 4)]);
  await page.waitForFunction(([{ seen }, light]) => seen.some((one) => one.light < 0.6 * light!), [
    pixel,
    await whole.jsonValue(),
  ] as const);
  const ticks = await pixel.evaluate(({ seen }) => seen.map(({ tick }) => tick));
  expect(ticks.length).toBeGreaterThan(0);
  for (const tick of ticks) expect(tick).toBeLessThanOrEqual(last);
  const shown = await page
    .locator('tool-dock')
    .evaluate((dock) => (dock as HTMLElement & { energy: { level: number } }).energy.level);
  const told = await (await modelOf(page)).evaluate(({ energy }) => energy!.level);
  expect(shown).toBeLessThan(told);
  expect(room.viewOf(mine.id)!.healed).toBe(healedBefore);
  roomServer.setEnergy(energySettings);
  proxy.set(NO_FAULTS);
});

test('the organism heals, and its card counts that', async () => {
  await page.waitForFunction(
    ([{ organisms }, id, before]) => (organisms.get(id)?.healed ?? 0) > before,
    [await modelOf(page), mine.id, healedBefore] as const,
  );
  await paintNext(page, false);
  await openRoom(page, url);
  expect(room.viewOf(mine.id)).toMatchObject({ hurt: false });
  await page.getByTestId('tool-look').tap();
  await tap(mine.x, mine.y);
  await page.getByTestId('organism-card').getByText('planted by you').waitFor();
  const { healed } = room.viewOf(mine.id)!;
  const told = healed === 1 ? 'one wound healed' : `${healed} wounds healed`;
  await page.getByTestId('survived').getByText(told).waitFor();
});

test('other visitors see a new name, also on the organisms planted before', async () => {
  await page.getByTestId('status').tap();
  await page.getByTestId('name').fill('Grace');
  await page.getByTestId('save-name').tap();
  const { id } = await (await modelOf(page)).evaluate(({ you }) => you);
  await ada.next(
    ({ name, message }) =>
      name === 'people' &&
      (message as Event<'people'>).joined.some((one) => one.id === id && one.name === 'Grace'),
  );
  await page.getByTestId('status').tap();
});

test('planters are told once who cut their organism, and after a break what happened meanwhile; sound and vibration are off until turned on', async () => {
  const told = await watchToasts(page);
  const cut = async (y: number) => {
    for (const points of [
      [mine.x - 9, y],
      [mine.x - 9, y, mine.x, y],
      [mine.x, y, mine.x + 9, y],
    ])
      expect(await ada.ask('damage', { radius: 2, points })).not.toHaveProperty('reason');
  };
  const kind = mine.kind.replaceAll('_', ' ');
  const text = `Ada cut your ${kind}.`;

  const card = page.getByTestId('organism-card');
  await card.getByLabel('Close', { exact: true }).tap();
  await cut(mine.y);
  await page.waitForFunction(([{ toasts }, start]) => toasts.some((one) => one.startsWith(start)), [
    told,
    text,
  ] as const);
  const finder = page.getByTestId('find-mine');
  expect(await finder.getAttribute('class')).toContain('unseen');
  await finder.tap();
  await page.locator('[data-testid=find-mine]:not(.unseen)').waitFor();
  await tap(mine.x, mine.y);
  expect(await card.getByTestId('affected').textContent()).toBe(text);
  expect((await told.jsonValue()).felt).toEqual([]);

  const problems = problemsOf(page);
  const fetched = page.waitForResponse((response) => /sound-[\w-]+\.js/.test(response.url()));
  await page.locator('[data-testid=senses][aria-pressed=false]').tap();
  expect((await fetched).ok()).toBe(true);
  await page.locator('[data-testid=senses][aria-pressed=true]').waitFor();
  expect(problems).toEqual([]);
  const child = await ada.plant(80, 80, { from: 'gallery', index: 20 });
  const { id } = await (await modelOf(page)).evaluate(({ you }) => you);
  await breakLine();
  await ada.until(() =>
    ada.heard.some(
      ({ name, message }) => name === 'people' && (message as Event<'people'>).left.includes(id),
    ),
  );
  await cut(mine.y - 4);
  await ada.plant(130, 80, await ada.cross(mine.id, child));
  proxy.set(NO_FAULTS);
  await page.waitForFunction(([{ toasts }, end]) => toasts.at(-1)?.endsWith(end), [
    told,
    `Ada planted a child of your ${kind}.`,
  ] as const);
  const { toasts, felt } = await told.jsonValue();
  expect(toasts.filter((toast) => toast.includes('Ada'))).toHaveLength(2);
  expect(toasts.at(-1)).toContain(text);
  expect(felt.filter((pattern) => `${pattern}` === '14,80,14')).toHaveLength(1);
  await page.getByTestId('senses').tap();
  await page.locator('[data-testid=senses][aria-pressed=false]').waitFor();
});

test('the keepsake holds a picture, a film, and a link that plants the same creature again', async () => {
  await page.getByTestId('keep').tap();
  await page.getByTestId('keepsake').getByRole('button', { name: 'Close' }).click();
  await page.locator('keepsake-sheet').waitFor({ state: 'detached' });
  // The connection has just broken: the keepsake arrives after it is restored.
  await breakLine();
  await page.getByTestId('keep').tap();
  await page.getByTestId('keepsake').waitFor();
  proxy.set(NO_FAULTS);
  await page.locator('a[data-testid=save-film]').waitFor();
  const picture = await save('save-picture');
  expect(picture.name).toMatch(/\.png$/);
  await expectPicture(picture.bytes);
  const film = await save('save-film');
  expect(film.name).toMatch(/\.gif$/);
  await expectFilm(film.bytes);

  const count = room.organisms.length;
  const copy = page.getByTestId('copy-link');
  const link = (await copy.getAttribute('data-link'))!;
  await copy.tap();
  await copy.getByText('Copied').waitFor();
  expect(await copy.evaluate((button) => button.matches(':focus'))).toBe(true);
  // A video takes as long to record as to watch.
  const videos = isFull ? [await save('save-video')] : [];
  for (const { name } of videos) expect(name).toMatch(/\.(mp4|webm)$/);
  for (const { bytes } of [film, ...videos]) {
    // A GIF keeps a comment in blocks of 255 bytes.
    expect(bytes.toString('latin1')).toContain(new URL(link).hash.slice(0, 200));
  }
  page = await visitPhone();
  await page.goto(link);
  await page.getByTestId('plant').tap();
  await waitForConnection(page, 'live');
  await page.getByText('Tap to plant it again').waitFor();
  await tap(130, 128);
  await waitForMore(page, count);
  const again = room.organisms.at(-1)!;
  expect(again).toMatchObject({ origin: 'keepsake', kind: mine.kind });
  expect(again.id).not.toBe(mine.id);
  const [before, after] = [mine, again].map(
    ({ id }) => room.previewSeed({ from: 'organism', organism: id }, 0).latent,
  );
  before.forEach((value, i) => {
    expect(Math.abs(value - after[i])).toBeLessThan(0.01);
  });
});
