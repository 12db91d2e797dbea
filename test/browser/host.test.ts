/** The host's page in a real browser: all that a host can do in one room, section by section. */
import sharp from 'sharp';
import { sectionsOf } from '../../client/host/navigation.ts';
import type { Event } from '../../shared/protocol/events.ts';
import { suiteFolder } from '../support/closing.ts';
import { goTo, HostClient, liveScreenOf, liveShows, signIn } from '../support/host-client.ts';
import { fullTest, isFull } from '../support/needs.ts';
import { SMALL } from '../support/organisms.ts';
import { download, focused, openRoom, openWall } from '../support/page.ts';
import { violations } from '../support/page-faults.ts';
import { DESKTOP, PHONE } from '../support/screens.ts';
import { noonClock } from '../support/server.ts';
import { hostOf, suiteVisitor } from '../support/suite.ts';
import { suiteWithPages } from '../support/suite-pages.ts';
import { Visitor } from '../support/visitor.ts';

const { server, room, url, cheapPage } = await suiteWithPages(
  {
    ...{ size: '96x96', data: suiteFolder(), snapshot: 1 },
    ...{ energy: 'newcomer=100,refillPerSecond=1000', ...SMALL },
  },
  { date: noonClock() },
);
const ada = await suiteVisitor(server, 'Ada');
const bo = await suiteVisitor(server, 'Bo');
const page = await cheapPage(DESKTOP);
await signIn(page, server.port, server.hostToken!);

const SECTIONS = sectionsOf(false);
const PICTURE = Buffer.from(
  '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="30"><circle cx="15" cy="15" r="9" fill="red"/></svg>',
);

const owners = ({ planes }: Visitor): Set<number> => new Set(planes!.owner);

/** Plants, and waits until the organism owns ground. @returns its number */
async function own(planter: Visitor, x: number, y: number): Promise<number> {
  const id = await planter.plant(x, y);
  await planter.until(() => owners(planter).has(id));
  return id;
}

/** Confirms the open dialog. */
const confirm = () => page.getByTestId('confirm').click();

const notice = (text: string | RegExp) => page.getByTestId('notice').filter({ hasText: text });

test('a new room gets an address from its name, and visitors can join it', async () => {
  await goTo(page, 'rooms');
  await page.getByTestId('new-room').click();
  await page.getByTestId('room-name').waitFor();
  expect(await focused(page)).toBe('room-name');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByTestId('room-name').waitFor({ state: 'detached' });
  expect(await focused(page)).toBe('new-room');
  await page.getByTestId('new-room').click();
  await page.getByTestId('room-name').fill('Blue Hall');
  await page.getByText('/r/blue-hall').waitFor();
  expect(await page.locator('select[name=checkpoint] option').allTextContents()).toEqual(['Small']);
  await page.locator('.size', { hasText: 'Small' }).click();
  await page.getByTestId('make-room').click();
  const card = page.getByTestId('room-blue-hall');
  // It is listed while it is being made, too.
  await notice(/blue-hall/).waitFor();
  const visitor = await Visitor.join(server.port, 'blue-hall');
  expect(visitor.welcome!.room).toMatchObject({ width: 160, height: 96 });

  // The select shows the selected room, however it was selected.
  const choice = page.getByTestId('room');
  for (const name of ['blue-hall', 'garden']) await choice.selectOption(name);
  await card.getByRole('link', { name: 'Watch' }).click();
  await page.locator('.page[data-section="watch"]').waitFor();
  expect(await choice.inputValue()).toBe('blue-hall');
  await goTo(page, 'rooms');
  expect(await choice.inputValue()).toBe('garden');

  // Closing disconnects the visitor; removing asks for the name.
  await card.getByRole('button', { name: 'Close' }).click();
  await confirm();
  await visitor.next(({ name }) => name === 'rejected' || name === 'disconnect');
  await card.getByRole('button', { name: 'Remove' }).click();
  const yes = page.getByTestId('confirm');
  expect(await yes.isDisabled()).toBe(true);
  await page.getByTestId('confirm-typed').fill('blue-hall');
  await yes.click();
  await card.waitFor({ state: 'detached' });
  visitor.leave();
});

