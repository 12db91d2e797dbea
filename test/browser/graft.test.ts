/**
 * A visitor finds the grafting tool, paints an ear onto their creature, reads its parts, keeps it, grows it at home, and
 * takes the ear back, on a phone; with VIVARIUM_TEST_FULL=1 on other screens, too.
 */
import { cellsOf, keptCells } from '../support/keepsakes.ts';
import { isFull } from '../support/needs.ts';
import {
  cameraRests,
  line,
  modelOf,
  openRoom,
  problemsOf,
  screenOf,
  showAll,
  tapPlace,
  touch,
  waitForOwn,
} from '../support/page.ts';
import { PHONE, sizeText, type WindowSize } from '../support/screens.ts';
import { suiteWithPages } from '../support/suite-pages.ts';

// Moving water takes a processor so long that a tap becomes a long press.
const { url, room, cheapPage, newPage } = await suiteWithPages({ size: '128x128', water: 0 });

type Screen = readonly [size: WindowSize, x: number, y: number];
const MORE: readonly Screen[] = [
  [{ width: 320, height: 568 }, 28, 28],
  [{ width: 844, height: 390 }, 28, 100],
  [{ width: 1440, height: 900 }, 100, 100],
];
const SCREENS: readonly Screen[] = [
  [{ width: 390, height: 844 }, 100, 28],
  ...(isFull ? MORE : []),
];

/** Mean squared difference of values 0…1. */
const errorOf = (one: Uint8Array, other: Uint8Array): number =>
  one.reduce((sum, value, i) => sum + ((value - other[i]) / 255) ** 2, 0) / one.length;

test.each(SCREENS.map(([size, x, y]) => [sizeText(size), size, { x, y }] as const))(
  'at %s, an ear is found, painted, read, kept, grown at home and taken back',
  async (_, size, { x, y }) => {
    const page = await newPage({ ...PHONE, viewport: size });
    const problems = problemsOf(page);
    await openRoom(page, url);
    const tool = page.getByRole('radio', { name: 'Graft' });
    await tool.waitFor();
    // All tools and the width of the brush are within reach.
    for (const id of ['plant', 'graft', 'damage', 'look']) {
      const box = (await page.getByTestId(`tool-${id}`).boundingBox())!;
      expect(Math.min(box.width, box.height)).toBeGreaterThanOrEqual(44);
      expect(box.x).toBeGreaterThanOrEqual(0);
      expect(box.x + box.width).toBeLessThanOrEqual(size.width);
      expect(box.y + box.height).toBeLessThanOrEqual(size.height);
    }
    await page.getByTestId('gallery-item').first().waitFor();
    // A creature whose middle is no hole.
    await page.getByTestId('open-gallery').tap();
    await page.getByTestId('search').fill('panda');
    await page.getByTestId('found').first().tap();
    await page.locator('gallery-grid').waitFor({ state: 'detached' });
    await showAll(page);
    await tapPlace(page, x, y);
    await waitForOwn(page, { phase: 'asleep' });
    await cameraRests(page);

    await tool.tap();
    await page
      .locator('.hint')
      .filter({ hasText: 'Paint over a creature with the seed in your hand' })
      .waitFor();
    const width = (await page.getByTestId('radius').boundingBox())!;
    expect(width.width).toBeGreaterThan(60);
    expect(width.x + width.width).toBeLessThanOrEqual(size.width);
    await page.getByTestId('open-gallery').tap();
    await page.getByTestId('search').fill('owl');
    await page.getByTestId('found').first().tap();
    await page.locator('gallery-grid').waitFor({ state: 'detached' });
    expect(await tool.getAttribute('aria-checked')).toBe('true');

    const own = () => room.organisms.find((one) => one.x === x && one.y === y)!;
    const plain = cellsOf(room, own());
    await showAll(page);
    const [from, to] = [await screenOf(page, x - 8, y - 9), await screenOf(page, x - 2, y - 11)];
    await touch(page, [line(from, to, 6)]);
    await page.waitForFunction(([{ organisms }, id]) => organisms.get(id)?.parts !== undefined, [
      await modelOf(page),
      own().id,
    ] as const);
    await page.locator('.hint').filter({ hasText: 'Paint over' }).waitFor({ state: 'hidden' });
    expect(own().parts).toHaveLength(2);
    expect(own().parts![1]).toMatchObject({ kind: expect.stringMatching(/owl/i) });

    // After a quick drag, browsers take a tap within a tenth of a second for its end.
    await waitForOwn(page, { id: own().id, phase: 'asleep' });
    await page.getByTestId('tool-look').tap();
    await tapPlace(page, x, y);
    const card = page.getByTestId('organism-card');
    const parts = page.getByTestId('parts');
    expect(await parts.textContent()).toMatch(/^.+ · .*owl.* \(you\)$/i);
    expect(await card.getByRole('heading').first().textContent()).toMatch(/ · /);

    await page.getByTestId('keep').tap();
    const sheet = page.locator('keepsake-sheet');
    const copy = sheet.locator('[data-testid=copy-link][data-link*=keep]');
    const link = (await copy.getAttribute('data-link'))!;
    const home = await cheapPage({ ...PHONE, viewport: size });
    await home.goto(link);
    const kept = await keptCells(home);
    expect(errorOf(kept, cellsOf(room, own()))).toBeLessThan(0.002);
    expect(errorOf(kept, plain)).toBeGreaterThan(0.005);
    expect(await home.locator('h1').textContent()).toMatch(/^panda.* · .*owl/i);
    await home.close();
    await sheet.getByRole('button', { name: 'Close' }).tap();
    await sheet.waitFor({ state: 'detached' });

    await page.getByTestId('ungraft').tap();
    await parts.waitFor({ state: 'detached' });
    expect(own().parts).toBeUndefined();
    expect(problems).toEqual([]);
  },
);
