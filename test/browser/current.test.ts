/**
 * The current bends the picture, and what is tapped is what is seen there. Pages' time goes on
 * frame by frame, however slowly this machine draws.
 */
import type { JSHandle } from 'playwright-core';
import { createRandom } from '../../shared/random.ts';
import { leaveUnpainted, paintNow } from '../support/browser.ts';
import { isFull } from '../support/needs.ts';
import { SMALL } from '../support/organisms.ts';
import { openRoom } from '../support/page.ts';
import { suiteWithPages } from '../support/suite-pages.ts';

const [WIDTH, HEIGHT] = [128, 72];
const VIEW = { width: 480, height: 320 };
/** Time of a few pictures, ms. */
const STEP = 96;
/** Number of steps in which the current is measured to be affordable, and swells. */
const SWELL = 60;
/** Taps that must hit what they are seen to hit. */
const TAPS = isFull ? 1_000 : 300;
const { url, browser } = await suiteWithPages({ ...SMALL, size: `${WIDTH}x${HEIGHT}` });

interface Watched extends HTMLElement {
  readonly room: {
    readonly view: {
      onFrame: (now: number) => boolean;
      readonly loop: { invalidate(): void };
      readonly current: { readonly strength: number };
      readonly renderer: { readonly unfinished: object };
      readonly marks: object;
      readonly unsettled: boolean;
      readonly happenings: { shake(organism: object, now: number): void };
    };
  };
  readonly session: {
    readonly requests: { ask: (name: string, payload: { points: number[] }) => void };
    readonly state: { take(tool: string): void; update(change: object): void };
  };
  readonly model: {
    settings: object;
    tick: number;
    readonly planes: { readonly rgba: Uint8Array; readonly owner: Uint32Array };
    readonly listeners: { emit(name: string, event: unknown): void };
  };
  /** Number of pictures drawn. */
  pictures: number;
  /** RGBA of the last picture drawn while `isCopied` is set: while pixels are computed. */
  pixels: ImageData;
  isCopied: boolean;
  tapped: number[][];
}

const page = await browser.newPage({ viewport: VIEW, deviceScaleFactor: 0.5 });
const element = page.locator('vivarium-room');

/** The room's cells each have a colour that tells where they are, modulo 32. */
beforeAll(async () => {
  await leaveUnpainted(page);
  await page.clock.install();
  await openRoom(page, `${url}/r/garden`);
  // From now on the test alone says what the room does: the server, silent for a moment of this
  // clock, may seem to be lost.
  await element.evaluate(({ model }: Watched) => {
    Object.assign(model, { receive: () => {}, setConnection: () => {} });
  });
  // A page that was slow while it loaded does without the current for a minute.
  await page.clock.pauseAt(Date.now() + 200_000);
  await element.evaluate((element: Watched, width) => {
    const { room, model, session } = element;
    const { rgba } = model.planes;
    for (let i = 0; i < rgba.length / 4; i++) {
      rgba.set([8 * ((i % width) % 32), 8 * (Math.floor(i / width) % 32), 0, 255], 4 * i);
    }
    const canvas = element.shadowRoot!.querySelector('canvas')!;
    const copy = document.createElement('canvas');
    const { onFrame } = room.view;
    // This clock does not wait for the GPU, which is a processor here.
    Object.assign(room.view.renderer.unfinished, { isMany: () => false });
    // Nothing lies over the cells.
    Object.assign(room.view.marks, { add: () => {} });
    element.pictures = 0;
    room.view.onFrame = (now) => {
      element.pictures++;
      if (!element.isCopied) return onFrame.call(room.view, now);
      Object.assign(copy, { width: canvas.width, height: canvas.height });
      const context = copy.getContext('2d', { willReadFrequently: true })!;
      context.drawImage(canvas, 0, 0);
      element.pixels = context.getImageData(0, 0, copy.width, copy.height);
      return onFrame.call(room.view, now);
    };
    element.tapped = [];
    session.requests.ask = (_, { points }) => element.tapped.push(points);
    session.state.take('damage');
    session.state.update({ crisp: true });
  }, WIDTH);
});
afterEach(() => paint(false));

/** Lets the water swell, or calm, as the host has set it. No pixel is computed meanwhile. */
async function swell(water: number): Promise<void> {
  await element.evaluate(({ model }: Watched, strength) => {
    model.settings = { ...model.settings, water: strength };
  }, water);
  await busy(SWELL);
}

/** Computes pixels from now on, or not any more. */
async function paint(isPainted = true): Promise<void> {
  await paintNow(page, isPainted);
  await element.evaluate(
    (element: Watched, isCopied) => Object.assign(element, { isCopied }),
    isPainted,
  );
}

const strengthOf = (): Promise<number> =>
  element.evaluate(({ room }: Watched) => room.view.current.strength);
const picturesOf = (): Promise<number> => element.evaluate(({ pictures }: Watched) => pictures);

/** Lets the room tick for some steps. */
async function busy(steps: number): Promise<void> {
  const ticks = await element.evaluateHandle(
    ({ model, room }: Watched, step) =>
      setInterval(() => {
        model.tick += (step / 1000) * 15;
        const changed = [{ x: 0, y: 0, width: 1, height: 1 }];
        model.listeners.emit('picture', { changed, replaced: [] });
        room.view.loop.invalidate();
      }, step),
    STEP,
  );
  await page.clock.runFor(steps * STEP);
  await ticks.evaluate((id) => clearInterval(id));
}