test('a setting applies to a connected visitor, is confirmed, and can be reset', async () => {
  await goTo(page, 'knobs');
  const knob = page.getByTestId('knob-energy-plant');
  const costs = () =>
    ada.heard.flatMap(({ name, message }) =>
      name === 'energy' ? [(message as Event<'energy'>).plant] : [],
    );
  await knob.getByRole('spinbutton').fill('20');
  // The page shows it for two seconds only, so a poll on a stalled machine might miss it.
  const words = await knob.evaluateHandle((element) => {
    const root = element.shadowRoot ?? element;
    const applied = new Promise<void>((resolve) => {
      const look = (): void => {
        if (/\bapplied\b/.test(root.textContent ?? '')) resolve();
      };
      const how = { childList: true, characterData: true, subtree: true };
      new MutationObserver(look).observe(root, how);
    });
    return { applied };
  });
  await knob.getByRole('spinbutton').press('Enter');
  await words.evaluate(({ applied }) => applied);
  await ada.until(() => costs().at(-1) === 20);
  const about = page.getByRole('region', { name: 'Planting and wounding' });
  await about.getByTestId('story').getByText('5 seeds').waitFor();
  await knob.getByRole('button', { name: /reset to 8/ }).click();
  await ada.until(() => costs().at(-1) === 8);
  // The slider can be moved by keys.
  await knob.getByRole('slider').focus();
  await page.keyboard.press('ArrowRight');
  await ada.until(() => costs().at(-1) === 9);
  await page.getByRole('button', { name: 'Reset all' }).click();
  await ada.until(() => costs().at(-1) === 8);
});

test('settings are saved as a file and loaded again; a file of something else changes nothing', async () => {
  await goTo(page, 'knobs');
  const other = await hostOf(server);
  await other.call('changeSettings', { tickRate: 12, energy: { plant: 21 } });
  const link = page.getByTestId('save-settings');
  /** Waits until the page knows what another host has changed. */
  const knows = async (cost: number) =>
    page.waitForFunction(
      ([element, text]) => decodeURIComponent((element as HTMLAnchorElement).href).includes(text),
      [await link.elementHandle(), `"plant": ${cost}`] as const,
    );
  await knows(21);
  const { name, bytes } = await download(link);
  expect(name).toBe('garden-settings.json');
  const { tickRate, energy } = server.rooms.settingsOf('garden');
  await other.call('changeSettings', { tickRate: 30, energy: { plant: 8 }, paused: true });
  await knows(8);
  const load = (file: string, buffer: Buffer) =>
    page.getByTestId('load-settings').setInputFiles({ name: file, mimeType: '', buffer });
  for (const wrong of ['{', '{"tickRate": 100}', '{"rooms": []}', '{"paused": false}']) {
    await load('wrong.json', Buffer.from(wrong));
    const refused = notice('“wrong.json” does not contain the settings of a room.');
    await refused.getByRole('button', { name: 'Close this message' }).click();
    await refused.waitFor({ state: 'detached' });
  }
  expect(server.rooms.settingsOf('garden').tickRate).toBe(30);
  await load(name, bytes);
  await notice(`The settings of “${name}” apply now.`).waitFor();
  expect(server.rooms.settingsOf('garden')).toMatchObject({ tickRate, energy, paused: true });
  await notice(name).getByRole('button', { name: 'Undo' }).click();
  await ada.until(() => server.rooms.settingsOf('garden').tickRate === 30);
  await other.call('changeSettings', { paused: false });
});

