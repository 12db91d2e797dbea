/**
 * Visitors, the host and walls together, in browsers: reports and what the host does of them, a place that the host shows,
 * following a view, the page of a view-only link, and organisms that depart or turn.
 */
import type { Page } from 'playwright-core';
import type { Event } from '../../shared/protocol/events.ts';
import { HOUSE } from '../../shared/vocabulary.ts';
import { goTo, liveScreenOf, liveShows, signIn } from '../support/host-client.ts';
import {
  cameraRests,
  focused,
  line,
  modelOf,
  openRoom,
  openWall,
  type PageElement,
  screenOf,
  showAll,
  tapPlace,
  touch,
  waitForConnection,
  waitForOwn,
} from '../support/page.ts';
import { violations } from '../support/page-faults.ts';
import { DESKTOP, PHONE } from '../support/screens.ts';
import { hostOf, suiteVisitor } from '../support/suite.ts';
import { suiteWithPages } from '../support/suite-pages.ts';

const { server, room, roomUrl, cheapPage } = await suiteWithPages({
  ...{ size: '160x160', energy: 'off' },
});
const api = await hostOf(server);
const ada = await suiteVisitor(server, 'Ada');
const host = await cheapPage(DESKTOP);
await signIn(host, server.port, server.hostToken!);
const phone = await cheapPage({ ...PHONE, reducedMotion: 'reduce' });
await openRoom(phone, roomUrl);

const banner = phone.getByTestId('shared-view');
const { width, height } = PHONE.viewport;

/** Waits until a place of the grid is near the middle of the phone's window. */
async function isCentred(page: Page, x: number, y: number): Promise<void> {
  await cameraRests(page);
  const at = await screenOf(page, x, y);
  expect(Math.abs(at.x - width / 2)).toBeLessThan(0.2 * width);
  expect(Math.abs(at.y - height / 2)).toBeLessThan(0.2 * height);
}

/**
 * Waits until the wall shows a place half way down, and its cells at least and at most so large, in
 * CSS pixels. It may drift.
 */
const wallShows = (wall: Page, x: number, y: number, [least, most]: [number, number]) =>
  wall.waitForFunction(
    ([px, py, min, max]) => {
      const shown = document.querySelector('vivarium-wall') as unknown as PageElement;
      const at = shown.worldToScreen(px, py);
      const cell = shown.worldToScreen(px + 1, py).x - at.x;
      const isInside = at.x > 0 && at.x < innerWidth && Math.abs(at.y - innerHeight / 2) < 30;
      return isInside && cell >= min && cell <= max;
    },
    [x, y, least, most] as const,
  );

async function clearRoom(): Promise<void> {
  const area = { x: 0, y: 0, width: 160, height: 160 };
  room.enqueue(1, { what: 'clear', by: HOUSE, area });
  await phone.waitForFunction(({ organisms }) => organisms.size === 0, await modelOf(phone));
}

/** Taps a place on the phone, which shows the whole room. */
async function tap(x: number, y: number): Promise<void> {
  await showAll(phone);
  await tapPlace(phone, x, y);
}

/** The host points at a place of the live picture. */
async function showPlace(x: number, y: number): Promise<void> {
  await host.getByTestId('tool-point').click();
  const at = await liveScreenOf(host, x, y);
  await host.mouse.click(at.x, at.y);
  await host.getByTestId('notice').filter({ hasText: 'Everybody is asked' }).last().waitFor();
}

const followers = (): number | undefined =>
  ada.heard
    .flatMap(({ name, message }) =>
      name === 'followers' ? [(message as Event<'followers'>).count] : [],
    )
    .at(-1);

