/**
 * The host's page: signing in and out, its languages and notices, changing from one room to another, and walls with an address
 * of their own.
 */
import type { Request, Route } from 'playwright-core';
import { sectionsOf } from '../../client/host/navigation.ts';
import { MAX_WALLS } from '../../server/realtime/sessions/walls.ts';
import { USED_HEADER } from '../../shared/host/api.ts';
import { goTo, liveShows, signIn } from '../support/host-client.ts';
import { isFull } from '../support/needs.ts';
import { drawnTwice, waitForConnection } from '../support/page.ts';
import { spilled, violations } from '../support/page-faults.ts';
import { DESKTOP, PHONE } from '../support/screens.ts';
import { hostOf, suiteVisitor } from '../support/suite.ts';
import { suiteWithPages } from '../support/suite-pages.ts';
import { Visitor } from '../support/visitor.ts';

const { server, url, cheapPage } = await suiteWithPages({ size: '96x96' });
await suiteVisitor(server, 'Ada');
const host = await hostOf(server);
const page = await cheapPage(DESKTOP);

const notice = (text: string | RegExp) => page.getByTestId('notice').filter({ hasText: text });

test('a wrong token is refused with a reason; the right one signs in, also after a reload', async () => {
  await page.goto(`${url}/host`);
  await page.getByTestId('token').fill('open sesame');
  await page.getByTestId('token').press('Enter');
  await page.getByText('That is not the host token.').waitFor();
  await signIn(page, server.port, server.hostToken!);
  await page.reload();
  await page.getByTestId('to-rooms').waitFor();
  expect(await page.getByTestId('token').count()).toBe(0);
});

describe('with a second room', () => {
  const annex = { room: 'annex' };
  const makeAnnex = () =>
    host.call('createRoom', { name: 'annex', width: 64, height: 64, checkpoint: 'organisms' });
  beforeAll(makeAnnex);

  const heading = (name: string) => page.getByRole('heading', { name }).waitFor();

  test('undo applies to the room where the action was done', async () => {
    const undo = page.getByTestId('notice').getByRole('button', { name: 'Undo' }).last();
    await host.call('changeSettings', { cooldown: 7 }, { room: 'garden' });
    await host.call('changeSettings', { cooldown: 9 }, annex);
    await goTo(page, 'knobs');
    await page.getByRole('button', { name: 'Reset all' }).click();
    await notice('All settings are reset.').waitFor();
    expect(server.rooms.settingsOf('garden').cooldown).toBe(0);
    await goTo(page, 'knobs', 'annex');
    await heading('Settings of “annex”');
    await Promise.all([page.waitForResponse('**/rooms/garden/settings'), undo.click()]);
    expect(server.rooms.settingsOf('garden').cooldown).toBe(7);
    expect(server.rooms.settingsOf('annex').cooldown).toBe(9);
    await host.call('changeSettings', { cooldown: 0 }, { room: 'garden' });

    await goTo(page, 'watch');
    const row = page.locator('visitor-list li', { hasText: 'Ada' });
    await row.getByRole('button', { name: 'Mute Ada' }).click();
    await notice('Ada is muted.').waitFor();
    await goTo(page, 'watch', 'annex');
    await page.getByText('Nobody is here right now.').waitFor();
    await Promise.all([page.waitForResponse('**/rooms/garden/mute'), undo.click()]);
    await notice('Ada can play again.').waitFor();
  });

  test('an open question closes when another room is shown', async () => {
    const question = page.getByText('Start “annex” over?');
    const ask = async () => {
      await heading('Settings of “annex”');
      await page.getByTestId('reseed').click();
      await question.waitFor();
    };
    await goTo(page, 'knobs');
    await heading('Settings of “garden”');
    await goTo(page, 'knobs', 'annex');
    await ask();
    await page.goBack();
    await heading('Settings of “garden”');
    await question.waitFor({ state: 'hidden' });

    const cy = await Visitor.join(server.port, 'annex', 'Cy');
    await goTo(page, 'watch');
    await goTo(page, 'watch', 'annex');
    await page.getByRole('button', { name: 'Ban Cy' }).click();
    await page.getByTestId('confirm').waitFor();
    await page.goBack();
    await page.getByTestId('confirm').waitFor({ state: 'hidden' });
    cy.leave();

    // Another host removes the room while the question is open.
    await goTo(page, 'knobs', 'annex');
    await ask();
    await host.call('closeRoom', {}, annex);
    await host.call('removeRoom', { confirm: 'annex' }, annex);
    await heading('Settings of “garden”');
    await question.waitFor({ state: 'hidden' });
    // The address has followed, so that a new room of that name can be chosen.
    expect(new URL(page.url()).hash).toBe('#/garden/knobs');
    await makeAnnex();
    await page.getByTestId('room').selectOption('annex');
    await heading('Settings of “annex”');
    await goTo(page, 'knobs');
  });

  test('without storage, the page offers no way back', async () => {
    await goTo(page, 'knobs');
    await heading('Settings of “garden”');
    await page.getByTestId('reseed').click();
    const question = page.getByRole('dialog');
    await question.getByText('This cannot be undone: this server stores nothing.').waitFor();
    await question.getByRole('button', { name: 'Cancel' }).click();
    await goTo(page, 'watch');
    await page.locator('visitor-list').waitFor();
    expect(await page.locator('undo-card').count()).toBe(0);
  });

  test('the WebGL programs of a room that is left are deleted, so it is no longer drawn', async () => {
    const other = await cheapPage(DESKTOP);
    await other.addInitScript(() => {
      const { prototype } = WebGL2RenderingContext;
      const { createProgram, deleteProgram } = prototype;
      Object.assign(window, { programs: 0 });
      const add = (count: number): unknown =>
        Object.assign(window, { programs: Reflect.get(window, 'programs') + count });
      prototype.createProgram = function () {
        add(1);
        return createProgram.call(this);
      };
      prototype.deleteProgram = function (program) {
        if (program) add(-1);
        deleteProgram.call(this, program);
      };
    });
    const have = (wanted: number) =>
      other.waitForFunction((count) => Reflect.get(window, 'programs') === count, wanted);
    await signIn(other, server.port, server.hostToken!);
    await goTo(other, 'watch');
    await liveShows(other);
    const ofOne: number = await other.evaluate(() => Reflect.get(window, 'programs'));
    expect(ofOne).toBeGreaterThan(0);
    await goTo(other, 'watch', 'annex');
    await other.getByRole('heading', { name: 'Watch “annex”' }).waitFor({ state: 'attached' });
    await liveShows(other);
    await have(ofOne);
    await goTo(other, 'knobs', 'annex');
    await have(0);
  });
});

