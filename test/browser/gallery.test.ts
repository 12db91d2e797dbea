/** What a guest finds and reads in a room; what a host makes of its gallery, and what pages that are open then show. */
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { GARDENING } from '../../server/gardener/choose.ts';
import { goTo, signIn } from '../support/host-client.ts';
import { isFull } from '../support/needs.ts';
import { drawnTwice, nextPicture, openRoom, ownedPlaces, tabTo } from '../support/page.ts';
import { violations } from '../support/page-faults.ts';
import { DESKTOP, PHONE } from '../support/screens.ts';
import { hostOf } from '../support/suite.ts';
import { suiteWithPages } from '../support/suite-pages.ts';

const TICK_RATE = 30;

const { server, room, roomUrl, cheapPage } = await suiteWithPages({
  ...{ size: '256x144', attract: 60, 'tick-rate': TICK_RATE },
});
const host = await hostOf(server);
/** Visitors, and the host. */
const [desk, phone, page] = [
  await cheapPage({ ...DESKTOP, locale: 'en-GB', deviceScaleFactor: 1 }),
  await cheapPage({ ...PHONE, locale: 'en-GB' }),
  await cheapPage({ ...DESKTOP, locale: 'en-GB' }),
];
await signIn(page, server.port, server.hostToken!);
await goTo(page, 'gallery');
const names = room.species.gallery.map(({ name }) => name);
const numbers = (...some: string[]) => some.map((name) => names.indexOf(name));
const [CORAL, OCTOPUS, PENGUIN, RAT] = numbers('Coral', 'Octopus', 'Penguin', 'Rat');
/** A seed of the host's page, where the list may be laid out anew under the mouse. */
const seed = (index: number) => page.getByTestId(`seed-${index}`);
const pick = (list: string) => page.getByRole('radio', { name: list }).check();
const curation = async () => (await host.call('state')).rooms[0].settings.curation;
const offered = (visitor: Page, testid = 'gallery-item'): Promise<string[]> =>
  visitor.getByTestId(testid).evaluateAll((all) => all.map((one) => one.dataset.name ?? ''));
/** Waits until something that a page shows is so. */
async function shows(visitor: Page, isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await drawnTwice(visitor);
}

/** Types into the gallery's search, and reads what it finds. */
async function found(text: string): Promise<string[]> {
  await desk.getByTestId('search').fill(text);
  await drawnTwice(desk);
  return offered(desk, 'found');
}

afterEach(() => host.call('changeSettings', { curation: { hidden: [], first: [], gardener: [] } }));

test('a room that nobody has played in lives when its first visitor comes', async () => {
  await openRoom(desk, roomUrl);
  while ((await ownedPlaces(desk)) === 0) await nextPicture(desk);
  while (room.size < GARDENING.initialPlants) await nextPicture(desk);
  // Planted at once, and all of it within three seconds of the room's time.
  const born = room.organisms.map((organism) => organism.born);
  expect(Math.min(...born)).toBeLessThan(TICK_RATE);
  expect(Math.max(...born)).toBeLessThan(3 * TICK_RATE);
  server.gardeners.of('garden')!.configure({ after: 'off' });
  await openRoom(phone, roomUrl);
});

test('whoever reaches the room by keyboard sees a ring around it', async () => {
  /** The window's left and lower edge, 1 pixel wide, halfway. */
  const edges = async () => {
    const { data, info } = await sharp(await desk.screenshot())
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    const at = (x: number, y: number) => [
      ...data.subarray(3 * (y * info.width + x)).subarray(0, 3),
    ];
    return [at(1, info.height >> 1), at(info.width >> 1, info.height - 2)];
  };
  const before = await edges();
  await tabTo(desk, 'canvas');
  for (const [i, edge] of (await edges()).entries()) {
    const change = edge.map((value, c) => value - before[i][c]);
    expect(Math.min(...change)).toBeGreaterThan(80);
  }
});

test.each([
  ['finger', phone, 'Tap', 'Draw here with your finger'],
  ['mouse', desk, 'Click', 'Draw here with the mouse'],
] as const)(
  'the page speaks of a %s where there is one, and never of the engine',
  async (_, page, verb, draw) => {
    const says = (text: string) => page.getByText(text, { exact: true }).waitFor();
    await says(`${verb} to plant`);
    await page.getByTestId('open-draw').click();
    await says(draw);
    await page.getByTestId('sheet-close').click();
    await page.getByTestId('open-map').click();
    await says(`${verb} between two creatures.`);
    await page.getByTestId('sheet-close').click();
    await page.getByTestId('tool-look').click();
    await says(`${verb} a creature to meet it. Drag to move around.`);
    await page.getByTestId('status').click();
    const facts = await page.getByTestId('details').textContent();
    expect(facts).toContain('Creatures');
    const { name: engine, device } = server.world.engine.info;
    for (const word of ['Engine', 'Device', engine, device]) expect(facts).not.toContain(word);
    await page.getByTestId('status').click();
    await page.getByTestId('tool-plant').click();
  },
);

