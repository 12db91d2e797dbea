/**
 * What a test needs of a browser, whichever it is: little enough to be the same over Playwright,
 * WebDriver BiDi and WebDriver.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Small: it is drawn without a GPU. CSS pixels. */
export const WINDOW = { width: 420, height: 680 };

/** CSS pixels from the top left of the window. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

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

/** @returns where a program of this machine is; undefined where it is not installed */
export function findProgram(name: string): string | undefined {
  const paths = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name));
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** A call as an expression, for the page. */
export const callText = (call: (...args: never[]) => unknown, args: readonly unknown[]): string =>
  `(${call})(...${JSON.stringify(args)})`;

/** The mouse of `drag`, as both WebDrivers take it. */
export function mouseActions(path: readonly Point[]): readonly object[] {
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
