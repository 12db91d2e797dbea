/** Walls with an address of their own, in a real browser: the host gives one, opens it, and sees when the wall is lost. */
import type { Page } from 'playwright-core';
import { DEFAULTS } from '../../shared/defaults.ts';
import { LANGUAGE_CODES } from '../../shared/languages.ts';
import { goTo, signIn } from '../support/host-client.ts';
import { waitForConnection } from '../support/page.ts';
import { violations } from '../support/page-faults.ts';
import { DESKTOP, PHONE } from '../support/screens.ts';
import { suiteWithPages } from '../support/suite-pages.ts';
import { Visitor } from '../support/visitor.ts';

const TIMEOUT = 600_000;

const { server, url, newPage } = await suiteWithPages({ size: '96x96' });

const card = (page: Page, name: string) => page.getByRole('article', { name });
const isWithin = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);

test(
  'the host gives a wall an address, opens it though others hold all places, and sees it up, which letters it lacks, lost, and removed',
  async () => {
    const others = await Promise.all(
      Array.from({ length: DEFAULTS.room.maxWalls }, () =>
        Visitor.join(server.port, 'garden', undefined, { as: 'wall' }),
      ),
    );
    const page = await newPage(DESKTOP);
    await signIn(page, server.port, server.hostToken!);
    await goTo(page, 'walls');
    await page.getByTestId('wall-name').fill('Foyer');
    await page.getByTestId('add-wall').click();
    const foyer = card(page, 'Foyer');
    await foyer.getByText('not opened yet').waitFor();
    const address = await foyer.getByTestId('wall-address').textContent();
    expect(address).toMatch(/\/wall\/garden\?pass=[a-z2-9]{12}$/);
    expect(await card(page, 'A wall without an address of its own').count()).toBe(others.length);

    const { pathname, search } = new URL(address!);
    const wall = await newPage({ viewport: { width: 480, height: 270 } });
    await wall.goto(`${url}${pathname}${search}`);
    await waitForConnection(wall, 'live');
    await foyer.getByText('up', { exact: true }).waitFor();
    await foyer.getByText(/frames? per second/).waitFor();
    // The browser's own font has Latin letters only.
    expect(await foyer.getByTestId('unwritable').textContent()).toContain(
      'no letters for Japanese and Arabic.',
    );
    await page.getByText('everything is fine').waitFor();
    for (const other of others) other.leave();
    // A page that is loaded again shows its pass again.
    await wall.reload();
    await waitForConnection(wall, 'live');
    await foyer.getByText('up', { exact: true }).waitFor();

    await wall.close();
    await foyer.getByText('lost', { exact: true }).waitFor();
    await foyer.getByText(/lost: today, \d\d:\d\d/).waitFor();
    await page.getByText('a wall is lost').filter({ visible: true }).waitFor();
    expect(await violations(page)).toEqual([]);

    await foyer.getByTestId('remove-wall').click();
    await page.getByTestId('confirm').click();
    await page.getByText('No wall is up.').waitFor();
    await page.getByText('everything is fine').waitFor();
    await page.close();
  },
  TIMEOUT,
);

test(
  'the section fits a phone, in each language',
  async () => {
    for (const locale of LANGUAGE_CODES) {
      const page = await newPage({ ...PHONE, locale });
      await signIn(page, server.port, server.hostToken!);
      await goTo(page, 'walls');
      await page.getByTestId('wall-name').fill(`Foyer ${locale}`);
      await page.getByTestId('add-wall').click();
      await card(page, `Foyer ${locale}`).waitFor();
      expect(await isWithin(page)).toBe(true);
      await page.context().close();
    }
  },
  TIMEOUT,
);
