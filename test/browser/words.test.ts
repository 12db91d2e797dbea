/** Words and small things of the visitor's page: what a guest reads, is offered, and can see. */

import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { GARDENING } from '../../server/gardener/choose.ts';
import { drawnTwice, nextPicture, openRoom, ownedPlaces, tabTo } from '../support/page.ts';
import { PHONE } from '../support/screens.ts';
import { hostOf } from '../support/suite.ts';
import { suiteWithPages } from '../support/suite-pages.ts';

const DESKTOP = { viewport: { width: 1280, height: 800 } } as const;
const TICK_RATE = 30;

const { server, room, roomUrl, cheapPage } = await suiteWithPages({
  ...{ size: '256x144', attract: 60, 'tick-rate': TICK_RATE },
});
const host = await hostOf(server);

/** Names of what a list offers. */
const namesIn = (page: Page, testid: string): Promise<string[]> =>
  page.getByTestId(testid).evaluateAll((all) => all.map((one) => one.dataset.name ?? ''));

/** Types into the gallery's search, and reads what it finds. */
async function found(page: Page, text: string): Promise<string[]> {
  await page.getByTestId('search').fill(text);
  await drawnTwice(page);
  return namesIn(page, 'found');
}

test('a room that nobody has played in lives when its first visitor comes', async () => {
  const page = await cheapPage({ ...DESKTOP, locale: 'en-GB' });
  await openRoom(page, roomUrl);
  while ((await ownedPlaces(page)) === 0) await nextPicture(page);
  while (room.size < GARDENING.initialPlants) await nextPicture(page);
  // Planted at once, and all of it within three seconds of the room's time.
  const born = room.organisms.map((organism) => organism.born);
  expect(Math.min(...born)).toBeLessThan(TICK_RATE);
  expect(Math.max(...born)).toBeLessThan(3 * TICK_RATE);
});

test.each([
  ['finger', PHONE, 'Tap', 'Tap', 'Draw here with your finger'],
  ['mouse', DESKTOP, 'Click', 'Click', 'Draw here with the mouse'],
] as const)(
  'the page speaks of a %s where there is one, and never of the engine',
  async (_, screen, verb, map, draw) => {
    const page = await cheapPage({ ...screen, locale: 'en-GB' });
    await openRoom(page, roomUrl);
    const says = (text: string) => page.getByText(text, { exact: true }).waitFor();
    await says(`${verb} to plant`);
    await page.getByTestId('open-draw').click();
    await says(draw);
    await page.getByTestId('sheet-close').click();
    await page.getByTestId('open-map').click();
    await says(`${map} between two creatures.`);
    await page.getByTestId('sheet-close').click();
    await page.getByTestId('tool-look').click();
    await says(`${verb} a creature to meet it. Drag to move around.`);
    await page.getByTestId('status').click();
    const facts = await page.getByTestId('details').textContent();
    expect(facts).toContain('Creatures');
    const { name: engine, device } = server.world.engine.info;
    for (const word of ['Engine', 'Device', engine, device]) expect(facts).not.toContain(word);
    await page.context().close();
  },
);

test('whoever reaches the room by keyboard sees a ring around it', async () => {
  const page = await cheapPage({ ...DESKTOP, deviceScaleFactor: 1 });
  await openRoom(page, roomUrl);
  /** The window's left and lower edge, 1 pixel wide, halfway. */
  const edges = async () => {
    const { data, info } = await sharp(await page.screenshot())
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    const at = (x: number, y: number) => [
      ...data.subarray(3 * (y * info.width + x)).subarray(0, 3),
    ];
    return [at(1, info.height >> 1), at(info.width >> 1, info.height - 2)];
  };
  const before = await edges();
  await tabTo(page, 'canvas');
  for (const [i, edge] of (await edges()).entries()) {
    const change = edge.map((value, c) => value - before[i][c]);
    expect(Math.min(...change)).toBeGreaterThan(80);
  }
});

test('the gallery leaves out what does not suit everybody and most that look alike, until the host shows all', async () => {
  const page = await cheapPage({ ...DESKTOP, locale: 'en-GB' });
  await openRoom(page, roomUrl);
  await page.getByTestId('gallery-item').first().waitFor();
  const shown = await namesIn(page, 'gallery-item');
  expect(shown).not.toContain('Pile of Poo');
  expect(shown).not.toContain('Smiley Cat');
  await page.getByTestId('open-gallery').click();
  expect(await namesIn(page, 'found')).toEqual(shown);
  // A search finds also those that look like others, and still not what does not suit everybody.
  expect(await found(page, 'smiley cat')).toEqual(['Smiley Cat']);
  expect(await found(page, 'poo')).not.toContain('Pile of Poo');
  expect(await found(page, 'vomit')).toEqual([]);
  await page.getByText('Nothing here has that name.').waitFor();

  await host.call('changeSettings', { wholeGallery: true });
  while (!(await found(page, 'pile of poo')).includes('Pile of Poo')) await drawnTwice(page);
  await page.getByTestId('sheet-close').click();
  const all = await namesIn(page, 'gallery-item');
  expect(all).toEqual(room.species.gallery.map(({ name }) => name));
  await page.getByTestId('open-map').click();
  await page.getByTestId('map').waitFor();
  await host.call('changeSettings', { wholeGallery: false });
});
