/**
 * Keyboard shortcuts for tools, stroke width and view, and keys that move the focus within a group
 * of buttons.
 */
import type { Tool } from '../../shared/vocabulary.ts';
import type { Point } from '../render/camera.ts';

export type KeyAction =
  | { readonly do: 'take'; readonly tool: Tool }
  | { readonly do: 'radius'; readonly by: number }
  | { readonly do: 'move'; readonly dx: number; readonly dy: number }
  | { readonly do: 'zoom'; readonly factor: number }
  | { readonly do: 'meet'; readonly by: 1 | -1 }
  | { readonly do: 'fit' | 'escape' | 'use' | 'look' | 'mine' | 'seeds' | 'help' };

/**
 * `PAN`: distance by which an arrow key moves the view, in CSS pixels. `ZOOM`: factor by which a
 * zoom key enlarges the view.
 */
const PAN = 90;
const ZOOM = 1.35;

const ACTIONS: Readonly<Record<string, KeyAction>> = {
  '1': { do: 'take', tool: 'plant' },
  p: { do: 'take', tool: 'plant' },
  '2': { do: 'take', tool: 'graft' },
  g: { do: 'take', tool: 'graft' },
  '3': { do: 'take', tool: 'damage' },
  d: { do: 'take', tool: 'damage' },
  '4': { do: 'take', tool: 'look' },
  l: { do: 'take', tool: 'look' },
  '[': { do: 'radius', by: -0.5 },
  ']': { do: 'radius', by: 0.5 },
  '+': { do: 'zoom', factor: ZOOM },
  '=': { do: 'zoom', factor: ZOOM },
  '-': { do: 'zoom', factor: 1 / ZOOM },
  '0': { do: 'fit' },
  f: { do: 'fit' },
  c: { do: 'look' },
  n: { do: 'meet', by: 1 },
  b: { do: 'meet', by: -1 },
  m: { do: 'mine' },
  s: { do: 'seeds' },
};

/**
 * Keys that work even if the visitor has turned the shortcuts in `ACTIONS` off. Speech input can
 * trigger those shortcuts by mistake, but not these keys.
 */
const ALWAYS: Readonly<Record<string, KeyAction>> = {
  escape: { do: 'escape' },
  '?': { do: 'help' },
};

/**
 * Keys that act on the canvas while the canvas has the focus. At other times, the focused control
 * handles these keys.
 */
const CANVAS_ACTIONS: Readonly<Record<string, KeyAction>> = {
  arrowleft: { do: 'move', dx: PAN, dy: 0 },
  arrowright: { do: 'move', dx: -PAN, dy: 0 },
  arrowup: { do: 'move', dx: 0, dy: PAN },
  arrowdown: { do: 'move', dx: 0, dy: -PAN },
  enter: { do: 'use' },
};

/** The properties of a `KeyboardEvent` that `arrowMove` needs. */
export type Press = Pick<KeyboardEvent, 'key' | 'shiftKey'>;

/**
 * Converts an arrow key to a move.
 *
 * @param step length of the move; with Shift, the move is four times as long
 * @returns the move, in the unit of `step`; undefined if the key is not an arrow key
 */
export function arrowMove({ key, shiftKey }: Press, step: number): Point | undefined {
  const length = shiftKey ? 4 * step : step;
  return {
    ArrowLeft: { x: -length, y: 0 },
    ArrowRight: { x: length, y: 0 },
    ArrowUp: { x: 0, y: -length },
    ArrowDown: { x: 0, y: length },
  }[key];
}

/**
 * Returns the action of a key; undefined if there is none.
 *
 * @param key as in `KeyboardEvent.key`
 * @param onCanvas whether the canvas has the focus
 * @param single whether shortcuts that are a single character are enabled
 */
export function keyAction(key: string, onCanvas: boolean, single = true): KeyAction | undefined {
  const name = key.toLowerCase();
  const action = ALWAYS[name] ?? (onCanvas ? CANVAS_ACTIONS[name] : undefined);
  return action ?? (single ? ACTIONS[name] : undefined);
}

/** Returns 1 if text runs from left to right, else -1. */
export const forward = (): number => (document.dir === 'rtl' ? -1 : 1);

/**
 * Returns the number of items by which an arrow key moves the focus: positive in reading order,
 * negative against reading order; undefined for other keys.
 *
 * @param row number of items per row
 */
export function stepOf(key: string, row = 1): number | undefined {
  const right = forward();
  return { ArrowRight: right, ArrowLeft: -right, ArrowDown: row, ArrowUp: -row }[key];
}

/**
 * Lets the Tab key reach exactly one item of a group: the focused item, or else the pressed or
 * selected item, or else the first item.
 */
export function settle(items: readonly HTMLElement[]): void {
  const chosen = '[aria-pressed="true"], [aria-checked="true"], [aria-current="true"]';
  const stop =
    items.find((item) => item.matches(':focus')) ??
    items.find((item) => item.matches(chosen)) ??
    items[0];
  for (const item of items) item.tabIndex = item === stop ? 0 : -1;
}

/** Moves the focus within a grid of buttons if the key is an arrow key, Home or End. */
export function roveGrid(event: KeyboardEvent, grid: HTMLElement): void {
  const all = [...grid.querySelectorAll('button')];
  const index = all.indexOf(event.target as HTMLButtonElement);
  const columns = getComputedStyle(grid).gridTemplateColumns.split(' ').length;
  const ends: Record<string, number> = { Home: -index, End: all.length - 1 - index };
  const step = stepOf(event.key, columns) ?? ends[event.key];
  if (step === undefined || index < 0) return;
  all[index + step]?.focus();
  event.preventDefault();
}

/** Moves the focus within a group of items if the key is an arrow key, Home or End. */
export function rove(event: KeyboardEvent, items: readonly HTMLElement[]): void {
  const at = items.findIndex((item) => item.matches(':focus'));
  const step = stepOf(event.key);
  const ends = { Home: 0, End: items.length - 1 }[event.key];
  const next = ends ?? (step && at >= 0 ? (at + step + items.length) % items.length : undefined);
  if (next === undefined || items.length === 0) return;
  event.preventDefault();
  event.stopPropagation();
  items[next].focus();
  items[next].scrollIntoView({ block: 'nearest', inline: 'nearest' });
  settle(items);
}
