/**
 * A keepsake at home: made in a room, and opened in a page of one file when the server has stopped.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { pageModels, singlePage } from '../../server/http/keep-page.ts';
import { loadCheckpoint } from '../../server/vnca/checkpoint.ts';
import { createRandom } from '../../shared/random.ts';
import { encodeSeed } from '../../shared/seed-token.ts';
import { suiteFolder } from '../support/closing.ts';
import { cellsOf, type Keep, keptCells, phaseOf } from '../support/keepsakes.ts';
import { isFull } from '../support/needs.ts';
import { CHECKPOINT_FOLDER } from '../support/organisms.ts';
import { cameraRests, clickPlace, download, openRoom } from '../support/page.ts';
import { outOfReachIn, violations } from '../support/page-faults.ts';
import { mobile, WINDOWS, ZOOMED } from '../support/screens.ts';
import { suiteVisitor } from '../support/suite.ts';
import { suiteWithPages } from '../support/suite-pages.ts';

const PLACE = [48, 48] as const;
const PAGE = 'https://museum.example/keep.html';
const VENUE = 'https://play.museum.example';
/** Windows in which least fits: the smallest phone and the same zoomed, or all with VIVARIUM_TEST_FULL. */
const NARROW = isFull
  ? [WINDOWS[0], WINDOWS[3], ...ZOOMED.filter(({ width }) => width < 250)]
  : [WINDOWS[0], ZOOMED[0]];
/** Identity of weights that came after those of the server. */
const LATER = '0badcafe';
/** Most difference of a value, 0…255, to what the server grew. */
const MOST = 2;

const { server, room, url, roomUrl, cheapPage } = await suiteWithPages({
  ...{ size: '96x96', energy: 'off', 'keep-url': PAGE },
});
const ada = await suiteVisitor(server, 'Ada');
const folder = suiteFolder();
const file = join(folder, 'keep.html');
/** What the server grew: RGBA, premultiplied. */
let wanted: Uint8Array;
let picture: Buffer;
let fragment: string;

/** Where the page grows what a fragment says. */
const at = (fragmentOf: string): string => `${pathToFileURL(file).href}${fragmentOf}`;

async function differenceOn(page: Page): Promise<number> {
  const found = await keptCells(page);
  expect(found).toHaveLength(wanted.length);
  return Math.max(...wanted.map((value, i) => Math.abs(value - found[i])));
}

/** A page with the card of the organism. */
async function openCard(): Promise<Page> {
  const page = await cheapPage({ viewport: { width: 1200, height: 800 } });
  await openRoom(page, roomUrl);
  await page.getByTestId('tool-look').click();
  await cameraRests(page);
  await clickPlace(page, ...PLACE);
  return page;
}

beforeAll(async () => {
  const model = await loadCheckpoint(CHECKPOINT_FOLDER);
  // Later weights of the same name, as a server with both would serve them.
  const later = { ...model, card: { ...model.card, identity: LATER } };
  const models = pageModels([later, model]);
  const clientFolder = join(import.meta.dirname, '../../client/dist');
  writeFileSync(file, await singlePage(clientFolder, models, VENUE));
});

