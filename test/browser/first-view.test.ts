/** What a phone, a tablet and a desktop show of random rooms when they open, and beside a card. */
import type { Page } from 'playwright-core';
import type { Camera, Size } from '../../client/render/camera.ts';
import type { Stage } from '../../client/render/first-view.ts';
import type { Rect } from '../../shared/geometry.ts';
import { createRandom } from '../../shared/random.ts';
import type { OrganismView } from '../../shared/vocabulary.ts';
import { organismView } from '../support/fake-server.ts';
import { randomRoom, shownIn } from '../support/first-views.ts';
import { isFull } from '../support/needs.ts';
import { SMALL } from '../support/organisms.ts';
import { cameraRests, openRoom, type PageElement, resize } from '../support/page.ts';
import { DESKTOP, mobile, type WindowSize } from '../support/screens.ts';
import { suiteWithPages } from '../support/suite-pages.ts';

const { roomUrl, room, cheapPage } = await suiteWithPages(SMALL);
const grid = { width: room.grid.planes.width, height: room.grid.planes.height };
const SIDE = 32;
const ROOMS = isFull ? 20 : 5;
const PHONES: readonly WindowSize[] = [
  { width: 390, height: 844 },
  { width: 320, height: 568 },
  { width: 844, height: 390 },
  { width: 820, height: 1180 },
];

/** Of `<vivarium-room>`, what opens a room once more. */
interface RoomElement extends PageElement {
  readonly updateComplete: Promise<unknown>;
  readonly room: PageElement['room'] & { isOpened: boolean; layout(): void; open(): Promise<void> };
  readonly session: {
    readonly state: { select(organism: number): void };
    setOccupied(isOccupied: boolean): void;
  };
}

/** Puts other creatures into the page's room, and opens the room anew. */
const openWith = (page: Page, organisms: readonly OrganismView[]): Promise<Camera> =>
  page.locator('vivarium-room').evaluate(async (element: RoomElement, all) => {
    const { room, model } = element;
    const known = model.organisms as Map<number, OrganismView>;
    known.clear();
    for (const one of all) known.set(one.id, one);
    room.view.rig.fit();
    room.isOpened = false;
    room.layout();
    await room.open();
    await element.updateComplete;
    return room.view.rig.camera;
  }, organisms);

/** Opens a creature's card. @returns the camera once the page has made space for the card */
const select = (page: Page, organism: number): Promise<Camera> =>
  page.locator('vivarium-room').evaluate(async (element: RoomElement, id) => {
    element.session.state.select(id);
    await element.updateComplete;
    // The camera moves once the card has its size; nothing glides here.
    await new Promise((resolve) => setTimeout(resolve));
    return element.room.view.rig.camera;
  }, organism);

/** What covers the page, as it is on the screen. */
const stageOf = (page: Page): Promise<Stage & { readonly card: readonly Rect[] }> =>
  page.locator('vivarium-room').evaluate((element) => {
    const of = (name: string): DOMRect[] =>
      [...element.shadowRoot!.querySelectorAll(name)].map((one) => one.getBoundingClientRect());
    const rect = ({ x, y, width, height }: DOMRect) => ({ x, y, width, height });
    const [header] = of('header');
    const dock = of('tool-dock').find(({ height }) => height > 0);
    const view: Size = { width: innerWidth, height: innerHeight };
    const height = (dock?.top ?? view.height) - header.bottom;
    const free = { x: 0, y: header.bottom, width: view.width, height };
    const covers = of('.view, room-overview, find-mine, .hint');
    const card = of('organism-card').map(rect);
    return { view, free, covers: covers.filter((one) => one.width > 0).map(rect), card };
  });

const creatures = (seed: number): OrganismView[] =>
  randomRoom(grid, SIDE, createRandom(seed).uniform).map((at, i) =>
    organismView(i + 1, { ...at, side: SIDE, stage: SIDE }),
  );

const open = async (screen: object): Promise<Page> => {
  const page = await cheapPage({ ...screen, deviceScaleFactor: 1 });
  await openRoom(page, roomUrl);
  await page.getByTestId('gallery-item').first().waitFor({ state: 'attached' });
  return page;
};
/** All sizes of hand-held screens, and a desktop. */
const [held, desk] = [await open(mobile(PHONES[0])), await open(DESKTOP)];

/** The page of a screen of this size. */
async function pageOf(size: WindowSize): Promise<Page> {
  if (size === DESKTOP.viewport) return desk;
  await resize(held, size);
  return held;
}

test.each(PHONES)(
  `$width×$height: ${ROOMS} of ${ROOMS} rooms open with a whole creature beside free ground`,
  async (size) => {
    const page = await pageOf(size);
    const bad: unknown[] = [];
    for (let seed = 1; seed <= ROOMS; seed++) {
      const organisms = creatures(seed);
      const camera = await openWith(page, organisms);
      const stage = await stageOf(page);
      const shown = shownIn({ grid, side: SIDE, organisms }, stage, camera);
      if (!shown.whole || !shown.free) bad.push({ seed, ...shown, camera, stage });
    }
    expect(bad).toEqual([]);
  },
);

test.each([PHONES[0], DESKTOP.viewport])(
  '$width×$height: a seed that fell on a creature is led to free ground',
  async (size) => {
    // A page of its own: a late layout for another size would move the camera again.
    const page = size === DESKTOP.viewport ? desk : await open(mobile(size));
    const organisms = creatures(4);
    await openWith(page, organisms);
    const element = page.locator('vivarium-room');
    await element.evaluate(({ session, room }: RoomElement) => {
      room.view.rig.fit();
      session.setOccupied(true);
    });
    await page.getByTestId('find-ground').click();
    await cameraRests(page);
    const camera = await element.evaluate(({ room }: RoomElement) => room.view.rig.camera);
    const shown = shownIn({ grid, side: SIDE, organisms }, await stageOf(page), camera);
    expect(shown).toEqual({ whole: true, free: true });
    expect(await page.getByTestId('find-ground').count()).toBe(0);
  },
);

test.each([...(isFull ? PHONES : PHONES.slice(1, 3)), DESKTOP.viewport])(
  '$width×$height: a card leaves its creature visible',
  async (size) => {
    const page = await pageOf(size);
    const organisms = creatures(3);
    await openWith(page, organisms);
    const bad: unknown[] = [];
    for (const organism of organisms) {
      const camera = await select(page, organism.id);
      const { view, card } = await stageOf(page);
      expect(card).toHaveLength(1);
      // A low phone's card covers the dock.
      const free = { x: 0, y: 0, ...view };
      const { whole } = shownIn(
        { grid, side: SIDE, organisms: [organism] },
        { view, free, covers: card },
        camera,
      );
      if (!whole) bad.push({ organism, camera, card });
    }
    expect(bad).toEqual([]);
  },
);