/** Has a second pass in few pictures. @returns the last of them */
async function still(): Promise<JSHandle<Uint8ClampedArray>> {
  for (let i = 0; i < 4; i++) {
    await element.evaluate(({ room }: Watched) => room.view.loop.invalidate());
    await page.clock.fastForward(250);
  }
  return element.evaluateHandle(({ pixels }: Watched) => pixels.data);
}

/**
 * Taps the middle of some pixels.
 *
 * @param shares of the window's width and height, 0…1
 * @returns how far each hit is from the cell that the picture shows at the point, in cells;
 *   undefined where it shows no cell, or one at the edge, which fades
 */
const tap = (shares: readonly (readonly [number, number])[]) =>
  element.evaluate((page_: Watched, all) => {
    const canvas = page_.shadowRoot!.querySelector('canvas')!;
    const { pixels, tapped } = page_;
    const { width, height, data } = pixels;
    const [rows, columns] = [height / canvas.clientHeight, width / canvas.clientWidth];
    // What is softened because it seems to flash mixes two pictures.
    if (page_.room.view.unsettled) return [];
    return all.map(([across, down]) => {
      const [i, j] = [Math.floor(across * width), Math.floor(down * height)];
      const [r, g, b] = data.subarray(4 * (j * width + i), 4 * (j * width + i) + 3);
      const cell = [Math.round(r / 8), Math.round(g / 8)];
      // The ground is blue.
      if (b > 2) return undefined;
      tapped.length = 0;
      for (const type of ['pointerdown', 'pointerup']) {
        const at = { clientX: (i + 0.5) / columns, clientY: (j + 0.5) / rows };
        const init = { ...at, pointerId: 1, isPrimary: true, bubbles: true };
        canvas.dispatchEvent(new PointerEvent(type, { ...init, pointerType: 'mouse' }));
      }
      const [hit] = tapped;
      // Colours repeat after 32 cells. Between the last and the first, the picture fades through all.
      const isSeam = hit.some((at) => at % 32 < 2 || at % 32 > 30);
      const isEdge = isSeam || hit[0] > 126 || hit[1] > 70;
      if (isEdge) return undefined;
      const off = cell.map((at, k) => {
        const by = (hit[k] - at - 0.5 + 160) % 32;
        return Math.max(0, Math.min(by, 32 - by) - 0.5);
      });
      return Math.hypot(...off);
    });
  }, shares);

test('taps hit what is drawn there, with the current at full and a ripple', async () => {
  // A pointer that no device has cannot be captured.
  await page.evaluate(() => {
    HTMLCanvasElement.prototype.setPointerCapture = () => {};
  });
  await swell(2);
  expect(await strengthOf()).toBe(2);
  await paint();
  const { uniform } = createRandom(5);
  const offs: number[] = [];
  for (let i = 0; i < 60 && offs.length < TAPS; i++) {
    await element.evaluate(({ room }: Watched) => {
      const organism = { id: 1, x: 60, y: 30, side: 32 };
      room.view.happenings.shake(organism, performance.now());
    });
    await busy(2);
    const points = Array.from({ length: 300 }, () => [uniform(), uniform()] as const);
    offs.push(...(await tap(points)).filter((off) => off !== undefined));
  }
  expect(offs.length).toBeGreaterThanOrEqual(TAPS);
  expect(Math.max(...offs)).toBeLessThanOrEqual(0.5);
});

test.each([
  ['with reduced motion', 1, 'reduce'],
  ['with the knob at 0', 0, 'no-preference'],
] as const)('%s the water stands still', async (_, water, reducedMotion) => {
  await page.emulateMedia({ reducedMotion });
  await swell(water);
  expect(await strengthOf()).toBe(0);
  await paint();
  // The cells have just changed. This looks like a flash, which the page softens for a while.
  for (let i = 0; i < 3; i++) await still();
  const [before, after] = [await still(), await still()];
  const most = await after.evaluate(
    (pixels, was) => pixels.reduce((all, value, i) => Math.max(all, Math.abs(value - was[i])), 0),
    before,
  );
  expect(most).toBeLessThan(4);
});

test('a page that rests draws nothing, and its water is calm; a visitor can still it, and the page remembers that', async () => {
  await swell(1);
  expect(await strengthOf()).toBe(1);
  // Not frame by frame; the last seconds are, in which it calms.
  await page.clock.fastForward(20_000);
  await page.clock.runFor(6_000);
  expect(await strengthOf()).toBe(0);
  const before = await picturesOf();
  await page.clock.runFor(20_000);
  expect(await picturesOf()).toBe(before);

  await swell(1);
  expect(await strengthOf()).toBe(1);
  await page.getByTestId('status').dispatchEvent('click');
  await page.clock.runFor(100);
  await page.getByTestId('water').dispatchEvent('click');
  await busy(SWELL);
  expect(await strengthOf()).toBe(0);
  expect(await page.evaluate(() => localStorage.getItem('vivarium water'))).toBe('still');
});