test('a visitor reports an organism; the host sees its picture, leaves one and removes another', async () => {
  const [one, two] = [await ada.grow(40, 40), await ada.grow(110, 40)];
  await phone.getByTestId('tool-look').tap();
  for (const x of [40, 110]) {
    await tap(x, 40);
    await phone.getByTestId('report').tap();
    await phone.getByText('The host will look at this creature.').last().waitFor();
    await phone.getByTestId('organism-card').getByLabel('Close', { exact: true }).tap();
  }
  await goTo(host, 'watch');
  await liveShows(host, 2);
  await host.getByRole('img', { name: '2 organisms are reported' }).waitFor();
  const row = (id: number) => host.getByTestId(`report-${id}`);
  const sideOf = (id: number): Promise<number> =>
    row(id)
      .locator('img')
      .evaluate((image: HTMLImageElement) => image.decode().then(() => image.naturalWidth));
  const side = await sideOf(one);
  expect(side).toBe(room.viewOf(one)!.side);
  expect(await violations(host)).toEqual([]);
  await row(one).getByRole('button', { name: 'Leave it' }).click();
  await row(one).waitFor({ state: 'detached' });
  // On the row itself: none of its buttons is pressed by accident.
  expect(await focused(host)).toBe(`report-${two}`);
  await row(two).getByRole('button', { name: 'Mute Ada' }).click();
  await host.getByTestId('notice').filter({ hasText: 'Ada is muted' }).waitFor();
  await row(two).getByRole('button', { name: 'Unmute Ada' }).click();
  await row(two).getByRole('button', { name: 'Remove' }).click();
  await host.getByTestId('confirm').click();
  await row(two).waitFor({ state: 'detached' });
  expect(room.viewOf(one)).toBeDefined();
  expect(room.viewOf(two)).toBeUndefined();

  // The question about a planter stays open when what was reported goes.
  const three = await ada.plant(110, 110);
  await ada.ask('report', { organism: three });
  await row(three).getByRole('button', { name: 'Ban Ada' }).click();
  const question = host.getByRole('dialog');
  await question.getByTestId('confirm').waitFor();
  await api.call('removeOrganism', { organism: three });
  await row(three).waitFor({ state: 'detached' });
  expect(await question.getByTestId('confirm').isVisible()).toBe(true);
  await question.getByRole('button', { name: 'Cancel' }).click();
  await host.locator('report-queue').waitFor({ state: 'hidden' });

  // What departs by itself stays in the list, but cannot be shown or removed.
  const four = await ada.plant(110, 110);
  await ada.ask('report', { organism: four });
  const { hostActor } = server.roomServers.get('garden')!.dispatcher;
  await hostActor.act({ what: 'depart', organism: four, seconds: 1 });
  await row(four).getByText('It is gone.').waitFor();
  const actions = row(four).getByRole('button', { name: /Remove|Show/ });
  expect(await actions.count()).toBe(0);
  expect(await sideOf(four)).toBe(side);
  await row(four).locator('button:not([aria-disabled])', { hasText: 'Leave it' }).click();
  await host.locator('report-queue').waitFor({ state: 'hidden' });
});

test('the phone goes where the host points; one with an open sheet gets a button instead', async () => {
  await showPlace(130, 130);
  const told = phone
    .getByTestId('toast')
    .filter({ hasText: 'The host asks everybody to look here.' });
  await told.waitFor();
  const [text, map] = [await told.boundingBox(), await phone.getByTestId('overview').boundingBox()];
  // It lies below the controls at the upper edge.
  expect(text!.y).toBeGreaterThan(map!.y + map!.height);
  await isCentred(phone, 130, 130);
  await phone.getByTestId('tool-plant').tap();
  await phone.getByTestId('open-gallery').tap();
  await phone.getByTestId('sheet-close').waitFor();
  await showPlace(40, 40);
  await banner.waitFor();
  await phone.getByTestId('sheet-close').tap();
  await isCentred(phone, 130, 130);
  await phone.getByTestId('go-to-spot').tap();
  await isCentred(phone, 40, 40);
  await banner.waitFor({ state: 'detached' });
});

test('walls glide to the place and stay, until the host shows the room again', async () => {
  const wall = await cheapPage({
    ...{ viewport: { width: 960, height: 540 }, reducedMotion: 'no-preference' },
  });
  await openWall(wall, `http://127.0.0.1:${server.port}/wall/garden`);
  await showPlace(100, 100);
  await wallShows(wall, 100, 100, [7, 20]);
  await host.getByText(/^The walls show this place until \d\d:\d\d\.$/).waitFor();
  await host.getByTestId('show-room').click();
  await host.getByTestId('walls-show').waitFor({ state: 'detached' });
  await wallShows(wall, 80, 80, [1, 4]);
});

