/** Uses a page as a visitor does, and reads its model, camera and animations. */
import type { JSHandle, Locator, Page } from 'playwright-core';
import type { CameraRig } from '../../client/render/camera.ts';
import type { OrganismView } from '../../shared/vocabulary.ts';
import type { WindowSize } from './screens.ts';

interface Model {
  readonly tick: number | undefined;
  readonly you: { readonly id: number; readonly name: string; readonly hue: number };
  readonly energy: { readonly level: number } | undefined;
  readonly quality?: { readonly tier: string };
  readonly planes:
    | { readonly rgba: Uint8Array; readonly owner: Uint32Array; readonly width: number }
    | undefined;
  readonly organisms: ReadonlyMap<number, OrganismView>;
  on(event: 'picture', listener: () => void): () => void;
}

/** What `<vivarium-room>` and `<vivarium-wall>` show to scripts. */
export interface PageElement extends HTMLElement {
  readonly model: Model;
  readonly drawn: { readonly pictures: number; readonly soft: boolean };
  readonly stage: { readonly loop: { invalidate(): void } } | undefined;
  /** Of a room's page. */
  readonly room: { readonly view: { readonly rig: CameraRig } } | undefined;
  worldToScreen(x: number, y: number): Point;
}

/** The element that is the whole page. */
const elementOf = (page: Page): Locator =>
  page.locator('vivarium-room, vivarium-wall, vivarium-table');

/** The page's model of its room, for scripts in the page. */
export const modelOf = (page: Page): Promise<JSHandle<Model>> =>
  elementOf(page).evaluateHandle((element: PageElement) => element.model);

export async function openRoom(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await waitForConnection(page, 'live');
}

export async function openWall(page: Page, url: string): Promise<void> {
  await openRoom(page, url);
  await nextPictures(page, 2);
}

export async function waitForConnection(page: Page, state: string): Promise<void> {
  await page.waitForSelector(`html[data-connection="${state}"]`, { state: 'attached' });
}

/** CSS pixels of a place of the grid; on a wall, of one that hangs straight. */
export const screenOf = (page: Page, x: number, y: number): Promise<Point> =>
  elementOf(page).evaluate((element: PageElement, [px, py]) => element.worldToScreen(px, py), [
    x,
    y,
  ] as const);

/**
 * Waits until the page has been drawn twice more: what it has just laid out is drawn, and the
 * browser knows where it listens.
 */
export function drawnTwice(page: Page): Promise<void> {
  return page.evaluate(
    () =>
      new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve()))),
  );
}

/** Gives a page's window another size, and waits until the page is laid out for it. */
export async function resize(page: Page, size: WindowSize): Promise<void> {
  await page.setViewportSize(size);
  await page.waitForFunction(
    ({ width, height }) => innerWidth === width && innerHeight === height,
    size,
  );
  // The layout follows the window with the next pictures.
  for (let i = 0; i < 2; i++) await drawnTwice(page);
}

/** A finger taps a point of the window. */
export async function fingerTap(page: Page, { x, y }: Point): Promise<void> {
  // A busy browser may swallow what comes before.
  await drawnTwice(page);
  await page.touchscreen.tap(x, y);
}

/** A finger taps a place of the grid. */
export async function tapPlace(page: Page, x: number, y: number): Promise<void> {
  await fingerTap(page, await screenOf(page, x, y));
}

/** The mouse clicks on a place of the grid. */
export async function clickPlace(page: Page, x: number, y: number): Promise<void> {
  const at = await screenOf(page, x, y);
  await page.mouse.click(at.x, at.y);
}

/**
 * Waits until the camera stands still: a slow page moves it long after the fingers have left, and
 * only when it draws a picture.
 */
export const cameraRests = (page: Page): Promise<void> =>
  elementOf(page).evaluate(async ({ room }: PageElement) => {
    const { rig } = room!.view;
    for (let before = '', still = 0; still < 5; ) {
      await new Promise(requestAnimationFrame);
      const camera = JSON.stringify(rig.camera);
      still = camera === before && camera === JSON.stringify(rig.heading) ? still + 1 : 0;
      before = camera;
    }
  });

/** Where the camera is, and where it will come to rest. */
export const cameraOf = (page: Page): Promise<Pick<CameraRig, 'camera' | 'heading'>> =>
  elementOf(page).evaluate(({ room }: PageElement) => {
    const { camera, heading } = room!.view.rig;
    return { camera, heading };
  });

