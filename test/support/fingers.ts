/** Fingers on the screen of a page. */
import type { Page } from 'playwright-core';

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