test('a view is followed from the list until the visitor moves, and both are told', async () => {
  const look = (x: number): void =>
    ada.send('look', {
      ...{ hidden: false, x, y: 20, width: 40, height: 40 },
      ...{ pixels: 4, best: 'full' },
    });
  look(100);
  await phone.getByTestId('status').tap();
  await phone.getByTestId(`follow-${ada.welcome!.you.id}`).tap();
  await banner.getByText('You see what Ada sees.').waitFor();
  await ada.until(() => followers() === 1);
  await isCentred(phone, 120, 40);
  look(20);
  await phone.waitForFunction(() => {
    const page = document.querySelector('vivarium-room') as unknown as PageElement;
    return Math.abs(page.worldToScreen(40, 40).x - innerWidth / 2) < 0.2 * innerWidth;
  });
  await phone.getByTestId('tool-look').tap();
  const middle = { x: width / 2, y: height / 2 };
  await touch(phone, [line(middle, { ...middle, x: middle.x - 80 }, 4)]);
  await banner.waitFor({ state: 'detached' });
  await ada.until(() => followers() === 0);

  const { participants } = ada.welcome!;
  const phoneId = (await api.call('room')).visitors.find(({ name }) => name !== 'Ada')!.id;
  expect(participants.some(({ id }) => id === phoneId)).toBe(false);
  await ada.ask('follow', { participant: phoneId });
  await phone.getByRole('img', { name: 'Somebody sees what you see' }).waitFor();
});

test('the link of the host opens a page that watches, has no tools, and counts as nobody', async () => {
  await goTo(host, 'sign');
  const link = new URL((await host.getByTestId('watch-link').textContent())!);
  const watching = await cheapPage(PHONE);
  const problems: string[] = [];
  watching.on('pageerror', ({ message }) => problems.push(message));
  await openRoom(watching, `http://127.0.0.1:${server.port}${link.pathname}${link.search}`);
  await watching.getByText('You are watching.').waitFor();
  expect(await watching.getByTestId('tool-plant').isVisible()).toBe(false);
  await cameraRests(watching);
  await tapPlace(watching, 40, 40);
  await watching.getByTestId('organism-card').waitFor();
  for (const action of ['cross-with', 'keep', 'report']) {
    expect(await watching.getByTestId(action).count()).toBe(0);
  }
  await watching.keyboard.press('p');
  expect(await watching.getByTestId('canvas').getAttribute('data-tool')).toBe('look');
  expect((await api.call('room')).visitors).toHaveLength(2);
  expect(await violations(watching)).toEqual([]);

  await goTo(host, 'knobs');
  await host.getByTestId('knob-spectators').getByRole('checkbox').uncheck();
  await watching.getByText('Watching through this link is switched off right now.').waitFor();
  await host.getByTestId('knob-spectators').getByRole('checkbox').check();
  await watching.getByRole('alert').waitFor({ state: 'detached' });
  expect(problems).toEqual([]);
});

test('DEP-10, DEP-12: an organism that departs is offered to its planter, who keeps it by a tap, or plants it again', async () => {
  await clearRoom();
  /** The ticks that a departure and the time after it take, as a multiple. */
  const stretch = (times: number) => room.setTickRate(30 * times);
  const adaPlants = (x: number) =>
    ada.ask('plant', { x, y: 120, seed: { from: 'gallery', index: 0 } });

  await phone.getByTestId('tool-plant').tap();
  await tap(40, 40);
  await waitForOwn(phone, { phase: 'asleep' });
  const { kind } = room.organisms[0];
  const name = kind.replaceAll('_', ' ');
  room.change({ what: 'limit', maxOrganisms: 1 });
  stretch(10);
  await adaPlants(40);
  await banner.getByText(`Your ${name} is leaving.`).waitFor();
  await phone.getByTestId('tool-look').tap();
  await tap(40, 40);
  const card = phone.getByTestId('organism-card');
  await card.getByTestId('state').getByText('leaving').waitFor();
  expect(await card.getByTestId('renew').count()).toBe(1);
  expect(await violations(phone)).toEqual([]);
  room.change({ what: 'limit', maxOrganisms: 2 });
  await banner.getByTestId('renew').tap();
  await waitForOwn(phone, { phase: 'asleep' });
  await banner.waitFor({ state: 'detached' });
  expect(await card.getByTestId('renew').count()).toBe(0);

  await card.getByLabel('Close', { exact: true }).tap();
  room.change({ what: 'limit', maxOrganisms: 1 });
  room.enqueue(1, { what: 'remove', by: HOUSE, organism: room.organisms.at(-1)!.id });
  await ada.until(() => room.organisms.length === 1);
  stretch(0.1);
  await adaPlants(120);
  await banner.getByText(`Your ${name} has left.`).waitFor();
  stretch(10);
  room.change({ what: 'limit', maxOrganisms: 4 });
  // Also for a page that comes back.
  await phone.reload();
  await waitForConnection(phone, 'live');
  await banner.getByText('has left').waitFor();
  await banner.getByTestId('renew').tap();
  await waitForOwn(phone, { phase: 'growing' });
  expect(room.organisms.at(-1)).toMatchObject({ x: 40, y: 40, kind });
  await banner.waitFor({ state: 'detached' });
});