/** Shows the whole room, so that every place can be tapped: a small window opens close by. */
export async function showAll(page: Page): Promise<void> {
  await page.locator('.view .fit').dispatchEvent('click');
  await cameraRests(page);
}

/** Waits until the page has decoded one more frame. */
export const nextPicture = (page: Page): Promise<void> =>
  elementOf(page).evaluate(({ model }: PageElement) => {
    return new Promise<void>((resolve) => {
      const stop = model.on('picture', () => {
        stop();
        resolve();
      });
    });
  });

/** Has a wall draw that many more pictures, even at rest. */
export const nextPictures = (page: Page, count: number): Promise<void> =>
  elementOf(page).evaluate(async (wall: PageElement, wanted) => {
    const goal = wall.drawn.pictures + wanted;
    while (wall.drawn.pictures < goal) {
      wall.stage?.loop.invalidate();
      await new Promise(requestAnimationFrame);
    }
  }, count);

/** How many places the page knows to be owned. */
export const ownedPlaces = (page: Page): Promise<number> =>
  elementOf(page).evaluate(
    ({ model }: PageElement) => model.planes?.owner.filter((id) => id !== 0).length ?? 0,
  );

/** Waits until the page knows an organism to be in a phase. */
export async function waitForPhase(page: Page, id: number, phase: string): Promise<void> {
  await page.waitForFunction(([{ organisms }, of, wanted]) => organisms.get(of)?.phase === wanted, [
    await modelOf(page),
    id,
    phase,
  ] as const);
}

/** Waits until the page knows at least this many organisms of its visitor that look like this. */
export async function waitForOwn(
  page: Page,
  wanted: Partial<OrganismView> = {},
  count = 1,
): Promise<void> {
  await page.waitForFunction(
    ([{ organisms, you }, facts, least]) =>
      [...organisms.values()].filter(
        (one) =>
          one.planter?.id === you?.id &&
          Object.entries(facts).every(([key, value]) => Reflect.get(one, key) === value),
      ).length >= least,
    [await modelOf(page), wanted, count] as const,
  );
}

/** Waits until the page knows more organisms than this. */
export async function waitForMore(page: Page, than: number): Promise<void> {
  await page.waitForFunction(([{ organisms }, before]) => organisms.size > before, [
    await modelOf(page),
    than,
  ] as const);
}

/**
 * Waits until the page knows an organism to have so many wounds. They never become fewer, whereas a
 * slow page may not look while the organism is awake.
 */
export async function waitForWounds(page: Page, id: number, count: number): Promise<void> {
  await page.waitForFunction(
    ([{ organisms }, of, wanted]) => (organisms.get(of)?.wounds ?? 0) >= wanted,
    [await modelOf(page), id, count] as const,
  );
}

/** Collects what goes wrong in a page from now on. */
export function problemsOf(page: Page, problems: string[] = []): string[] {
  page.on('pageerror', ({ message }) => problems.push(message));
  page.on('console', (message) => {
    // A machine that stands still for long drops a call to the server and makes another.
    const isCall = /closed before the connection is established/.test(message.text());
    if (message.type() === 'error' && !isCall) problems.push(message.text());
  });
  return problems;
}

interface Told {
  readonly toasts: string[];
  /** Patterns of vibrations. */
  readonly felt: unknown[];
}

/** What a visitor's page tells from now on. */
export const watchToasts = (page: Page): Promise<JSHandle<Told>> =>
  elementOf(page).evaluateHandle((room: PageElement) => {
    const told: Told = { toasts: [], felt: [] };
    navigator.vibrate = (pattern) => told.felt.push(pattern) > 0;
    const observer = new MutationObserver((changes) => {
      for (const node of changes.flatMap(({ addedNodes }) => [...addedNodes])) {
        if (node instanceof HTMLElement) told.toasts.push(node.textContent!.trim());
      }
    });
    const layer = room.shadowRoot!.querySelector('toast-layer')!;
    observer.observe(layer.shadowRoot!, { childList: true, subtree: true });
    return told;
  });

/** The element of the page that has the focus, inside of whatever holds it. */
export const focus = (page: Page): Promise<JSHandle<Element>> =>
  page.evaluateHandle(() => {
    let at = document.activeElement!;
    while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    return at;
  });

/** Its test id, or its name. */
export const focused = async (page: Page): Promise<string> =>
  (await focus(page)).evaluate((at) => at.getAttribute('data-testid') ?? at.localName);

