/** What a host makes of the gallery on the host's page, and what visitors then see on pages that are open. */
import type { Page } from 'playwright-core';
import { goTo, signIn } from '../support/host-client.ts';
import { isFull } from '../support/needs.ts';
import { CHECKPOINT_FOLDER } from '../support/organisms.ts';
import { drawnTwice, openRoom } from '../support/page.ts';
import { violations } from '../support/page-faults.ts';
import { DESKTOP, PHONE } from '../support/screens.ts';
import { hostOf } from '../support/suite.ts';
import { suiteWithPages } from '../support/suite-pages.ts';

const { server, room, roomUrl, cheapPage } = await suiteWithPages({
  ...{ size: '96x96', checkpoint: CHECKPOINT_FOLDER, attract: 'off' },
});
const host = await hostOf(server);
const page = await cheapPage({ ...DESKTOP, locale: 'en-GB' });
await signIn(page, server.port, server.hostToken!);
await goTo(page, 'gallery');
const names = room.species.gallery.map(({ name }) => name);
const numbers = (...some: string[]) => some.map((name) => names.indexOf(name));
const [CORAL, OCTOPUS, PENGUIN, RAT] = numbers('Coral', 'Octopus', 'Penguin', 'Rat');
const seed = (index: number) => page.getByTestId(`seed-${index}`);
const pick = (list: string) => page.getByRole('radio', { name: list }).check();
const curation = async () => (await host.call('state')).rooms[0].settings.curation;
const offered = (visitor: Page, testid = 'gallery-item'): Promise<string[]> =>
  visitor.getByTestId(testid).evaluateAll((all) => all.map((one) => one.dataset.name ?? ''));
/** Waits until something that a page shows is so. */
async function shows(visitor: Page, isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await drawnTwice(visitor);
}

afterEach(() => host.call('changeSettings', { curation: { hidden: [], first: [], gardener: [] } }));

test('what the host hides by a tap leaves open pages: row, search, held seed and graft brush; another tap brings it back', async () => {
  const visitor = await cheapPage({ ...DESKTOP, locale: 'en-GB' });
  await openRoom(visitor, roomUrl);
  await visitor.locator('[data-testid=gallery-item][data-name=Octopus]').click();
  await visitor.getByTestId('tool-graft').click();
  const held = () => visitor.getByTestId('held').getAttribute('aria-label');
  expect(await held()).toBe('Octopus');
  await seed(OCTOPUS).click();
  await shows(visitor, async () => !(await offered(visitor)).includes('Octopus'));
  expect(await held()).not.toBe('Octopus');
  expect(await visitor.getByTestId('tool-graft').getAttribute('aria-checked')).toBe('true');
  await page.getByRole('button', { name: 'Octopus, hidden' }).waitFor();
  await visitor.getByTestId('open-gallery').click();
  await visitor.getByTestId('search').fill('octop');
  await visitor.getByText('Nothing here has that name.').waitFor();
  await seed(OCTOPUS).click();
  await shows(visitor, async () => (await offered(visitor, 'found')).includes('Octopus'));
  expect(await curation()).toMatchObject({ hidden: [] });
});

test('the row begins with what the host offers first, in the order of the taps, and so does the seed of a new visitor', async () => {
  const visitor = await cheapPage({ ...PHONE, locale: 'en-GB' });
  await openRoom(visitor, roomUrl);
  await visitor.getByTestId('gallery-item').first().waitFor({ state: 'attached' });
  const [plain] = await offered(visitor);
  await pick('offer first');
  // By keyboard, too: from there to the next one.
  await seed(CORAL).focus();
  await page.keyboard.press('Enter');
  await seed(PENGUIN).click();
  await seed(RAT).click();
  await page.getByRole('button', { name: 'Rat, offered as number 3' }).waitFor();
  await page.getByRole('button', { name: 'Penguin: move to the front' }).click();
  const wanted = ['Penguin', 'Coral', 'Rat', plain];
  await shows(visitor, async () => `${(await offered(visitor)).slice(0, 4)}` === `${wanted}`);
  const late = await cheapPage({ ...PHONE, locale: 'en-GB' });
  await openRoom(late, roomUrl);
  const held = late.getByTestId('held');
  await shows(late, async () => wanted.includes((await held.getAttribute('aria-label')) ?? ''));
  await pick('gardener');
  await seed(CORAL).focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Space');
  await page
    .getByRole('button', { name: 'Coral, offered as number 2, used by the gardener' })
    .waitFor();
  expect(await curation()).toEqual({ hidden: [], first: [PENGUIN, CORAL, RAT], gardener: [CORAL] });
});

test('all faces are hidden at once, which can be undone, and names are those of creatures', async () => {
  await pick('hide');
  await page.getByTestId('kind').selectOption('face');
  await page.getByTestId('choose-all').click();
  await page.getByText('136 seeds chosen.').waitFor();
  await page.getByTestId('search').fill('yum');
  await page.getByRole('button', { name: 'Face Licking Its Lips, hidden' }).waitFor();
  expect((await curation()).hidden).toHaveLength(136);
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByText('0 seeds chosen.').waitFor();
  expect(await page.getByTestId('choose-none').isDisabled()).toBe(true);
  await page.getByTestId('search').fill('');
  await page.getByTestId('kind').selectOption('');
});

test('the gallery is found from the settings, and axe finds nothing in it', async () => {
  await host.call('changeSettings', {
    curation: { hidden: [OCTOPUS], first: [CORAL, OCTOPUS], gardener: [CORAL] },
  });
  for (const screen of isFull ? [PHONE, DESKTOP] : [PHONE]) {
    const other = await cheapPage({ ...screen, locale: 'en-GB' });
    await signIn(other, server.port, server.hostToken!);
    await goTo(other, 'knobs');
    await other.getByRole('link', { name: 'Choose seeds in the gallery' }).click();
    await other.getByTestId(`seed-${CORAL}`).waitFor();
    await other.getByRole('radio', { name: 'offer first' }).check();
    await other.getByTestId('queued').first().waitFor();
    expect(await violations(other)).toEqual([]);
  }
});