test('the page tells the server whether the host has used it', async () => {
  const asks = (used: boolean) => (request: Request) =>
    request.url().includes('/host/api/') && USED_HEADER in request.headers() === used;
  await page.waitForRequest(asks(false));
  await Promise.all([page.waitForRequest(asks(true)), page.keyboard.press('Shift')]);
});

test('a browser that prefers German gets the page in German, with German names of the gardener and the house', async () => {
  const { dispatcher } = server.roomServers.get('garden')!;
  const planters = [
    ['The gardener', 'Der Gärtner', 24],
    ['The house', 'Das Haus', 72],
  ] as const;
  const other = await cheapPage({ ...DESKTOP, locale: 'de-DE' });
  await signIn(other, server.port, server.hostToken!);
  expect(await other.locator('html').getAttribute('lang')).toBe('de');
  await goTo(other, 'knobs');
  await other.getByRole('heading', { name: 'Einstellungen von „garden“' }).waitFor();
  await goTo(other, 'watch');
  for (const [name, , x] of planters) {
    const actor = dispatcher.createSystemActor(name, true);
    const seed = { from: 'gallery', index: 0 } as const;
    expect((await actor.act({ what: 'plant', x, y: 48, seed })).refused).toBeUndefined();
  }
  await liveShows(other, 2);
  const list = other.locator('organism-list');
  await list.locator('summary').click();
  // The answer to the first removal comes late, and must not close the card of the organism picked since.
  const house = other.getByTestId('organism').getByText('Das Haus');
  const late = async (route: Route) => {
    const response = await route.fetch();
    await house.waitFor();
    await route.fulfill({ response });
  };
  await other.route('**/remove-organism', late, { times: 1 });
  for (const [, german] of planters) {
    await list.getByRole('button', { name: german }).click();
    const card = other.getByTestId('organism');
    await card.getByText(german, { exact: true }).waitFor();
    if (german === 'Das Haus') await other.getByTestId('notice').first().waitFor();
    await card.getByTestId('remove').click();
    await other.getByText(`${german} hat es gepflanzt.`).waitFor();
    await other.getByTestId('confirm').click();
    await card.waitFor({ state: 'detached' });
  }
});

