/** A full room, in real browsers: the next visitor waits in line and is admitted automatically. */

import type { Page } from 'playwright-core';
import { modelOf, openRoom } from '../support/page.ts';
import { hostOf } from '../support/suite.ts';
import { suiteWithPages } from '../support/suite-pages.ts';

const {
  server,
  roomUrl: url,
  newPage: open,
} = await suiteWithPages({ size: '64x64', capacity: 1 });

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
  await third.getByText('1 visitor waits before you').waitFor();
  if (process.env.VIVARIUM_PICTURES) {
    await second.screenshot({ path: `${process.env.VIVARIUM_PICTURES}/next.png` });
    await third.screenshot({ path: `${process.env.VIVARIUM_PICTURES}/line.png` });
  }
  await first.close();
  await second.waitForSelector('html[data-connection="live"]', { state: 'attached' });
  expect(await line.count()).toBe(0);
  await third.getByText('The room is full. You are next').waitFor();

  const you = async () => (await modelOf(second)).evaluate((model) => model.you.id);
  const before = await you();
  await third.close();
  await openRoom(second, url);
  expect(await you()).toBe(before);
  await second.close();
});

test('when a closed room opens, a visitor without a place waits in line and no longer sees that the room is closed', async () => {
  const host = await hostOf(server);
  await host.call('closeRoom', {}, { room: 'garden' });
  const pages = [await newPage(), await newPage()];
  const closed = (page: Page) => page.getByText('This room is closed just now.');
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
