/** What a visitor finds without knowing anything: what this is, their own creatures, and words on icons. */
import { openRoom, showAll, tapPlace } from '../support/page.ts';
import { outOfReachIn, violations } from '../support/page-faults.ts';
import { PHONE, WINDOWS } from '../support/screens.ts';
import { hostOf, suiteVisitor } from '../support/suite.ts';
import { suiteWithPages } from '../support/suite-pages.ts';

const { server, room, roomUrl, cheapPage } = await suiteWithPages({
  size: '160x96',
  energy: 'off',
});
const ada = await suiteVisitor(server, 'Ada');
const page = await cheapPage({ ...PHONE, locale: 'en-GB' });
const OWN = [
  [30, 40],
  [75, 40],
] as const;
const OTHERS = [130, 40] as const;
const ABOUT = 'A shared garden of creatures that grow cell by cell';
const own = () => OWN.map(([x, y]) => room.organisms.find((one) => one.x === x && one.y === y));

test('a newcomer reads in one sentence what this is, until they plant', async () => {
  await ada.grow(...OTHERS, { from: 'gallery', index: 20 });
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

test('the list of my creatures says what happened to each, and leads to those that live', async () => {
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
  expect(await outOfReachIn(WINDOWS, page, dialog)).toEqual([]);
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
