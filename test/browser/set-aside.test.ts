/** The host's page when a room was damaged: it says so in every section, and puts back. */
import { openTable } from '../../server/storage/lmdb/table.ts';
import { violations } from '../support/axe.ts';
import { goTo, signIn } from '../support/host-page.ts';
import { startServer } from '../support/server.ts';
import { suiteFolder } from '../support/suite.ts';
import { suiteWithPages } from '../support/suite-pages.ts';
import { Visitor } from '../support/visitor.ts';

const data = suiteFolder();
const settings = { size: '96x96', energy: 'off', data, 'on-damage': 'set-aside' };

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

const { server, newPage } = await suiteWithPages(settings);
const page = await newPage({ viewport: { width: 1440, height: 900 } });
await signIn(page, server.port, token);

test('a damaged room is named in every section until the host has decided', async () => {
  const entries = page.getByTestId('aside');
  for (const section of ['watch', 'knobs', 'saved']) {
    await goTo(page, section);
    await entries.filter({ hasText: '“garden” was damaged' }).waitFor();
  }
  expect(await page.locator('.health').first().textContent()).toContain('data were damaged');
  expect(await violations(page)).toEqual([]);
  // It is still damaged, so the room keeps what it has.
  await page.getByTestId('put-back').click();
  await page.getByTestId('notice').filter({ hasText: 'That did not work' }).waitFor();
  expect(server.world.rooms.get('garden')!.size).toBe(1);
  await entries.filter({ hasText: 'You put data' }).waitFor({ state: 'detached' });
  await page.getByTestId('dismiss').click();
  await entries.waitFor({ state: 'detached' });
  expect(await page.locator('.health').first().textContent()).toContain('everything is fine');
});
