/** Headless Chromium from npm, with WebGL2 in software and seeded chance, and ways to make its pages draw less. */

import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { SEED } from './needs.ts';

/** From now on each page of this context draws from a seeded generator of its own (SplitMix32). */
async function seedChance(context: BrowserContext): Promise<void> {
  if (process.env.VIVARIUM_TEST_FULL) console.info(`VIVARIUM_TEST_SEED=${SEED}`);
  await context.addInitScript((seed) => {
    let state = seed;
    Math.random = () => {
      state = (state + 0x9e3779b9) | 0;
      let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
      return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
    };
  }, SEED);
}

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

/** Between two pictures, ms: about one for each tick, and no reason to lower the resolution. */
const PERIOD = 40;
/** The same where no pixel is looked at, or nothing depends on the resolution. */
export const LONG_PERIOD = 100;

/** In a page: it draws few pictures a second from now on. @param period between two of them, ms */
export function drawSeldom(period: number): void {
  const { requestAnimationFrame, setTimeout } = window;
  const waiting = new Map<number, FrameRequestCallback>();
  let lastId = 0;
  let isResting = false;
  const draw = (now: number): void => {
    isResting = true;
    setTimeout(() => {
      isResting = false;
      if (waiting.size > 0) requestAnimationFrame(draw);
    }, period);
    for (const id of [...waiting.keys()]) {
      const callback = waiting.get(id);
      waiting.delete(id);
      callback?.(now);
    }
  };
  window.requestAnimationFrame = (callback) => {
    // A picture follows at once where there was none for a while.
    if (waiting.size === 0 && !isResting) requestAnimationFrame(draw);
    waiting.set(++lastId, callback);
    return lastId;
  };
  window.cancelAnimationFrame = (id) => {
    waiting.delete(id);
  };
}

/** From now on the pages of this context draw few pictures a second. */
export async function slowFrames(
  context: BrowserContext,
  period = PERIOD,
): Promise<BrowserContext> {
  await context.addInitScript(drawSeldom, period);
  return context;
}

/**
 * From now on this page, or the pages of this context, ask for everything that a picture is made of,
 * upload their textures and set their uniforms; only the pixels, which on a machine without a GPU
 * cost a processor more than all the rest, are neither computed nor brought to the screen.
 */
export async function leaveUnpainted<Of extends BrowserContext | Page>(of: Of): Promise<Of> {
  await of.addInitScript(unpaint, WISH);
  return of;
}

/** In a page: the same from now on, unless its origin keeps a wish. */
export function unpaint(wish: string): void {
  try {
    if (localStorage.getItem(wish)) return;
  } catch {
    // An empty page has none.
  }
  // A canvas that has been touched is copied for the browser's own painting, picture by picture.
  const draws = ['drawArrays', 'drawArraysInstanced', 'drawElements', 'drawElementsInstanced'];
  for (const { prototype } of [WebGL2RenderingContext, WebGLRenderingContext]) {
    for (const name of [...draws, 'blitFramebuffer', 'clear']) {
      const draw = Reflect.get(prototype, name);
      if (!draw) continue;
      Object.assign(prototype, {
        // Methods: benchmarks' transpiler wraps functions that are variables in one of its own.
        [name](...args: unknown[]) {
          if (Reflect.get(window, wish)) Reflect.apply(draw, this, args);
        },
      });
    }
  }
}

/** What an origin keeps whose pages are painted after all, and a page that is painted from now on. */
export const WISH = 'test:painted';

/** Has a page, once it is loaded again, and later ones of its origin paint, or not any more. */
export const paintNext = (page: Page, isPainted: boolean): Promise<void> =>
  page.evaluate(
    ([wish, value]) => (value ? localStorage.setItem(wish, value) : localStorage.removeItem(wish)),
    [WISH, isPainted ? 'yes' : ''],
  );

/** From now on a room or wall that is left unpainted computes pixels, all of them anew, or not any more. */
export const paintNow = (page: Page, isPainted = true): Promise<void> =>
  page.evaluate(`(${paintAnew})('${WISH}', ${isPainted})`);

/** In a page: the same. */
export function paintAnew(wish: string, isPainted: boolean): void {
  Reflect.set(window, wish, isPainted);
  const { model } = document.querySelector('vivarium-room, vivarium-wall') as Shown;
  const all = [{ x: 0, y: 0, width: model.planes.width, height: model.planes.height }];
  model.listeners.emit('picture', { changed: all, replaced: all });
}

interface Shown extends HTMLElement {
  readonly model: {
    readonly planes: { readonly width: number; readonly height: number };
    readonly listeners: { emit(name: string, event: object): void };
  };
}

/**
 * From now on this page, or the pages of this context, can run functions that define functions of
 * their own: the transpiler wraps those in a helper that only the process has.
 */
export async function runTranspiled<Of extends BrowserContext | Page>(of: Of): Promise<Of> {
  await of.addInitScript('globalThis.__name = (named) => named');
  return of;
}
