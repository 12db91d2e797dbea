/**
 * Roving tab index: a group of buttons is one Tab stop; arrow keys, Home and End move within it.
 */

/** 1 where lines of text go from left to right, else -1. */
export const forward = (): number => (document.dir === 'rtl' ? -1 : 1);

/**
 * How many items an arrow key goes on, in the order of the text; undefined for other keys.
 *
 * @param row items between one and the one below it
 */
export function stepOf(key: string, row = 1): number | undefined {
  const right = forward();
  return { ArrowRight: right, ArrowLeft: -right, ArrowDown: row, ArrowUp: -row }[key];
}

/**
 * Makes one item the Tab stop: the focused one, else the pressed or selected one, else the first.
 */
export function settle(items: readonly HTMLElement[]): void {
  const chosen = '[aria-pressed="true"], [aria-checked="true"], [aria-current="true"]';
  const stop =
    items.find((item) => item.matches(':focus')) ??
    items.find((item) => item.matches(chosen)) ??
    items[0];
  for (const item of items) item.tabIndex = item === stop ? 0 : -1;
}

/** Handles keys that move the focus within the group, and ignores all others. */
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
