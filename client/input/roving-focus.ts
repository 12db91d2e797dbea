/**
 * Roving tab index: a group of buttons is one Tab stop; arrow keys, Home and End move within it.
 */

const STEPS: Readonly<Record<string, number>> = {
  ArrowRight: 1,
  ArrowDown: 1,
  ArrowLeft: -1,
  ArrowUp: -1,
};

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
  const step = STEPS[event.key];
  const ends = { Home: 0, End: items.length - 1 }[event.key];
  const next = ends ?? (step && at >= 0 ? (at + step + items.length) % items.length : undefined);
  if (next === undefined || items.length === 0) return;
  event.preventDefault();
  event.stopPropagation();
  items[next].focus();
  items[next].scrollIntoView({ block: 'nearest', inline: 'nearest' });
  settle(items);
}
