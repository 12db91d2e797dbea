/** What a suite of browser tests shares. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { ensureClient } from '../../server/http/client-build.ts';
import { launchBrowser } from './browser.ts';
import { afterSuite } from './closing.ts';
import type { ServerOptions, ServerSettings } from './server.ts';
import { slowFrames } from './slow-frames.ts';
import { type SuiteServer, suiteServer } from './suite.ts';
import { leaveUnpainted } from './unpainted.ts';

/** Starts a browser for all tests of this file, whose pages draw one picture for each tick. */
export async function suiteBrowser(): Promise<Browser> {
  const browser = await launchBrowser();
  const newContext = browser.newContext.bind(browser);
  browser.newContext = async (options) => slowFrames(await newContext(options));
  afterSuite(() => browser.close());
  return browser;
}

export interface SuitePages extends SuiteServer {
  readonly browser: Browser;
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
    newPage: async (screen) => (await browser.newContext(screen).then(leaveUnpainted)).newPage(),
  };
}