test.each([
  ['Arabic, from right to left,', 'ar'],
  ['German', 'de'],
])('in %s every section fits any window', async (_, locale) => {
  const { id } = await host.call('addWall', { name: `Hall ${locale}` });
  const other = await cheapPage({ ...DESKTOP, locale });
  await signIn(other, server.port, server.hostToken!);
  const nav = (await other.locator('host-nav').boundingBox())!;
  expect(nav.x > DESKTOP.viewport.width / 2).toBe(locale === 'ar');
  const wrong: string[] = [];
  // Long words are the first to spill where there is the least room.
  const wide = locale === 'de' ? [] : [DESKTOP.viewport];
  const wider = isFull ? [DESKTOP.viewport, PHONE.viewport] : wide;
  const sizes = [...wider, { width: 320, height: 568 }];
  for (const section of sectionsOf(false)) {
    for (const size of sizes) {
      await other.setViewportSize(size);
      await goTo(other, section.id);
      await drawnTwice(other);
      for (const line of await spilled(other)) wrong.push(`${section.id}, ${size.width}: ${line}`);
    }
  }
  expect(wrong).toEqual([]);
  await host.call('removeWall', {}, { wall: id! });
});

test.each([
  ['phone', PHONE],
  ['desktop', DESKTOP],
] as const)('notices cover nothing at %s size', async (_name, screen) => {
  await page.setViewportSize(screen.viewport);
  await goTo(page, 'watch');
  // A slow page may take a notice away before it is looked at.
  for (let seen = false; !seen; ) {
    await page.getByTestId('pause').click();
    await page.getByTestId('notice').first().waitFor();
    const edges = await page.evaluate(() => {
      const root = document.querySelector('vivarium-host')!.shadowRoot!;
      const within = (tag: string, inner: string) =>
        root.querySelector(tag)!.shadowRoot!.querySelector(inner)!;
      const notices = within('notice-layer', 'section');
      const box = (element: Element) => element.getBoundingClientRect();
      return {
        shown: notices.childElementCount > 0,
        top: box(notices).top,
        bottom: box(notices).bottom,
        main: box(root.querySelector('main')!).bottom,
        picture: box(within('watch-section', 'live-view')).bottom,
        navigation: box(root.querySelector('host-nav')!).top,
      };
    });
    seen = edges.shown;
    if (!seen) continue;
    expect(edges.main).toBeLessThanOrEqual(edges.top + 0.5);
    // All of the picture's controls stay in sight, and on a phone the navigation.
    if (screen === DESKTOP) expect(edges.picture).toBeLessThanOrEqual(edges.top + 0.5);
    if (screen === PHONE) expect(edges.navigation).toBeGreaterThanOrEqual(edges.bottom - 0.5);
    expect(edges.bottom).toBeLessThanOrEqual(screen.viewport.height + 0.5);
  }
});

describe('walls with an address of their own', () => {
  const wallCard = (name: string) => page.getByRole('article', { name });

  test('the host adds a wall, opens it though others hold all places, and sees it up, which letters it lacks, lost, and removed', async () => {
    await goTo(page, 'walls');
    await page.getByTestId('wall-name').fill('Foyer');
    const others = Array.from({ length: MAX_WALLS }, () => new Visitor(server.port));
    for (const other of others) other.requestJoin({ as: 'wall' });
    // Live pictures on the host's page hold places too, so that not all get one.
    const answers = await Promise.all(
      others.map((one) => one.next(({ name }) => name === 'wall' || name === 'rejected')),
    );
    const held = answers.filter((answer) => !('reason' in (answer as object))).length;
    await page.getByTestId('add-wall').click();
    const foyer = wallCard('Foyer');
    await foyer.getByText('not opened yet').waitFor();
    const address = await foyer.getByTestId('wall-address').textContent();
    expect(address).toMatch(/\/wall\/garden\?pass=[a-z2-9]{12}$/);
    const unnamed = wallCard('A wall without its own web address');
    await unnamed.nth(held - 1).waitFor();
    expect(await unnamed.count()).toBe(held);

    const { pathname, search } = new URL(address!);
    const wall = await cheapPage({ viewport: { width: 480, height: 270 } });
    await wall.goto(`${url}${pathname}${search}`);
    await waitForConnection(wall, 'live');
    await foyer.getByText('up', { exact: true }).waitFor();
    await foyer.getByText(/frames? per second/).waitFor();
    // The browser's own font has Latin letters only.
    expect(await foyer.getByTestId('unwritable').textContent()).toContain(
      'no fonts for Japanese and Arabic.',
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
  });
});

test('signing out works, and guessing tokens shows how long to wait', async () => {
  await page.getByTestId('leave').click();
  await page.getByTestId('token').waitFor();
  for (let i = 0; i < 12; i++) {
    await page.getByTestId('token').fill(`guess ${i}`);
    await page.getByTestId('token').press('Enter');
    await page.locator('host-login').getByText(/token/i).first().waitFor();
    if (await page.getByText(/Please wait \d+/).isVisible()) break;
    await page.locator('host-login button.solid:enabled').waitFor();
  }
  await page.getByText(/Please wait \d+/).waitFor();
});
