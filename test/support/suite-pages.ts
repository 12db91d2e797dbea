/** A server, a browser and pages that the tests of one file share. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { ensureClient } from '../../server/http/serve-client.ts';
import { LONG_PERIOD, launchBrowser, leaveUnpainted, slowFrames } from './browser.ts';
import { afterSuite, afterUse } from './closing.ts';
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
 * Opens a page in a context of its own, which is closed after the test that opens it, or else with the browser.
 *
 * @param period between two pictures, ms
 */
async function unpaintedPage(
  browser: Browser,
  options?: BrowserContextOptions,
  period?: number,
): Promise<Page> {
  const context = await browser.newContext(options);
  afterUse(() => context.close());
  await leaveUnpainted(context);
  if (period !== undefined) await slowFrames(context, period);
  return context.newPage();
}

/**
 * Opens a page whose dish is not painted and which draws few pictures. Unless the options say otherwise, nothing glides, and a
 * pixel is two CSS pixels wide.
 */
export const cheapPage = (browser: Browser, options?: BrowserContextOptions): Promise<Page> =>
  unpaintedPage(browser, { ...CHEAP, ...options }, LONG_PERIOD);

export interface SuitePages extends SuiteServer {
  readonly browser: Browser;
  /** A `cheapPage` of that browser. */
  cheapPage(options?: BrowserContextOptions): Promise<Page>;
  /** A page whose pixels are not drawn, closed after the test that opens it. */
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
    newPage: (screen) => unpaintedPage(browser, screen),
  };
}
