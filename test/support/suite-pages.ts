/** A server, a browser and pages that the tests of one file share. */
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { ensureClient } from '../../server/http/client-build.ts';
import { LONG_PERIOD, launchBrowser, leaveUnpainted, slowFrames } from './browser.ts';
import { afterSuite, afterTest } from './closing.ts';
import type { ServerOptions, ServerSettings } from './server.ts';
import { type SuiteServer, suiteServer } from './suite.ts';

/** Starts a browser for all tests of this file, whose pages draw one picture for each tick. */
export async function suiteBrowser(): Promise<Browser> {
  const browser = await launchBrowser();
  const newContext = browser.newContext.bind(browser);
  browser.newContext = async (options) => slowFrames(await newContext(options));
  afterSuite(() => browser.close());
  return browser;
}

/** What costs a processor little: nothing glides, and the browser paints a quarter of the pixels. */
const CHEAP = { reducedMotion: 'reduce', deviceScaleFactor: 0.5 } as const;

/**
 * A page in a context of its own, whose dish is not painted and which draws few pictures. Unless the
 * options say otherwise, nothing glides, and a pixel is two CSS pixels wide.
 */
export async function cheapPage(browser: Browser, options?: BrowserContextOptions): Promise<Page> {
  const context = await browser.newContext({ ...CHEAP, ...options });
  await slowFrames(await leaveUnpainted(context), LONG_PERIOD);
  return context.newPage();
}

export interface SuitePages extends SuiteServer {
  readonly browser: Browser;
  /** A `cheapPage` of that browser. */
  cheapPage(options?: BrowserContextOptions): Promise<Page>;
  /** A page in a context of its own, whose pixels are not drawn. */
  newPage(options?: BrowserContextOptions): Promise<Page>;
}

/**
 * Starts a server with the built pages, and a browser, for all tests of this file. Its rooms tick
 * twice as fast as usual, unless the settings say otherwise: most tests wait for growth.
 */
export async function suiteWithPages(
  settings?: ServerSettings,
  options?: ServerOptions,
): Promise<SuitePages> {
  const clientFolder = await ensureClient(() => {});
  const suite = await suiteServer({ 'tick-rate': 30, ...settings }, { ...options, clientFolder });
  const browser = await suiteBrowser();
  return {
    ...suite,
    browser,
    cheapPage: (screen) => cheapPage(browser, screen),
    newPage: async (screen) => (await browser.newContext(screen).then(leaveUnpainted)).newPage(),
  };
}

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
