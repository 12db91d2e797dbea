/** The host's page when a room was damaged: it says so in every section, and puts back. */
import { openTable } from '../../server/storage/lmdb/table.ts';
import { suiteFolder } from '../support/closing.ts';
import { goTo, HostClient, signIn } from '../support/host-client.ts';
import { SMALL } from '../support/organisms.ts';
import { violations } from '../support/page-faults.ts';
import { PHONE } from '../support/screens.ts';
import { startServer } from '../support/server.ts';
import { suiteWithPages } from '../support/suite-pages.ts';
import { Visitor } from '../support/visitor.ts';

const data = suiteFolder();
const settings = { ...SMALL, size: '96x96', energy: 'off', data, 'on-damage': 'set-aside' };

const before = await startServer(settings);
const token = before.hostToken!;
const ada = await Visitor.join(before.port);
await ada.ask('plant', { x: 48, y: 48, seed: { from: 'gallery', index: 0 } });
ada.leave();
await before.close();
const table = openTable(data);
const bytes = table.get('tail/garden')!;
bytes[bytes.length - 1] ^= 1;
table.write({ put: [{ key: 'tail/garden', bytes }] });
await table.close();

const { server, cheapPage } = await suiteWithPages(settings);
const page = await cheapPage({ viewport: { width: 1440, height: 900 } });
await signIn(page, server.port, token);

const entries = page.getByTestId('aside');

test('a damaged room is named in every section', async () => {
  for (const section of ['watch', 'knobs', 'saved']) {
    await goTo(page, section);
    await entries.filter({ hasText: '“garden” was damaged' }).waitFor();
  }
  expect(await page.locator('.health').first().textContent()).toContain('data were damaged');
  expect(await violations(page)).toEqual([]);
});

test('on a narrow screen, and in another room, the page says so too', async () => {
  const host = await HostClient.login(server.port, token);
  const annex = { name: 'annex', width: 64, height: 64, checkpoint: 'small' };
  await host.call('createRoom', annex);
  await goTo(page, 'watch', 'annex');
  await page.getByRole('heading', { name: 'Watch “annex”' }).waitFor({ state: 'attached' });
  await entries.filter({ hasText: '“garden” was damaged' }).waitFor();
  const { viewport } = PHONE;
  await page.setViewportSize(viewport);
  await page.locator('main .trouble', { hasText: 'data were damaged' }).waitFor();
  expect(await page.locator('.health').first().isVisible()).toBe(false);
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.locator('main .trouble').waitFor({ state: 'hidden' });
  await goTo(page, 'watch');
  await host.call('closeRoom', {}, { room: 'annex' });
  await host.call('removeRoom', { confirm: 'annex' }, { room: 'annex' });
});

test('putting back and keeping ask first, and name the room', async () => {
  const [question, confirm] = [page.getByRole('dialog'), page.getByTestId('confirm')];
  const [putBack, dismiss] = [page.getByTestId('put-back'), page.getByTestId('dismiss')];
  const calls: string[] = [];
  page.on('request', (request) => {
    if (request.url().includes('/aside/')) calls.push(request.method());
  });
  for (const [button, title] of [
    [putBack, 'Put back the set-aside data of “garden”?'],
    [dismiss, 'Keep “garden” as it is?'],
  ] as const) {
    await button.click();
    await question.getByRole('heading', { name: title }).waitFor();
    expect(await violations(page)).toEqual([]);
    await question.getByRole('button', { name: 'Cancel' }).click();
    await question.waitFor({ state: 'hidden' });
  }
  expect(calls).toEqual([]);

  // The server's answer waits, and both buttons with it.
  let answer = (): void => {};
  const answered = new Promise<void>((resolve) => (answer = resolve));
  await page.route('**/put-back', (route) => answered.then(() => route.continue()));
  await putBack.click();
  await confirm.click();
  await page.locator('[data-testid=put-back]:disabled').waitFor();
  expect(await dismiss.isDisabled()).toBe(true);
  answer();
  // The data are still damaged, so the room keeps what it has.
  await page.getByTestId('notice').filter({ hasText: 'That did not work' }).waitFor();
  expect(server.world.rooms.get('garden')!.size).toBe(1);
  await entries.filter({ hasText: 'Set-aside data' }).waitFor({ state: 'detached' });
  await dismiss.click();
  await confirm.click();
  await entries.waitFor({ state: 'detached' });
  expect(calls).toEqual(['POST', 'DELETE']);
  expect(await page.locator('.health').first().textContent()).toContain('everything is fine');
});
