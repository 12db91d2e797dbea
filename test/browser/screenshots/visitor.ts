/** Pictures of the visitor's page. */
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { leaveUnpainted } from '../../support/browser.ts';
import { cameraRests, clickPlace, openRoom, waitForPhase } from '../../support/page.ts';
import { closeAll, sheetStates } from '../../support/sheet-states.ts';
import { Visitor } from '../../support/visitor.ts';
import {
  contextOf,
  inWindows,
  SHEETS,
  SPOTS,
  type Studio,
  settle,
  shoot,
  sideBySide,
} from './studio.ts';

/** Every sheet and panel of the visitor's page. The dish is left dark: others show it. */
export async function takeVisitor(studio: Studio): Promise<void> {
  const context = await contextOf(studio).then(leaveUnpainted);
  const page = await context.newPage();
  await openRoom(page, `${studio.url}/r/garden`);
  await page.locator('[data-testid=gallery-item]').first().click();
  await page.locator('.view .fit').dispatchEvent('click');
  await cameraRests(page);
  await clickPlace(page, ...SPOTS.own);
  const own = studio.server.world.rooms.get('garden')!.size;
  await waitForPhase(page, own, 'asleep');
  for (const [name, { open }] of Object.entries(sheetStates(SPOTS))) {
    await page.locator('.view .fit').dispatchEvent('click');
    await cameraRests(page);
    await open(page).catch((error: Error) => console.error(`${name}: ${error.message}`));
    await inWindows(studio, page, `visitor-${name}`);
  }
  await closeAll(page);
  await context.close();
}

/** What a visitor meets without opening anything, loaded again in each window. */
export async function takeArrival(studio: Studio): Promise<void> {
  const { host, url, server, out } = studio;
  const garden = server.roomServers.get('garden')!;
  const pages: Readonly<Record<string, (page: Page) => Promise<void>>> = {
    opened: async (page) => {
      await openRoom(page, `${url}/r/garden`);
      await page.getByTestId('gallery-item').first().waitFor();
    },
    told: async (page) => {
      await openRoom(page, `${url}/r/garden`);
      await host.call('spotlight', { x: 118, y: 70 });
      await page.getByTestId('toast').first().waitFor();
      await cameraRests(page);
    },
    watching: (page) => openRoom(page, `${url}/r/garden?view=only`),
    unwatched: async (page) => {
      await host.call('changeSettings', { spectators: false });
      await page.goto(`${url}/r/garden?view=only`);
      await page.getByRole('alert').waitFor();
      await host.call('changeSettings', { spectators: true });
    },
    paused: async (page) => {
      await host.call('changeSettings', { paused: true });
      await openRoom(page, `${url}/r/garden`);
      // What a tap then says.
      await page.locator('canvas').first().tap();
      await page.getByTestId('toast').first().waitFor();
    },
    waiting: async (page) => {
      await host.call('changeSettings', { capacity: 1 });
      const first = await Visitor.join(server.port, 'garden', 'Ada');
      await page.goto(`${url}/r/garden`);
      await page.getByTestId('line').waitFor();
      page.once('close', () => first.leave());
    },
    unknown: async (page) => {
      await page.goto(`${url}/r/nowhere`);
      await page.getByRole('alert').waitFor();
    },
    closed: async (page) => {
      server.rooms.setHours({ dim: true, closed: true });
      await page.goto(`${url}/r/garden`);
      await page.getByRole('alert').waitFor();
      server.rooms.setHours({ dim: false, closed: false });
    },
    banned: async (page) => {
      await openRoom(page, `${url}/r/garden`);
      const { id } = garden.host.visitors.at(-1)!;
      const { id: ban } = await host.call('ban', { participant: id, address: false, minutes: 1 });
      await page.getByRole('alert').waitFor();
      await host.call('liftBan', {}, { ban });
    },
    farewell: async (page) => {
      await openRoom(page, `${url}/r/garden`);
      await host.call('farewell', { seconds: 600 });
      await settle(page, 1_500);
    },
  };
  for (const [name, arrive] of Object.entries(pages)) {
    for (const [sheet, sizes] of Object.entries(SHEETS)) {
      const pictures: Buffer[] = [];
      for (const viewport of sizes) {
        const isMobile = viewport.width < 820 || viewport.height < 500;
        const context = await contextOf(studio, { viewport, isMobile });
        const page = await context.newPage();
        await arrive(page).catch((error: Error) => console.error(`${name}: ${error.message}`));
        await settle(page);
        pictures.push(await shoot(page));
        await context.close();
        await host.call('changeSettings', { capacity: 200, paused: false });
        await host.call('stopFarewell').catch(() => {});
      }
      await sideBySide(pictures, join(out, `arrival-${name}-${sheet}.webp`));
    }
  }
}
