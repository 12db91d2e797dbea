/** What walls and phones show when the host changes opening hours, captions and languages. */

import { openRoom, type PageElement, waitForConnection } from '../support/page.ts';
import { hostOf, suiteVisitor } from '../support/suite.ts';
import { suiteWithPages } from '../support/suite-pages.ts';
import { plantGarden } from '../support/visitor.ts';

const CLOSED = {
  on: true,
  days: Array(7).fill(null),
  outside: 'close',
  farewell: false,
  restart: null,
};
const { server, url, newPage: open } = await suiteWithPages({ size: '96x64' });
const host = await hostOf(server);
const newPage = () => open({ viewport: { width: 360, height: 320 } });

test('outside opening hours the wall is dim and phones show that it is closed, until it opens again', async () => {
  const [wall, phone] = [await newPage(), await newPage()];
  await openRoom(wall, `${url}/wall/garden`);
  await openRoom(phone, `${url}/r/garden`);
  const opacity = (): Promise<number> =>
    wall.evaluate(() => {
      const canvas = document.querySelector('vivarium-wall')!.shadowRoot!.querySelector('canvas')!;
      return Number(getComputedStyle(canvas).opacity);
    });
  expect(await opacity()).toBe(1);

  await host.call('setSchedule', CLOSED);
  // A short notice, and an overlay that stays.
  await phone.getByText('This room is closed just now.').first().waitFor();
  // It opens by itself.
  expect(await phone.getByRole('alert').getByRole('button').count()).toBe(0);
  await wall.waitForSelector('vivarium-wall[dim]');
  while ((await opacity()) > 0.1) await wall.evaluate(() => new Promise(requestAnimationFrame));
  expect(await wall.evaluate(() => document.documentElement.dataset.connection)).toBe('live');

  await host.call('setSchedule', { ...CLOSED, on: false });
  await waitForConnection(phone, 'live');
  await phone.getByText('This room is closed just now.').waitFor({ state: 'detached' });
  await wall.waitForSelector('vivarium-wall:not([dim])');
  while ((await opacity()) < 1) await wall.evaluate(() => new Promise(requestAnimationFrame));
});

test('a visitor with the name of a room that is not there finds the way to the main room', async () => {
  const phone = await newPage();
  await phone.goto(`${url}/r/nowhere`);
  await phone.getByText('There is no room with that name.').waitFor();
  await phone.getByRole('button', { name: 'Go to the main room' }).click();
  await waitForConnection(phone, 'live');
  expect(new URL(phone.url()).pathname).toBe('/r/garden');
  await phone.context().close();
});

test('captions on the wall are in the languages that the host selects', async () => {
  // Of an empty room there is nothing to say yet.
  await plantGarden([await suiteVisitor(server, 'Ada')], ['Penguin'], () => [48, 32]);
  const wall = await newPage();
  await wall.goto(`${url}/wall/garden`);
  const overlay = wall.locator('wall-overlay');
  await overlay.waitFor();
  const says = (): Promise<string> =>
    overlay.evaluate((words) =>
      words.shadowRoot!.querySelector('[data-testid=caption]')!.textContent!.trim(),
    );
  while ((await says()) === '') await wall.evaluate(() => new Promise(requestAnimationFrame));
  await host.call('changeSettings', { captions: false }, { room: 'garden' });
  while ((await says()) !== '') await wall.evaluate(() => new Promise(requestAnimationFrame));
  await host.call('changeSettings', { captions: true }, { room: 'garden' });
  while ((await says()) === '') await wall.evaluate(() => new Promise(requestAnimationFrame));
  await host.call('changeSettings', { languages: ['da'] }, { room: 'garden' });
  await wall.waitForFunction(() => {
    const words = document
      .querySelector('vivarium-wall')!
      .shadowRoot!.querySelector('wall-overlay');
    return /[æøå]/.test(words?.shadowRoot?.textContent ?? '');
  });
  // Texts from right to left are on the right, and the dish on the left of them.
  await host.call('changeSettings', { languages: ['ar'] }, { room: 'garden' });
  await wall.waitForFunction(() => {
    const page = document.querySelector('vivarium-wall') as unknown as PageElement;
    const words = page.shadowRoot!.querySelector('wall-overlay')!;
    const { left, right } = words.getBoundingClientRect();
    const isArabic = /\p{Script=Arabic}/u.test(words.shadowRoot!.textContent);
    const dish = page.worldToScreen(page.model.planes!.width, 0).x;
    return isArabic && left > innerWidth / 2 && right <= innerWidth && dish <= left;
  });
});
