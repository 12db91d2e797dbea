/** Pictures of the page of a room's family tree, and of the wall that ends a day with it. */
import { join } from 'node:path';
import { HOUSE } from '../../../shared/vocabulary.ts';
import { openWall } from '../../support/page.ts';
import { Visitor } from '../../support/visitor.ts';
import { contextOf, inWindows, type Studio, settle } from './studio.ts';

/** How many of the garden make room for children in each generation. */
const CHILDREN = 4;
const GENERATIONS = 3;

/** Crosses neighbours for some generations. Each child takes the place of one of the oldest. */
async function breed({ server }: Studio): Promise<void> {
  const room = server.world.rooms.get('garden')!;
  const people = await Promise.all(
    ['Ada', 'Bo'].map((name) => Visitor.join(server.port, 'garden', name)),
  );
  const [ada] = people;
  const rests = () => room.organisms.every(({ phase }) => /awake|asleep/.test(phase));
  for (let generation = 0; generation < GENERATIONS; generation++) {
    await ada.until(rests);
    const old = room.organisms.slice(0, CHILDREN);
    const parents = room.organisms.slice(-2 * CHILDREN);
    for (const [i, { id, x, y }] of old.entries()) {
      const by = people[i % people.length];
      const [a, b] = [parents[2 * i].id, parents[2 * i + 1].id];
      const seed = await by.cross(a, b, { mix: 0.3 + 0.1 * i });
      room.enqueue(1, { what: 'remove', by: HOUSE, organism: id });
      await ada.until(() => room.viewOf(id) === undefined);
      await by.plant(x, y, seed);
    }
  }
  await ada.until(rests);
  for (const one of people) one.leave();
}

/** The tree whole and close by, the card of a child; then the wall, which ends the day. */
export async function takeLineage(studio: Studio): Promise<void> {
  const { host, url, out } = studio;
  await breed(studio);
  const context = await contextOf(studio);
  const page = await context.newPage();
  await page.goto(`${url}/lineage#garden`);
  await page.locator('[data-testid=lineage][data-phase=shown]').waitFor();
  const whole = () => page.getByTestId('fit').click();
  await inWindows(studio, page, 'lineage-whole', whole);
  await inWindows(studio, page, 'lineage-close', async () => {
    await whole();
    for (let i = 0; i < 2; i++) await page.getByTestId('closer').click();
  });
  await whole();
  await page.locator('canvas.tree').focus();
  await page.keyboard.press('Enter');
  await page.getByTestId('lineage-card').waitFor();
  await inWindows(studio, page, 'lineage-card');
  await context.close();
  const walls = await contextOf(studio, {
    viewport: { width: 3840, height: 2160 },
    reducedMotion: 'no-preference',
  });
  const wall = await walls.newPage();
  await openWall(wall, `${url}/wall/garden`);
  await host.call('farewell', { seconds: 90 });
  await wall.locator('wall-tree[data-organisms]').waitFor();
  for (const name of ['growing', 'grown']) {
    await settle(wall, 9_000);
    const file = join(out, `lineage-wall-${name}.png`);
    await wall.screenshot({ path: file, timeout: 180_000 });
    console.log(file);
  }
  await walls.close();
}