describe('turning an organism into what the held seed grows into', () => {
  beforeAll(async () => {
    await clearRoom();
    room.change({ what: 'limit', maxOrganisms: 256 });
    room.setTickRate(30);
  });

  /** The visitor holds a seed. */
  const hold = (index: number) =>
    phone.evaluate(
      (seed) => Reflect.get(document.querySelector('vivarium-room')!, 'session').state.hold(seed),
      { from: 'gallery', index },
    );
  const card = phone.getByTestId('organism-card');
  const button = card.getByTestId('transform');

  test('TRF-1, TRF-2: a visitor turns their own organism, reads what it was, is told when others do it, and turns others’ only where the host allows it', async () => {
    const { gallery } = ada.welcome!.checkpoint;
    const [horse, rabbit, crab] = ['Horse Face', 'Rabbit Face', 'Crab'].map((name) =>
      gallery.findIndex((one) => one.name === name),
    );
    await hold(horse);
    await tap(40, 40);
    await waitForOwn(phone, { kind: 'Horse Face', phase: 'asleep' });
    await hold(rabbit);
    await phone.getByTestId('tool-look').tap();
    await tap(40, 40);
    expect(await button.textContent()).toBe('Turn into: Rabbit Face');
    expect(await card.getByTestId('former').count()).toBe(0);
    await button.tap();
    await waitForOwn(phone, { kind: 'Rabbit Face', phase: 'asleep' });
    await card.getByRole('heading', { name: 'Rabbit Face' }).waitFor();
    expect(await card.getByTestId('former').textContent()).toBe('Horse Face');
    // It is what the seed is, so there is nothing to turn; the card keeps the focus.
    await button.waitFor({ state: 'detached' });
    expect(
      await phone.evaluate(() => {
        const page = document.querySelector('vivarium-room') as unknown as PageElement;
        return page.shadowRoot!.activeElement?.localName;
      }),
    ).toBe('organism-card');
    expect(await violations(phone)).toEqual([]);

    // Another's is not offered.
    const [mine] = room.organisms;
    await ada.grow(110, 60, { from: 'gallery', index: crab });
    await card.getByLabel('Close', { exact: true }).tap();
    await tap(110, 60);
    await card.getByRole('heading', { name: 'Crab' }).waitFor();
    expect(await button.count()).toBe(0);

    // Where the host allows it.
    const roomServer = server.roomServers.get('garden')!;
    const { policy } = roomServer;
    policy.settings = { ...policy.settings, transformOthers: true };
    roomServer.broadcastSettings();
    await button.getByText('Turn into: Rabbit Face').waitFor();
    const seed = { from: 'gallery', index: crab };
    expect(await ada.ask('transform', { organism: mine.id, seed })).not.toHaveProperty('reason');
    await phone.getByText('Ada turned your Rabbit Face into this: Crab.').first().waitFor();
    await tap(40, 40);
    await card.getByTestId('former').getByText('Horse Face, then Rabbit Face').waitFor();
  });
});

test('a page that is hidden before its first picture says so', async () => {
  const told = await phone.locator('vivarium-room').evaluate((element: PageElement) => {
    const { connection, model } = Reflect.get(element, 'session');
    const looks: unknown[] = [];
    connection.send = (name: string, message: unknown) => name === 'look' && looks.push(message);
    // As between a welcome and its first frame.
    model.setConnection('connecting');
    Object.defineProperty(document, 'hidden', { value: true });
    document.dispatchEvent(new Event('visibilitychange'));
    return looks;
  });
  expect(told).toEqual([{ hidden: true }]);
});