// Early, because a film replays everything up to now.
// In `npm test`, `integration/host-records.test.ts` makes and fetches a film.
fullTest('a film of the day is made and downloaded', async () => {
  await goTo(page, 'film');
  await page.getByRole('radio', { name: 'The last 8 hours' }).check();
  await page.getByRole('radio', { name: '10 seconds' }).check();
  // Nothing more is needed than to move the slider.
  await page.getByTestId('film-moment').focus();
  await page.keyboard.press('ArrowLeft');
  await page.getByTestId('film-progress').waitFor();
  await page.getByTestId('film-on-wall').click();
  const link = page.getByTestId('job').getByRole('link', { name: 'Download' });
  await link.waitFor({ timeout: 600_000 });
  await page.getByTestId('film-begins').getByText('From today').waitFor();
  const { name, bytes } = await download(link);
  expect(name).toMatch(/\.gif$/);
  expect(bytes.subarray(0, 4).toString()).toBe('GIF8');
  // As a video too, of the kind that this browser records.
  // It is recorded small.
  await page.evaluate(() => {
    const { captureStream } = HTMLCanvasElement.prototype;
    HTMLCanvasElement.prototype.captureStream = function () {
      const small = Object.assign(document.createElement('canvas'), { width: 64, height: 64 });
      setInterval(() => small.getContext('2d')!.drawImage(this, 0, 0, 64, 64), 50);
      return captureStream.call(small);
    };
  });
  const video = await download(page.getByTestId('save-video'));
  expect(video.name).toMatch(/\.(mp4|webm)$/);
  const signature = video.name.endsWith('mp4') ? 'ftyp' : '\x1aE\xdf\xa3';
  expect(video.bytes.subarray(0, 8).toString('latin1')).toContain(signature);
  const { roomServers } = server;
  const onWalls = () => roomServers.get('garden')!.walls.film;
  const last = onWalls()!.frame;
  expect(last).toBeGreaterThan(0);
  await page.getByTestId('film-moment').focus();
  const asked = page.waitForResponse((response) => response.url().endsWith('/film'));
  await page.keyboard.press('Home');
  await asked;
  expect(onWalls()!.frame).toBe(0);
  const isPainted = await page.locator('film-section canvas').evaluate((canvas) => {
    const { data } = (canvas as HTMLCanvasElement).getContext('2d')!.getImageData(0, 0, 1, 1);
    return data[3] === 255;
  });
  expect(isPainted).toBe(true);
  const ended = page.waitForResponse((response) => response.url().endsWith('/show-room'));
  await goTo(page, 'watch');
  await ended;
  expect(onWalls()).toBeUndefined();
});

test('one press pauses all visitors, and the next resumes', async () => {
  await goTo(page, 'watch');
  await liveShows(page);
  // Once the page has heard that the test above has ended a pause.
  await page.locator('.pause:not(.paused)').click();
  await notice('Visitors are paused').waitFor();
  const seed = { from: 'gallery', index: 0 };
  expect(await ada.ask('plant', { x: 20, y: 20, seed })).toHaveProperty('reason', 'paused');
  await page.getByTestId('pause').click();
  await notice('Visitors can act again').waitFor();
  await ada.grow(24, 24);
});

test('an organism is removed after a click on it; undo restores it bit for bit', async () => {
  const id = await ada.grow(70, 70);
  const { planes: before } = room.export();
  await liveShows(page, 2);
  const { x, y } = await liveScreenOf(page, 70, 70);
  await page.mouse.click(x, y);
  await page.getByTestId('organism').waitFor();
  await page.getByTestId('remove').click();
  await confirm();
  const hasDied = () => ada.life.some((event) => event.what === 'died' && event.id === id);
  await ada.until(() => hasDied() && !owners(ada).has(id));
  await notice('Removed:').getByRole('button', { name: 'Undo' }).click();
  await ada.sees(before);
});

test('an area is drawn and cleared, with the pointer and with keys', async () => {
  await liveShows(page, 2);
  await page.getByTestId('tool-area').click();
  const from = await liveScreenOf(page, 4, 4);
  const to = await liveScreenOf(page, 44, 44);
  await page.mouse.move(from.x, from.y);
  await page.mouse.down();
  await page.mouse.move(to.x, to.y, { steps: 4 });
  await page.mouse.up();
  await page.getByText('1 organism', { exact: true }).first().waitFor();
  await page.getByTestId('clear').click();
  await confirm();
  await ada.until(() => owners(ada).size === 2);
  await page.locator('[data-testid=tool-look][aria-pressed=true]').waitFor();

  await page.getByTestId('tool-area').click();
  await page.getByTestId('live').focus();
  for (let i = 0; i < 4; i++) await page.keyboard.press('ArrowRight');
  for (let i = 0; i < 4; i++) await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await confirm();
  await ada.until(() => owners(ada).size === 1);
});

