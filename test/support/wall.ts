/** Reads the model and the picture of a wall's page. */
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import type { OrganismView } from '../../shared/vocabulary.ts';

/** What `<vivarium-wall>` shows to scripts. */
interface WallElement extends HTMLElement {
  readonly renderRoot: ShadowRoot;
  readonly model: {
    readonly tick: number | undefined;
    readonly connection: string;
    readonly planes: { readonly rgba: Uint8Array; readonly owner: Uint32Array } | undefined;
    readonly organisms: ReadonlyMap<number, OrganismView>;
  };
  readonly drawn: { readonly pictures: number; readonly soft: boolean };
  readonly stage: { readonly loop: { invalidate(): void } } | undefined;
  worldToScreen(x: number, y: number): { x: number; y: number };
}

/** A picture of the page, or a part of it: [width × height × 3] bytes. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

export async function openWall(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await waitForConnection(page, 'live');
  await nextPictures(page, 2);
}

export async function waitForConnection(page: Page, state: string): Promise<void> {
  await page.waitForSelector(`html[data-connection="${state}"]`, { state: 'attached' });
}

/** Has the wall draw so many pictures more, though it be at rest. */
export async function nextPictures(page: Page, count: number): Promise<void> {
  await page.evaluate(async (wanted) => {
    const wall = document.querySelector('vivarium-wall') as unknown as WallElement;
    const goal = wall.drawn.pictures + wanted;
    while (wall.drawn.pictures < goal) {
      wall.stage?.loop.invalidate();
      await new Promise(requestAnimationFrame);
    }
  }, count);
}

/** CSS pixels of a place of the grid on a wall that hangs straight. */
export function placeOf(page: Page, x: number, y: number): Promise<{ x: number; y: number }> {
  return page.evaluate(
    ([px, py]) =>
      (document.querySelector('vivarium-wall') as unknown as WallElement).worldToScreen(px, py),
    [x, y],
  );
}

/** How many places the wall knows to be owned. */
export function ownedPlaces(page: Page): Promise<number> {
  return page.evaluate(() => {
    const { model } = document.querySelector('vivarium-wall') as unknown as WallElement;
    return model.planes?.owner.filter((id) => id !== 0).length ?? 0;
  });
}

/** Waits until the wall knows an organism to be in a phase. */
export async function waitForPhaseOnWall(page: Page, id: number, phase: string): Promise<void> {
  await page.waitForFunction(
    ([of, wanted]) => {
      const { model } = document.querySelector('vivarium-wall') as unknown as WallElement;
      return model.organisms.get(of as number)?.phase === wanted;
    },
    [id, phase] as const,
  );
}

interface Clip {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export async function pixelsOf(page: Page, clip?: Clip): Promise<Pixels> {
  const png = await page.screenshot({ timeout: 180_000, ...(clip && { clip }) });
  const { data, info } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data };
}

/** Mean difference of two pictures, 0…255. @param at where a pixel of the first is in the second; the same by default */
export function differenceOf(
  a: Pixels,
  b: Pixels,
  at: (x: number, y: number) => readonly [number, number] = (x, y) => [x, y],
): number {
  let sum = 0;
  for (let y = 0; y < a.height; y++) {
    for (let x = 0; x < a.width; x++) {
      const [u, v] = at(x, y);
      for (let i = 0; i < 3; i++) {
        sum += Math.abs(a.data[3 * (y * a.width + x) + i] - b.data[3 * (v * b.width + u) + i]);
      }
    }
  }
  return sum / (3 * a.width * a.height);
}

/** Mean of a picture's values, 0…255. */
export function brightnessOf({ data }: Pixels): number {
  return data.reduce((sum, value) => sum + value, 0) / data.length;
}