test('the gallery leaves out what does not suit everybody and most that look alike, until the host shows all', async () => {
  await desk.getByTestId('gallery-item').first().waitFor();
  const shown = await offered(desk);
  expect(shown).not.toContain('Pile of Poo');
  expect(shown).not.toContain('Smiley Cat');
  await desk.getByTestId('open-gallery').click();
  expect(await offered(desk, 'found')).toEqual(shown);
  // A search finds also those that look like others, and still not what does not suit everybody.
  expect(await found('smiley cat')).toEqual(['Smiley Cat']);
  expect(await found('poo')).not.toContain('Pile of Poo');
  expect(await found('vomit')).toEqual([]);
  await desk.getByText('Nothing here has that name.').waitFor();

  await host.call('changeSettings', { wholeGallery: true });
  while (!(await found('pile of poo')).includes('Pile of Poo')) await drawnTwice(desk);
  await desk.getByTestId('sheet-close').click();
  const all = await offered(desk);
  expect(all).toEqual(room.species.gallery.map(({ name }) => name));
  await desk.getByTestId('open-map').click();
  await desk.getByTestId('map').waitFor();
  await desk.keyboard.press('Escape');
  await host.call('changeSettings', { wholeGallery: false });
});

test('what the host hides by a tap leaves open pages: row, search, held seed and graft brush; another tap brings it back', async () => {
  const visitor = desk;
  await visitor.locator('[data-testid=gallery-item][data-name=Octopus]').dispatchEvent('click');
  await visitor.getByTestId('tool-graft').click();
  const held = () => visitor.getByTestId('held').getAttribute('aria-label');
  expect(await held()).toBe('Octopus');
  await seed(OCTOPUS).dispatchEvent('click');
  await shows(visitor, async () => !(await offered(visitor)).includes('Octopus'));
  expect(await held()).not.toBe('Octopus');
  expect(await visitor.getByTestId('tool-graft').getAttribute('aria-checked')).toBe('true');
  await page.getByRole('button', { name: 'Octopus, hidden' }).waitFor();
  await visitor.getByTestId('open-gallery').click();
  await visitor.getByTestId('search').fill('octop');
  await visitor.getByText('Nothing here has that name.').waitFor();
  await seed(OCTOPUS).dispatchEvent('click');
  await shows(visitor, async () => (await offered(visitor, 'found')).includes('Octopus'));
  expect(await curation()).toMatchObject({ hidden: [] });
});

test('the row begins with what the host offers first, in the order of the taps, and so does the seed of a new visitor', async () => {
  const [plain] = await offered(phone);
  await pick('offer first');
  // By keyboard, too: from there to the next one.
  await seed(CORAL).focus();
  await page.keyboard.press('Enter');
  await seed(PENGUIN).dispatchEvent('click');
  await seed(RAT).dispatchEvent('click');
  await page.getByRole('button', { name: 'Rat, offered as number 3' }).waitFor();
  await page.getByRole('button', { name: 'Penguin: move to the front' }).click();
  const wanted = ['Penguin', 'Coral', 'Rat', plain];
  await shows(phone, async () => `${(await offered(phone)).slice(0, 4)}` === `${wanted}`);
  const late = await cheapPage({ ...PHONE, locale: 'en-GB' });
  await openRoom(late, roomUrl);
  const held = late.getByTestId('held');
  await shows(late, async () => wanted.includes((await held.getAttribute('aria-label')) ?? ''));
  await pick('gardener');
  await seed(CORAL).focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Space');
  await page
    .getByRole('button', { name: 'Coral, offered as number 2, used by the gardener' })
    .waitFor();
  expect(await curation()).toEqual({ hidden: [], first: [PENGUIN, CORAL, RAT], gardener: [CORAL] });
});

test('all faces are hidden at once, which can be undone, and names are those of creatures', async () => {
  await pick('hide');
  await page.getByTestId('kind').selectOption('face');
  await page.getByTestId('choose-all').click();
  await page.getByText('136 seeds chosen.').waitFor();
  await page.getByTestId('search').fill('yum');
  await page.getByRole('button', { name: 'Face Licking Its Lips, hidden' }).waitFor();
  expect((await curation()).hidden).toHaveLength(136);
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByText('0 seeds chosen.').waitFor();
  expect(await page.getByTestId('choose-none').isDisabled()).toBe(true);
  await page.getByTestId('search').fill('');
  await page.getByTestId('kind').selectOption('');
});

test('the gallery is found from the settings, and axe finds nothing in it', async () => {
  await host.call('changeSettings', {
    curation: { hidden: [OCTOPUS], first: [CORAL, OCTOPUS], gardener: [CORAL] },
  });
  for (const { viewport } of isFull ? [PHONE, DESKTOP] : [PHONE]) {
    await page.setViewportSize(viewport);
    await goTo(page, 'knobs');
    await page.getByRole('link', { name: 'Choose seeds in the gallery' }).click();
    await seed(CORAL).waitFor();
    await pick('offer first');
    await page.getByTestId('queued').first().waitFor();
    expect(await violations(page)).toEqual([]);
  }
});