test('undo removes what one visitor did and keeps what another did', async () => {
  const adas = await own(ada, 24, 70);
  const bos = await own(bo, 70, 24);
  await page.getByTestId('undo-whom').selectOption({ label: 'Bo' });
  await page.locator('undo-card .chip', { hasText: '5 min' }).click();
  await page.getByTestId('undo').click();
  await confirm();
  await notice('Undone:').waitFor();
  await ada.until(() => !owners(ada).has(bos));
  expect(owners(ada).has(adas)).toBe(true);
  await page.getByRole('button', { name: 'Restore the previous state' }).click();
  await ada.until(() => owners(ada).has(bos));

  // The same for a visitor who has left since: only their actions are undone.
  const cy = await Visitor.join(server.port, 'garden', 'Cy');
  const cys = await own(cy, 70, 70);
  await page.getByTestId('undo-whom').selectOption({ label: 'Cy' });
  cy.leave();
  await page.locator('visitor-list li', { hasText: 'Cy' }).waitFor({ state: 'detached' });
  await page.getByTestId('undo').click();
  await confirm();
  await ada.until(() => !owners(ada).has(cys));
  for (const id of [adas, bos]) expect(owners(ada).has(id)).toBe(true);
});

test('a failed change is reverted; hidden names are hidden everywhere', async () => {
  await liveShows(page);
  const pointer = page.locator('cursor-layer .cursor', { hasText: 'Ada' });
  // Where pointers are is said once, and not to a page whose connection is away for a moment.
  const point = setInterval(() => ada.send('cursor', { x: 40, y: 40, tool: 'plant' }), 200);
  await pointer.waitFor({ state: 'attached' }).finally(() => clearInterval(point));
  const names = page.getByTestId('names');
  await page.route('**/settings', (route) => route.abort());
  await names.click();
  await page.locator('[data-testid=notice].wrong').waitFor();
  expect(await names.isChecked()).toBe(true);
  await page.unroute('**/settings');
  await names.click();
  await notice('Names are hidden').waitFor();
  await pointer.waitFor({ state: 'detached' });
  await names.click();
  await notice('Names are shown.').waitFor();
  await pointer.waitFor({ state: 'attached' });
});

test('a server that does not answer, though its connections stay, is called unreachable until it does', async () => {
  // The page waits for a tenth of the time.
  const timeout = await page.evaluateHandle(() => {
    const { timeout } = AbortSignal;
    AbortSignal.timeout = (ms) => timeout.call(AbortSignal, ms / 10);
    return { timeout };
  });
  await page.route('**/state', () => {});
  await page.getByText('no connection').waitFor();
  await timeout.evaluate((usual) => void Object.assign(AbortSignal, usual));
  await page.unrouteAll();
  await page.getByText('everything is fine').waitFor();
});

test('a visitor is muted and banned; the ban is listed and lifted', async () => {
  const row = page.locator('visitor-list li', { hasText: 'Bo' });
  await row.getByRole('button', { name: 'Mute Bo' }).click();
  await row.getByText('muted').waitFor();
  const seed = { from: 'gallery', index: 0 };
  expect(await bo.ask('plant', { x: 48, y: 48, seed })).toHaveProperty('reason', 'muted');
  await row.getByRole('button', { name: 'Ban Bo' }).click();
  await page.getByTestId('confirm').click();
  await bo.next(({ name }) => name === 'disconnect');
  const banned = page.locator('ban-list li', { hasText: 'Bo' });
  await banned.getByRole('button').click();
  await banned.waitFor({ state: 'detached' });
});

test('a state is saved under a name and restored', async () => {
  const kept = owners(ada);
  await goTo(page, 'saved');
  await page.getByTestId('snapshot-name').fill('Before the party');
  await page.getByTestId('take').click();
  const card = page.getByRole('article', { name: 'Before the party' });
  await card.waitFor();
  const id = await own(ada, 48, 48);
  await card.getByTestId('restore').click();
  await confirm();
  await notice('The state is restored.').waitFor();
  await ada.until(() => !owners(ada).has(id));
  expect(owners(ada)).toEqual(kept);
});

