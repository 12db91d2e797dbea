/** A full room, in real browsers: the next visitor waits in line and is admitted automatically. */

import type { Page } from 'playwright-core';
import { SEATS } from '../../server/realtime/sessions/seats.ts';
import { ShiftedClock } from '../support/fake-clock.ts';
import { modelOf, openRoom, waitForConnection } from '../support/page.ts';
import { hostOf } from '../support/suite.ts';
import { suiteWithPages } from '../support/suite-pages.ts';

const clock = new ShiftedClock();

async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.VIVARIUM_PICTURES;
  if (!folder) return;
  for (const [width, height] of [
    [320, 568],
    [390, 844],
    [844, 390],
    [820, 1180],
    [1440, 900],
  ]) {
    await page.setViewportSize({ width, height });
    await page.screenshot({ path: `${folder}/${name}-${width}.png` });
  }
}

const {
  server,
  roomUrl: url,
  newPage: open,
} = await suiteWithPages({ size: '64x64', capacity: 1 }, { clock });

const newPage = () => open({ viewport: { width: 390, height: 844 } });

test('a visitor waits for a full room, is admitted when there is a place, and keeps their identity after a reload', async () => {
  const first = await newPage();
  await openRoom(first, url);
  const second = await newPage();
  await second.goto(url);
  const line = second.getByTestId('line');
  await line.waitFor();
  expect(await line.textContent()).toMatch(/Next\s*The room is full\. You are next\./);
  const third = await newPage();
  await third.goto(url);
  await third.getByText('1 visitor is ahead of you').waitFor();
  if (process.env.VIVARIUM_PICTURES) {
    await second.screenshot({ path: `${process.env.VIVARIUM_PICTURES}/next.png` });
    await third.screenshot({ path: `${process.env.VIVARIUM_PICTURES}/line.png` });
  }
  await first.close();
  await waitForConnection(second, 'live');
  expect(await line.count()).toBe(0);
  await third.getByText('The room is full. You are next').waitFor();

  const you = async () => (await modelOf(second)).evaluate((model) => model.you.id);
  const before = await you();
  await third.close();
  await openRoom(second, url);
  expect(await you()).toBe(before);
  await second.close();
});

test('a visitor who does nothing while others wait gives up their place, reads why, and comes back into the line', async () => {
  const first = await newPage();
  await openRoom(first, url);
  const second = await newPage();
  await second.goto(url);
  await second.getByTestId('line').waitFor();
  clock.ahead = SEATS.idleYields;
  await waitForConnection(second, 'live');
  await first.getByText('Your place went to someone who was waiting.').waitFor();
  expect(await first.getByText('reconnecting').count()).toBe(0);
  await picture(first, 'gave-way');
  await first.getByRole('button', { name: 'Reload' }).click();
  await first.getByTestId('line').waitFor();
  await second.close();
  await waitForConnection(first, 'live');
  await first.close();
});

test('a visitor who was sent away reads why, without a button that cannot help, also after a reload', async () => {
  const page = await newPage();
  await openRoom(page, url);
  const host = await hostOf(server);
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
  await picture(page, 'sent-away');
  await host.call('liftBan', {}, { ban: ban.id });
  await openRoom(page, url);
  await page.close();
});

test('a message that covers the page closes what is open, and the keys work when it has gone', async () => {
  const page = await newPage();
  await openRoom(page, url);
  const host = await hostOf(server);
  await page.keyboard.press('?');
  await page.getByTestId('key-help').waitFor();
  await host.call('closeRoom', {}, { room: 'garden' });
  await page.locator('.closed').waitFor();
  expect(await page.locator('dialog[open]').count()).toBe(0);
  await host.call('openRoom', {}, { room: 'garden' });
  await waitForConnection(page, 'live');
  await page.locator('.closed').waitFor({ state: 'detached' });
  await page.keyboard.press('?');
  await page.getByTestId('key-help').waitFor();
  await page.close();
});

test('when a closed room opens, a visitor without a place waits in line and no longer sees that the room is closed', async () => {
  const host = await hostOf(server);
  await host.call('closeRoom', {}, { room: 'garden' });
  const pages = [await newPage(), await newPage()];
  const closed = (page: Page) => page.getByText('This room is closed right now.');
  for (const page of pages) {
    await page.goto(url);
    await closed(page).waitFor();
  }
  await host.call('openRoom', {}, { room: 'garden' });
  const live = (page: Page) =>
    page.waitForSelector('html[data-connection="live"]', { state: 'attached' });
  const first = await Promise.any(pages.map((page) => live(page).then(() => page)));
  const next = pages.find((page) => page !== first)!;
  await next.getByTestId('line').waitFor();
  expect(await closed(next).count()).toBe(0);
  await first.close();
  await live(next);
});