test('the picture carries the link of the page that the host has chosen', async () => {
  // It looks otherwise where its numbers are rounded too much.
  const seed = { from: 'latent', latent: [...createRandom(18).latent(96)] };
  await ada.grow(...PLACE, seed);
  wanted = cellsOf(room, room.organisms[0]);

  const page = await openCard();
  await page.getByTestId('keep').click();
  await page.evaluate(() =>
    Object.assign(navigator, {
      canShare: () => !Reflect.has(window, 'shared'),
      share: async (data: ShareData) => Object.assign(window, { shared: data }),
    }),
  );
  await page.locator('a[data-testid=save-film]').waitFor();
  const saved = await download(page.locator('a[data-testid=save-picture]'));
  picture = saved.bytes;
  expect(saved.name).toBe('one-of-a-kind-garden.png');
  await page.getByTestId('share').click();
  const shared = await page.evaluate(() =>
    (Reflect.get(window, 'shared') as ShareData).files!.map(({ name }) => name),
  );
  expect(shared).toEqual(['one-of-a-kind-garden.png', 'one-of-a-kind-garden.gif']);
  const link = (await page.getByTestId('copy-link').getAttribute('data-link'))!;
  expect(link).toMatch(/^https:\/\/museum\.example\/keep\.html#[\w-]+\/garden$/);
  // A device that has shared files once shares only links here.
  await page.getByTestId('share').click();
  expect(await page.evaluate(() => Reflect.get(window, 'shared'))).toEqual({ url: link });
  const { comments } = await sharp(picture).metadata();
  expect(comments).toEqual([{ keyword: 'Comment', text: `${link}\n` }]);
  fragment = new URL(link).hash;
});

test('the server’s own page grows it', async () => {
  const page = await cheapPage({ reducedMotion: 'reduce' });
  await page.goto(`${url}/keep${fragment}`);
  expect(await differenceOn(page)).toBeLessThanOrEqual(MOST);
  const plant = await page.getByTestId('plant').getAttribute('href');
  expect(new URL(plant!, url).pathname).toBe('/r/garden');
});

test('with the server stopped, the file grows the same creature, from the link and from the picture', async () => {
  await server.close();
  const page = await cheapPage(mobile(WINDOWS[2]));
  const asked: string[] = [];
  const errors: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  page.on('pageerror', ({ message }) => errors.push(message));
  await page.goto(at(fragment));
  // It is seen while it grows; how it ends is awaited without the pauses between steps.
  await page.waitForFunction(() => {
    const keep = document.querySelector('vivarium-keep') as Keep;
    const canvas = keep.shadowRoot!.querySelector('canvas')!;
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    return keep.phase === 'growing' && data.some((value) => value > 0);
  });
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.getByTestId('again').click();
  expect(await differenceOn(page)).toBeLessThanOrEqual(MOST);
  expect(await page.locator('h1').textContent()).toBe('One of a kind');
  expect(await page.getByTestId('plant').getAttribute('href')).toBe(
    `${VENUE}/r/garden?seed=${fragment.slice(1, fragment.indexOf('/'))}`,
  );

  await page.goto(at(''));
  await phaseOf(page, 'empty');
  await page.getByTestId('file').setInputFiles(file);
  await page.getByRole('alert').waitFor();
  const buffer = picture;
  await page.getByTestId('file').setInputFiles({ name: 'a.png', mimeType: 'image/png', buffer });
  expect(await differenceOn(page)).toBeLessThanOrEqual(MOST);
  expect(errors).toEqual([]);
  expect(asked.filter((one) => !/^(file|data|blob):/.test(one))).toEqual([]);
});

test('a link that is damaged, empty or of another checkpoint leads to a kind page; in every window and language all is within reach', async () => {
  const page = await cheapPage({ ...mobile(WINDOWS[2]), reducedMotion: 'reduce' });
  const latent = new Float32Array(96).fill(0.5);
  const species = { ...room.species, identity: LATER };
  const ofLater = encodeSeed({ kind: 1, latent }, species);
  const child = encodeSeed({ kind: undefined, latent, origin: 'cross' }, species);
  const foreign = encodeSeed({ kind: 1, latent }, { ...species, identity: '7fda16b0' });
  const half = fragment.slice(0, 90);
  const { name } = room.species.gallery[1];
  const states = {
    grown: [`#${ofLater}/garden`, name],
    damaged: [half, 'This link is incomplete'],
    foreign: [`#${foreign}/garden`, 'From another Vivarium'],
    empty: ['', 'Grow a keepsake'],
  };
  const wrong: string[] = [];
  await page.goto(at(`#${child}`));
  await page.locator('h1', { hasText: 'A child of two' }).waitFor();
  for (const [phase, [hash, heading]] of Object.entries(states)) {
    await page.evaluate((to) => {
      location.hash = to;
    }, hash);
    await phaseOf(page, phase);
    expect((await page.locator('h1').textContent())!.toLowerCase()).toBe(heading.toLowerCase());
    expect(await violations(page)).toEqual([]);
    // With the longest words.
    for (const language of isFull ? ['en', 'de', 'es'] : ['de']) {
      await page.getByTestId('language').selectOption(language);
      await page.waitForSelector(`html[lang=${language}]`);
      const lost = await outOfReachIn(NARROW, page, page.locator('vivarium-keep'));
      wrong.push(...lost.map((line) => `${phase}-${language}-${line}`));
    }
    await page.getByTestId('language').selectOption('en');
  }
  expect(wrong).toEqual([]);
});