test('opening hours are saved, also those of a night until the next day', async () => {
  await goTo(page, 'hours');
  await page.getByTestId('hours-on').check();
  const opens = page.getByLabel('Tuesday: opens');
  const nextDay = page.getByRole('group', { name: 'Tuesday' }).getByText('the next day');
  expect(await nextDay.count()).toBe(0);
  await opens.fill('19:30');
  await opens.blur();
  await nextDay.waitFor();
  // They wait while another section is shown, and leave what another host saves meanwhile.
  await goTo(page, 'watch');
  const other = await hostOf(server);
  const { schedule } = await other.call('state');
  await other.call('setSchedule', { ...schedule, farewell: true });
  await goTo(page, 'hours');
  expect(await opens.inputValue()).toBe('19:30');
  await page.locator('[data-testid=hours-farewell]:checked').waitFor();
  await page.getByTestId('keep-hours').click();
  await notice('The hours are saved.').waitFor();
  await page.reload();
  expect(await page.getByTestId('hours-on').isChecked()).toBe(true);
  expect(await opens.inputValue()).toBe('19:30');
  await nextDay.waitFor();
  expect(await page.getByTestId('hours-farewell').isChecked()).toBe(true);
  // Closed from tomorrow, which is what is offered first, until another day.
  await page.getByTestId('add-exception').click();
  const off = page.getByTestId('exception');
  const first = await off.getByLabel('First day').inputValue();
  await off.getByLabel('Last day').fill('2031-01-06');
  await off.getByLabel('Last day').blur();
  await page.getByTestId('keep-hours').click();
  await notice('The hours are saved.').waitFor();
  const { exceptions } = (await other.call('state')).schedule;
  expect(exceptions).toEqual([{ first, last: '2031-01-06', hours: null }]);
  await off.getByRole('button', { name: /remove/ }).click();
  expect(await off.count()).toBe(0);
  await page.getByTestId('hours-on').uncheck();
  await page.getByTestId('keep-hours').click();
  await notice('The hours are saved.').waitFor();
});

test('the sign is previewed, downloaded and printed in the selected format and language', async () => {
  await goTo(page, 'sign');
  await page.getByRole('radio', { name: 'A3' }).check();
  await page.getByRole('radio', { name: 'Deutsch' }).check();
  const sign = page.getByTestId('sign');
  await page.waitForFunction(
    (image) => (image as HTMLImageElement).naturalWidth > 0,
    await sign.elementHandle(),
  );
  expect(await sign.getAttribute('src')).toMatch(/paper=A3&language=de/);
  const { name } = await download(page.getByTestId('download-sign'));
  expect(name).toBe('garden-A3-de.svg');

  // The sign on the page gets the second code at once, and loses it again.
  const onSign = async () =>
    (
      await (
        await page.request.get(new URL((await sign.getAttribute('src'))!, page.url()).href)
      ).text()
    ).includes('>Garten;</text>');
  const version = (n: number) => page.locator(`[data-testid=sign][src*="version=${n}"]`).waitFor();
  await page.getByPlaceholder('Name of the network').fill('Garten;');
  await page.getByTestId('save-wifi').click();
  await version(1);
  expect(await onSign()).toBe(true);
  await page.getByTestId('remove-wifi').click();
  await version(2);
  expect(await onSign()).toBe(false);
  expect(await page.getByPlaceholder('Name of the network').inputValue()).toBe('');
  const [sheet] = await Promise.all([
    page.waitForEvent('popup'),
    page.getByTestId('print').click(),
  ]);
  await sheet.waitForFunction(() => (document.images[0]?.naturalWidth ?? 0) > 0);
  await sheet.close();
});

test('the host speaks to everybody: a message, and texts and a logo of the exhibition', async () => {
  const phone = await cheapPage(PHONE);
  await openRoom(phone, `${url}/r/garden`);
  const wall = await cheapPage(DESKTOP);
  await openWall(wall, `${url}/wall/garden`);
  await goTo(page, 'exhibition');
  await page.getByTestId('message-text').fill('We close in ten minutes.');
  await page.getByTestId('send-message').click();
  await page.getByTestId('message').getByText('We close in ten minutes.').waitFor();
  await wall.getByTestId('caption').getByText('We close in ten minutes.').waitFor();
  const told = phone.getByTestId('shared-view').getByText('We close in ten minutes.');
  await told.waitFor();
  await phone.getByTestId('shared-view').getByRole('button', { name: 'Close' }).click();
  await told.waitFor({ state: 'detached' });
  await page.getByTestId('message').getByRole('button', { name: 'Remove' }).click();
  await page.getByTestId('message').waitFor({ state: 'detached' });

  await page.getByLabel('What the exhibition is').fill('Grown, not drawn.');
  await page.getByLabel('Who made the exhibition').fill('Ada & Bo');
  await page.getByTestId('save-texts').click();
  await notice('The texts are saved.').waitFor();
  const load = (buffer: Buffer) =>
    page.getByTestId('load-logo').setInputFiles({ name: 'a.png', mimeType: 'image/png', buffer });
  await load(Buffer.from('no picture'));
  await notice('That file is not a PNG, JPEG or WebP picture').waitFor();
  await load(await sharp(PICTURE).png().toBuffer());
  await page.getByTestId('logo').waitFor();
  await wall.getByText('Ada & Bo').waitFor();
  await wall.locator('img.logo').waitFor();
  await phone.getByTestId('status').click();
  const details = phone.getByTestId('details');
  await details.getByText('Grown, not drawn.').waitFor();
  await details.locator('img.logo').waitFor();
  expect(await violations(phone)).toEqual([]);
  await page.getByTestId('remove-logo').click();
  await wall.locator('img.logo').waitFor({ state: 'detached' });
});

