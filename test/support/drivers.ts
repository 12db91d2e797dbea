/** Chromium, Firefox and WebKit behind one small interface, over Playwright, WebDriver BiDi and WebDriver. */

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { launchBrowser } from './browser.ts';
import { drag, type Point } from './page.ts';
import { ended, findProgram, freePort, says } from './programs.ts';

/** Small: it is drawn without a GPU. CSS pixels. */
export const WINDOW = { width: 420, height: 680 };

export interface Driver {
  open(url: string): Promise<void>;
  /**
   * Calls a function in the page and waits for its promise. The function sees nothing of the test
   * but its arguments; these and the result are JSON.
   */
  run<A extends readonly unknown[], T>(
    call: (...args: A) => T | Promise<T>,
    ...args: A
  ): Promise<T>;
  /** The mouse presses at the first point, moves along the others and lets go at the last. */
  drag(path: readonly Point[]): Promise<void>;
  /** The window as PNG, a pixel for each CSS pixel. */
  picture(): Promise<Buffer>;
  close(): Promise<void>;
}

/** A call as an expression, for the page. */
const callText = (call: (...args: never[]) => unknown, args: readonly unknown[]): string =>
  `(${call})(...${JSON.stringify(args)})`;

/** The mouse of `drag`, as both WebDrivers take it. */
function mouseActions(path: readonly Point[]): readonly object[] {
  const moves = path.map(({ x, y }) => ({
    ...{ type: 'pointerMove', duration: 20, origin: 'viewport' },
    ...{ x: Math.round(x), y: Math.round(y) },
  }));
  const actions = [
    moves[0],
    { type: 'pointerDown', button: 0 },
    ...moves.slice(1),
    { type: 'pointerUp', button: 0 },
  ];
  return [{ type: 'pointer', id: 'mouse', parameters: { pointerType: 'mouse' }, actions }];
}

/** Waits until something is so in the page. */
export async function until<A extends readonly unknown[]>(
  driver: Driver,
  isSo: (...args: A) => boolean,
  ...args: A
): Promise<void> {
  while (!(await driver.run(isSo, ...args))) {
    await driver.run(() => new Promise<void>((resolve) => requestAnimationFrame(() => resolve())));
  }
}

/** The box of the first element that can be seen, inside of whatever holds it. */
function boxInPage(selector: string): DOMRectReadOnly | null {
  const findIn = (root: Document | ShadowRoot): Element | undefined => {
    for (const element of root.querySelectorAll('*')) {
      if (element.matches(selector)) return element;
      const inner = element.shadowRoot && findIn(element.shadowRoot);
      if (inner) return inner;
    }
    return undefined;
  };
  const element = findIn(document);
  if (!element || element.matches(':disabled')) return null;
  element.scrollIntoView({ block: 'nearest', inline: 'nearest', behavior: 'instant' });
  const { x, y, width, height } = element.getBoundingClientRect();
  return width > 0 ? ({ x, y, width, height } as DOMRectReadOnly) : null;
}

/** Waits until an element can be used and stands still. @returns its box in the window */
export async function boxOf(driver: Driver, selector: string): Promise<DOMRectReadOnly> {
  for (let before = ''; ; ) {
    const box = await driver.run(boxInPage, selector);
    if (box && JSON.stringify(box) === before) return box;
    before = JSON.stringify(box);
    await driver.run(() => new Promise<void>((resolve) => requestAnimationFrame(() => resolve())));
  }
}

/** Clicks on an element as soon as it can be used. */
export async function press(driver: Driver, selector: string): Promise<void> {
  const { x, y, width, height } = await boxOf(driver, selector);
  await driver.drag([{ x: x + width / 2, y: y + height / 2 }]);
}

export async function launchChromium(): Promise<Driver> {
  const browser = await launchBrowser();
  const screen = { viewport: WINDOW, deviceScaleFactor: 0.5, reducedMotion: 'reduce' } as const;
  const page = await browser.newPage(screen);
  return {
    open: async (url) => {
      await page.goto(url);
    },
    run: (call, ...args) => page.evaluate(callText(call, args)),
    drag: (path) => drag(page, path),
    picture: () => page.screenshot({ scale: 'css' }),
    close: () => browser.close(),
  };
}

const XVFB = findProgram('Xvfb');

const hasScreen = XVFB !== undefined;

export interface Screen {
  /** Environment of the programs that use it, whatever display or GPU this machine has. */
  readonly env: NodeJS.ProcessEnv;
  close(): Promise<void>;
}

