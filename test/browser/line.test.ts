/** A full room, in real browsers: the next visitor waits in line and is admitted automatically. */

import type { Page } from 'playwright-core';
import { SEATS } from '../../server/realtime/sessions/seats.ts';
import { afterTest } from '../support/closing.ts';
import { ShiftedClock } from '../support/fake-clock.ts';
import { SMALL } from '../support/organisms.ts';
import { modelOf, openRoom, waitForConnection } from '../support/page.ts';
import { violations } from '../support/page-faults.ts';
import { PHONE } from '../support/screens.ts';
import { hostOf } from '../support/suite.ts';
import { suiteWithPages } from '../support/suite-pages.ts';

const clock = new ShiftedClock();

const {
  server,
  roomUrl: url,
  cheapPage,
} = await suiteWithPages({ ...SMALL, size: '64x64', capacity: 1 }, { clock });
const host = await hostOf(server);
/** All visitors are tabs of one browser, which loads what pages are made of once. */
const tabs = (await cheapPage(PHONE)).context();
const arrive = async (): Promise<Page> => {
  const page = await tabs.newPage();
  afterTest(() => page.close());
  await page.goto(url);
  return page;
};
const enter = async (): Promise<Page> => {
  const page = await arrive();
  await waitForConnection(page, 'live');
  return page;
};

test('a visitor waits for a full room, is admitted when there is a place, and keeps their identity after a reload', async () => {
  const first = await enter();
  const second = await arrive();
  const line = second.getByTestId('line');
  await line.waitFor();
  expect(await line.textContent()).toMatch(/Next\s*The room is full\. You are next\./);
  expect(await violations(second)).toEqual([]);
  const third = await arrive();
  await third.getByText('1 visitor is ahead of you').waitFor();
  await first.close();
  await waitForConnection(second, 'live');
  expect(await line.count()).toBe(0);
  await third.getByText('The room is full. You are next').waitFor();

  const you = async () => (await modelOf(second)).evaluate((model) => model.you.id);
  const before = await you();
  await third.close();
  await openRoom(second, url);
  expect(await you()).toBe(before);
});

test('a visitor who does nothing while others wait gives up their place, reads why, and comes back into the line', async () => {
  const first = await enter();
  const second = await arrive();
  await second.getByTestId('line').waitFor();
  clock.ahead = SEATS.idleYields;
  await waitForConnection(second, 'live');
  await first.getByText('Your place went to someone who was waiting.').waitFor();
  expect(await first.getByText('reconnecting').count()).toBe(0);
  await first.getByRole('button', { name: 'Reload' }).click();
  await first.getByTestId('line').waitFor();
  await second.close();
  await waitForConnection(first, 'live');
});

test('a visitor who was sent away reads why, without a button that cannot help, also after a reload', async () => {
  const page = await enter();
  const { visitors } = await host.call('room');
  const { id: participant } = visitors[0];
  await page.getByTestId('open-gallery').click();
  await page.locator('gallery-grid').waitFor();
  const ban = await host.call('ban', { participant, address: false, minutes: 10 });
  const text = page.getByText('The host has ended your visit.');
  for (let visit = 0; visit < 3; visit++) {
    await text.waitFor();
    expect(await page.locator('dialog[open]').count()).toBe(0);
    expect(await page.getByRole('button', { name: /Reload|Come back/ }).count()).toBe(0);
    expect(await page.getByText('reconnecting').count()).toBe(0);
    // Another tab of the browser has no place, but the same mark.
    if (visit === 1) await page.evaluate(() => sessionStorage.clear());
    if (visit < 2) await page.reload();
  }
  await host.call('liftBan', {}, { ban: ban.id });
  await openRoom(page, url);
});

test('a message that covers the page closes what is open, and the keys work when it has gone', async () => {
  const page = await enter();
  await page.keyboard.press('?');
  await page.getByTestId('key-help').waitFor();
  await host.call('closeRoom', {});
  await page.locator('.closed').waitFor();
  expect(await page.locator('dialog[open]').count()).toBe(0);
  await host.call('openRoom', {});
  await waitForConnection(page, 'live');
  await page.locator('.closed').waitFor({ state: 'detached' });
  await page.keyboard.press('?');
  await page.getByTestId('key-help').waitFor();
});

test('when a closed room opens, a visitor without a place waits in line and no longer sees that the room is closed', async () => {
  await host.call('closeRoom', {});
  const pages = [await arrive(), await arrive()];
  const closed = (page: Page) => page.getByText('This room is closed right now.');
  for (const page of pages) await closed(page).waitFor();
  await host.call('openRoom', {});
  const first = await Promise.any(
    pages.map((page) => waitForConnection(page, 'live').then(() => page)),
  );
  const next = pages.find((page) => page !== first)!;
  await next.getByTestId('line').waitFor();
  expect(await closed(next).count()).toBe(0);
  await first.close();
  await waitForConnection(next, 'live');
});