/** Presses Tab until an element has the focus. */
export async function tabTo(page: Page, testid: string): Promise<void> {
  for (let i = 0; i < 60; i++) {
    if ((await focused(page)) === testid) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`${testid} was not reached`);
}

/** For scripts in the page: all its animations and transitions, those in shadow trees too. */
export type AnimationsOf = (root: DocumentOrShadowRoot & ParentNode) => Animation[];

export const animationsOf = (page: Page): Promise<JSHandle<AnimationsOf>> =>
  page.evaluateHandle(() => {
    const of: AnimationsOf = (root) => [
      ...root.getAnimations(),
      ...[...root.querySelectorAll('*')].flatMap(({ shadowRoot }) =>
        shadowRoot ? of(shadowRoot) : [],
      ),
    ];
    return of;
  });

/** A place of the window, CSS pixels. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Places from one to another, all as far apart, both included. */
export const line = (from: Point, to: Point, steps: number): Point[] =>
  Array.from({ length: steps + 1 }, (_, i) => ({
    x: from.x + ((to.x - from.x) * i) / steps,
    y: from.y + ((to.y - from.y) * i) / steps,
  }));

/** Points of the drawing pad. @param ways in shares of its side, 0…1 */
export async function padPoints(
  page: Page,
  ways: readonly (readonly (readonly [number, number])[])[],
): Promise<Point[][]> {
  const { x, y, width, height } = (await page.getByTestId('pad').boundingBox())!;
  return ways.map((way) => way.map(([u, v]) => ({ x: x + u * width, y: y + v * height })));
}

/**
 * The mouse presses at the first point of each path, moves along the others and lets go at the last. It does not wait in
 * between: a page that draws in software answers slowly.
 */
export async function drag(page: Page, ...paths: readonly (readonly Point[])[]): Promise<void> {
  const mouse = await page.context().newCDPSession(page);
  const send = (
    type: 'mousePressed' | 'mouseMoved' | 'mouseReleased',
    { x, y }: Point,
    buttons = 1,
  ) =>
    mouse.send('Input.dispatchMouseEvent', { type, x, y, button: 'left', buttons, clickCount: 1 });
  await Promise.all(
    paths.flatMap((path) => [
      send('mouseMoved', path[0], 0),
      send('mousePressed', path[0]),
      ...path.slice(1).map((point) => send('mouseMoved', point)),
      send('mouseReleased', path.at(-1)!, 0),
    ]),
  );
  await mouse.detach();
}

/** How fingers touch. */
export interface TouchOptions {
  /** Called while they are still down, at the end of their ways. */
  readonly meanwhile?: () => Promise<unknown>;
  /**
   * Goes on, in order, without waiting until the page has heard of each event: a busy page takes
   * its time to say so.
   */
  readonly isHasty?: boolean;
}

/**
 * Fingers go down, along, and up again.
 *
 * @param ways the places that each finger passes; each passes as many
 * @returns when the page has heard of all
 */
export async function touch(
  page: Page,
  ways: readonly (readonly Point[])[],
  { meanwhile, isHasty = false }: TouchOptions = {},
): Promise<void> {
  const fingers = await page.context().newCDPSession(page);
  const at = (i: number) => ways.map((way, id) => ({ ...way[i], id }));
  const events: Promise<unknown>[] = [];
  const send = async (
    type: 'touchStart' | 'touchMove' | 'touchEnd',
    touchPoints: ReturnType<typeof at>,
  ): Promise<void> => {
    const heard = fingers.send('Input.dispatchTouchEvent', { type, touchPoints });
    events.push(heard);
    if (!isHasty) await heard;
  };
  await send('touchStart', at(0));
  for (let i = 1; i < ways[0].length; i++) await send('touchMove', at(i));
  if (meanwhile) {
    await Promise.all(events);
    await meanwhile();
  }
  await send('touchEnd', []);
  await Promise.all(events);
  await fingers.detach();
}

/** Clicks a link and reads the file that it downloads. */
export async function download(link: Locator): Promise<{ name: string; bytes: Buffer }> {
  const [saved] = await Promise.all([link.page().waitForEvent('download'), link.click()]);
  const chunks: Buffer[] = [];
  for await (const chunk of await saved.createReadStream()) chunks.push(chunk as Buffer);
  return { name: saved.suggestedFilename(), bytes: Buffer.concat(chunks) };
}