async function openScreen(): Promise<Screen> {
  const args = ['-displayfd', '3', '-screen', '0', '1280x900x24', '-nolisten', 'tcp'];
  const program = spawn(XVFB!, args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  const [number] = await says(program, program.stdio[3] as Readable, /\d+(?=\n)/);
  const display = { DISPLAY: `:${number}`, GDK_BACKEND: 'x11', LIBGL_ALWAYS_SOFTWARE: '1' };
  return {
    env: { ...process.env, ...display },
    close: async () => {
      program.kill();
      await ended(program);
    },
  };
}

const FIREFOX = findProgram('firefox-esr');

export const hasFirefox = FIREFOX !== undefined && hasScreen;

// Without a GPU, Firefox draws WebGL in software only when told to.
const PREFERENCES = `
user_pref("webgl.force-enabled", true);
user_pref("ui.prefersReducedMotion", 1);
`;

// biome-ignore lint/suspicious/noExplicitAny: answers of the protocol
type Answer = any;

/** Commands and their answers. */
class Session {
  private readonly waiting = new Map<number, (answer: Answer) => void>();
  private count = 0;

  constructor(private readonly socket: WebSocket) {
    socket.on('message', (data) => {
      const answer = JSON.parse(String(data));
      this.waiting.get(answer.id)?.(answer);
      this.waiting.delete(answer.id);
    });
    socket.on('close', () => {
      for (const answer of this.waiting.values()) {
        answer({ type: 'error', error: 'closed', message: 'Firefox has ended' });
      }
    });
  }

  /** @throws Error as the browser says it */
  call(method: string, params: object): Promise<Answer> {
    const id = ++this.count;
    this.socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve, reject) => {
      this.waiting.set(id, ({ type, result, error, message }) => {
        if (type === 'success') resolve(result);
        else reject(new Error(`${method}: ${error}: ${message}`));
      });
    });
  }
}

export async function launchFirefox(): Promise<Driver> {
  const profile = mkdtempSync(join(tmpdir(), 'vivarium-firefox-'));
  writeFileSync(join(profile, 'user.js'), PREFERENCES);
  const screen = await openScreen();
  // Headless, it has no WebGL.
  const args = ['--no-remote', '--profile', profile, '--remote-debugging-port', '0'];
  const program = spawn(FIREFOX!, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: screen.env,
  });
  const [, address] = await says(program, program.stderr, /listening on (ws:\S+)/);
  const socket = new WebSocket(`${address}/session`);
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const session = new Session(socket);
  await session.call('session.new', { capabilities: {} });
  const { context } = await session.call('browsingContext.create', { type: 'tab' });
  await session.call('browsingContext.setViewport', { context, viewport: WINDOW });
  return {
    open: (url) => session.call('browsingContext.navigate', { context, url, wait: 'complete' }),
    run: async (call, ...values) => {
      const expression = `Promise.resolve(${callText(call, values)}).then(JSON.stringify)`;
      const { type, result, exceptionDetails } = await session.call('script.evaluate', {
        ...{ expression, target: { context }, awaitPromise: true },
      });
      if (type === 'exception') throw new Error(exceptionDetails.text);
      return result.value === undefined ? undefined : JSON.parse(result.value);
    },
    drag: (path) => session.call('input.performActions', { context, actions: mouseActions(path) }),
    picture: async () => {
      const { data } = await session.call('browsingContext.captureScreenshot', { context });
      return Buffer.from(data, 'base64');
    },
    close: async () => {
      program.kill();
      await ended(program);
      await screen.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

const WEBKIT = findProgram('WebKitWebDriver');

export const hasWebKit = WEBKIT !== undefined && hasScreen;

export async function launchWebKit(): Promise<Driver> {
  const screen = await openScreen();
  const port = await freePort();
  // Motion is reduced where GTK's is.
  const config = mkdtempSync(join(tmpdir(), 'vivarium-webkit-'));
  mkdirSync(join(config, 'gtk-3.0'));
  writeFileSync(join(config, 'gtk-3.0/settings.ini'), '[Settings]\ngtk-enable-animations=false\n');
  const program = spawn(WEBKIT!, [`--port=${port}`, '--host=127.0.0.1'], {
    stdio: 'ignore',
    env: { ...screen.env, XDG_CONFIG_HOME: config },
  });

  /** @throws Error as the driver says it */
  // biome-ignore lint/suspicious/noExplicitAny: answers of the protocol
  const send = async (method: string, path: string, body?: object): Promise<any> => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { 'Content-Type': 'application/json' },
      body: body ? JSON.stringify(body) : null,
    });
    const { value } = (await answer.json()) as { value: { error?: string; message?: string } };
    if (!answer.ok) throw new Error(`${path}: ${value.error}: ${value.message}`);
    return value;
  };
  while (!(await send('GET', '/status').catch(() => undefined))) {
    if (program.exitCode !== null) throw new Error('WebKitWebDriver has ended');
    await pause(50);
  }
  const { sessionId } = await send('POST', '/session', { capabilities: { alwaysMatch: {} } });
  const session = `/session/${sessionId}`;
  const patience = { script: 600_000, pageLoad: 600_000 };
  await send('POST', `${session}/timeouts`, patience);
  // Its toolbar takes some of it.
  await send('POST', `${session}/window/rect`, { ...WINDOW, height: WINDOW.height + 60 });
  return {
    open: (url) => send('POST', `${session}/url`, { url }),
    run: async (call, ...values) => {
      const script = `const done = arguments[0];
        Promise.resolve().then(() => ${callText(call, values)}).then(
          (value) => done({ value }), (error) => done({ error: String(error) }));`;
      const { value, error } = await send('POST', `${session}/execute/async`, { script, args: [] });
      if (error) throw new Error(error);
      return value;
    },
    drag: (path) => send('POST', `${session}/actions`, { actions: mouseActions(path) }),
    picture: async () => Buffer.from(await send('GET', `${session}/screenshot`), 'base64'),
    close: async () => {
      await send('DELETE', session).catch(() => undefined);
      program.kill();
      await ended(program);
      await screen.close();
      rmSync(config, { recursive: true, force: true });
    },
  };
}
