/** A real browser that comes from npm: headless Chromium with WebGL2 in software. */
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { seedChance } from './chance.ts';

/** Whether the system has the libraries that Chromium needs and a bare Debian lacks. */
function hasNss(): boolean {
  const folders = ['/usr/lib', '/usr/lib64', '/lib64'].filter((folder) => existsSync(folder));
  const below = folders.flatMap((folder) =>
    readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name.includes('-linux-'))
      .map((entry) => `${folder}/${entry.name}`),
  );
  return [...folders, ...below].some((folder) => existsSync(`${folder}/libnss3.so`));
}

/**
 * Unpacks the browser once; the first caller must be alone.
 *
 * @returns path of the program
 */
export async function unpackBrowser(): Promise<string> {
  // The package brings those libraries for the cloud functions it was made for, and unpacks them
  // only there.
  if (!hasNss()) process.env.AWS_EXECUTION_ENV ??= `AWS_Lambda_nodejs20.x`;
  const { default: chromium } = await import('@sparticuz/chromium');
  return chromium.executablePath();
}

/** A guard, not a measure: what a page is waited for, ms. */
const PATIENCE = 180_000;

/** The font that comes with it, whatever this machine has: pages are laid out alike everywhere. */
const ITS_FONT = { FONTCONFIG_PATH: join(tmpdir(), 'fonts') };

/** In tests, that of the whole process: see `environment.cjs`. */
const { loadPlaywright = () => import('playwright-core') } = globalThis as {
  loadPlaywright?: () => typeof import('playwright-core');
};

/**
 * Chance in its pages is seeded.
 *
 * @param flags of Chromium's command line
 * @param fonts {} for those of this machine, which may have letters that its own font lacks
 */
export async function launchBrowser(
  flags: readonly string[] = [],
  fonts: NodeJS.ProcessEnv = ITS_FONT,
): Promise<Browser> {
  const executablePath = await unpackBrowser();
  const { default: chromium } = await import('@sparticuz/chromium');
  // In one process a crashed page would take the browser along; and these pages keep the web's own
  // security.
  const unwanted = ['--single-process', '--disable-web-security', '--no-zygote'];
  const { chromium: playwright } = await loadPlaywright();
  const browser = await playwright.launch({
    executablePath,
    timeout: PATIENCE,
    env: { ...process.env, ...fonts },
    args: [
      ...chromium.args.filter((arg) => !unwanted.includes(arg)),
      '--disable-background-networking',
      '--disable-component-update',
      // WebGL alone is drawn by the software GPU: it takes three times what the browser's own
      // painting takes for everything around it.
      '--disable-gpu-compositing',
      ...flags,
    ],
  });
  const newContext = browser.newContext.bind(browser);
  browser.newContext = async (options) => {
    const context = await newContext(options);
    context.setDefaultTimeout(PATIENCE);
    await seedChance(context);
    return context;
  };
  return browser;
}
