/** Screens that walls hang on, each for one test. */
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { afterTest } from './closing.ts';
import { leaveUnpainted } from './unpainted.ts';

/** A wall that holds still, so that two pictures of it can be compared. */
export const STILL = { reducedMotion: 'reduce' } as const;

/**
 * Pixels of a large screen for each of the page's: all of them take minutes a picture where a
 * processor draws.
 */
export const pixels = (reduced: number): number => (process.env.VIVARIUM_TEST_FULL ? 1 : reduced);

/** A page of its own, as large as a screen. */
type OpenScreen = (width: number, height: number, options?: BrowserContextOptions) => Promise<Page>;

/**
 * Opens screens of a browser, whose pixels are drawn, or are not for a test that asks only where
 * things are.
 */
export function wallScreens(browser: Browser): { screen: OpenScreen; unpainted: OpenScreen } {
  const opener =
    (prepare: (context: BrowserContext) => BrowserContext | Promise<BrowserContext>): OpenScreen =>
    async (width, height, options) => {
      const context = await browser.newContext({ viewport: { width, height }, ...options });
      afterTest(() => context.close());
      return (await prepare(context)).newPage();
    };
  return { screen: opener((context) => context), unpainted: opener(leaveUnpainted) };
}