test('statistics are counted, and charts are available as tables', async () => {
  await goTo(page, 'visitors');
  const figures = page.getByTestId('figures');
  await figures.getByText(/^seeds$/).waitFor();
  const seeds = figures.locator('div', { hasText: 'seeds' }).locator('dd');
  expect(Number(await seeds.textContent())).toBeGreaterThan(0);
  const chart = page.locator('bar-chart').filter({ has: page.getByLabel(/^Seeds per hour/) });
  await chart.getByText('As a table').click();
  const table = chart.getByRole('table');
  expect(await table.getByRole('row').count()).toBe(24);
  const cells = await table.getByRole('cell').allTextContents();
  const sum = cells.reduce((all, text) => all + Number.parseInt(text, 10), 0);
  expect(sum).toBe(Number(await seeds.textContent()));
});

test('a token is shown once, lets a program in, and is revoked', async () => {
  await goTo(page, 'access');
  await page.getByText('No program has a token.').waitFor();
  await page.getByTestId('token-name').fill('Lights');
  expect(await page.getByTestId('token-role').inputValue()).toBe('observer');
  await page.getByTestId('token-role').selectOption('operator');
  await page.getByTestId('make-token').click();
  const token = (await page.getByTestId('access-token').textContent())!;
  const program = new HostClient(server.port, { authorization: `Bearer ${token}` });
  await program.call('pause', { paused: false });
  expect(await program.refusal('room')).toBe('not-allowed');
  expect(await violations(page)).toEqual([]);
  await goTo(page, 'sign');
  await goTo(page, 'access');
  const card = page.getByRole('article', { name: 'Lights' });
  await card.getByText('Operator').waitFor();
  expect(await page.getByTestId('access-token').count()).toBe(0);
  await card.getByTestId('revoke-token').click();
  await confirm();
  await page.getByText('No program has a token.').waitFor();
  expect(await program.refusal('state')).toBe('wrong-token');
});

test('axe finds nothing in the sign-in form, in any section, in a form and in a dialog', async () => {
  const wide = isFull ? SECTIONS : SECTIONS.filter(({ id }) => id === 'watch' || id === 'rooms');
  const other = await cheapPage(PHONE);
  await other.goto(`${url}/host`);
  await other.getByTestId('token').waitFor();
  expect(await violations(other)).toEqual([]);
  await signIn(other, server.port, server.hostToken!);
  // On a desktop, few sections look otherwise.
  for (const [screen, sections] of [
    [other, SECTIONS],
    [page, wide],
  ] as const) {
    for (const { id } of sections) {
      await goTo(screen, id);
      if (id === 'watch') await liveShows(screen);
      expect([id, ...(await violations(screen))]).toEqual([id]);
    }
  }
  await goTo(other, 'rooms');
  await other.getByTestId('new-room').click();
  await other.getByTestId('room-name').waitFor();
  expect(await violations(other)).toEqual([]);
  // A server that is alone has no section of servers.
  await other.evaluate(() => {
    location.hash = '#/garden/servers';
  });
  await other.locator('.page[data-section="watch"]').waitFor();
  await other.getByRole('button', { name: 'Ban Ada' }).click();
  await other.getByTestId('confirm').waitFor();
  expect(await violations(other)).toEqual([]);
});
