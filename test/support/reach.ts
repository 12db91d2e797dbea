/** Checks that everything on a page is visible and can be tapped. */
import type { Locator } from 'playwright-core';

/**
 * What a visitor cannot get at within an element, whatever they scroll: controls and words that lie
 * outside of the window or are cut off, and controls that something else covers. Of long lists it
 * looks at a sample.
 *
 * @returns a line for each
 */
export function outOfReach(within: Locator): Promise<string[]> {
  return within.evaluate((scope) => {
    const CONTROLS = 'button, a[href], input, select, canvas[tabindex]:not([data-testid=canvas])';
    const LIST = 24;
    const EVERY = 16;

    const { clientWidth, clientHeight } = document.documentElement;

    const parentOf = (element: Element): Element | null =>
      element.assignedSlot ??
      element.parentElement ??
      (element.getRootNode() as ShadowRoot).host ??
      null;
    const isInside = (element: Element, outer: Element): boolean => {
      for (let at: Element | null = element; at; at = parentOf(at)) if (at === outer) return true;
      return false;
    };
    const deepest = (x: number, y: number): Element | null => {
      let at = document.elementFromPoint(x, y);
      while (at?.shadowRoot) {
        const inner = at.shadowRoot.elementFromPoint(x, y);
        if (!inner || inner === at) break;
        at = inner;
      }
      return at;
    };

    /**
     * What can be seen of the page around an element, and along which axes a visitor can scroll it.
     */
    const rests = new Map<Element, readonly [number, number]>();
    const frameOf = (element: Element) => {
      const frame = { left: 0, top: 0, right: clientWidth, bottom: clientHeight };
      const scrolls = { x: false, y: false };
      for (let at: Element | null = element; at; at = parentOf(at)) {
        const { display, overflowX, overflowY } = getComputedStyle(at);
        if (display === 'contents') continue;
        if (!rests.has(at)) rests.set(at, [at.scrollLeft, at.scrollTop]);
        if (at !== element && (overflowX !== 'visible' || overflowY !== 'visible')) {
          const { left, top } = at.getBoundingClientRect();
          const [x, y] = [left + at.clientLeft, top + at.clientTop];
          frame.left = Math.max(frame.left, x);
          frame.top = Math.max(frame.top, y);
          frame.right = Math.min(frame.right, x + at.clientWidth);
          frame.bottom = Math.min(frame.bottom, y + at.clientHeight);
          // A script can scroll what a visitor cannot.
          if (/hidden|clip/.test(overflowX)) at.scrollLeft = 0;
          else scrolls.x = true;
          if (/hidden|clip/.test(overflowY)) at.scrollTop = 0;
          else scrolls.y = true;
        }
        // Nothing around clips what lies in the top layer.
        if (at.matches('dialog:modal')) break;
      }
      return { frame, scrolls };
    };

    const lines: string[] = [];
    // A phone zooms out of a page that is wider than its window.
    if (innerWidth > clientWidth + 1 || innerHeight > clientHeight + 1) {
      lines.push(
        `the page is ${innerWidth} × ${innerHeight}, not ${clientWidth} × ${clientHeight}`,
      );
    }
    const look = (element: HTMLElement): void => {
      const isControl = element.matches(CONTROLS);
      frameOf(element);
      element.scrollIntoView({ block: 'nearest', inline: 'nearest', behavior: 'instant' });
      frameOf(element);
      const { frame, scrolls } = frameOf(element);
      const { left, top, right, bottom, width, height } = element.getBoundingClientRect();
      const name =
        `${element.localName} ${element.dataset.testid ?? element.className} ${(element.ariaLabel ?? element.textContent ?? '').trim().slice(0, 40)}`.trim();
      const fits = (from: number, to: number, least: number, most: number, scroll: boolean) =>
        (from >= least - 1 && to <= most + 1) ||
        // Larger than what is seen at a time: a visitor scrolls along it.
        (scroll && to - from > most - least && to > least && from < most);
      if (
        !fits(left, right, frame.left, frame.right, scrolls.x) ||
        !fits(top, bottom, frame.top, frame.bottom, scrolls.y)
      ) {
        const [box, seen] = [
          [left, top, right, bottom],
          [frame.left, frame.top, frame.right, frame.bottom],
        ].map((all) => all.map(Math.round).join(' '));
        lines.push(`${name}: at ${box}, seen is ${seen}`);
        return;
      }
      if (!isControl) return;
      const middle = [
        (Math.max(left, frame.left) + Math.min(right, frame.right)) / 2,
        (Math.max(top, frame.top) + Math.min(bottom, frame.bottom)) / 2,
      ];
      const [dx, dy] = [width / 4, height / 4];
      const whole = height <= frame.bottom - frame.top && width <= frame.right - frame.left;
      for (const [x, y] of [
        middle,
        ...(whole
          ? [
              [left + dx, top + dy],
              [right - dx, top + dy],
              [left + dx, bottom - dy],
              [right - dx, bottom - dy],
            ]
          : []),
      ]) {
        const over = deepest(x, y);
        if (over && isInside(over, element)) continue;
        // A label is pressed for what it belongs to.
        if (over && element.closest('label') && over.closest('label') === element.closest('label'))
          continue;
        lines.push(`${name}: under ${over?.localName} ${over?.className}`);
        return;
      }
    };

    const found: HTMLElement[] = [];
    const gather = (root: Element | ShadowRoot): void => {
      for (const element of root.querySelectorAll<HTMLElement>('*')) {
        if (element.shadowRoot) gather(element.shadowRoot);
        const words = [...element.childNodes].some(
          ({ nodeType, textContent }) => nodeType === Node.TEXT_NODE && textContent?.trim(),
        );
        if (!words && !element.matches(CONTROLS)) continue;
        if (element.matches('option, style, title, desc')) continue;
        const { width, height } = element.getBoundingClientRect();
        // What is a pixel wide is for ears.
        if (width < 2 || height < 2 || !element.checkVisibility({ visibilityProperty: true })) {
          continue;
        }
        // Nor does what is out of use count, or what eyes do not see.
        let hidden = false;
        for (let at: Element | null = element; at; at = parentOf(at)) {
          hidden ||= at.hasAttribute('inert') || getComputedStyle(at).clipPath === 'inset(50%)';
        }
        const peers = element.parentElement?.children;
        const at = peers ? [...peers].indexOf(element) : 0;
        const skipped = peers && peers.length > LIST && at % EVERY !== 0 && at < peers.length - 1;
        if (!hidden && !skipped) found.push(element);
      }
    };
    if (scope.shadowRoot) gather(scope.shadowRoot);
    gather(scope);
    if (found.length === 0) lines.push('nothing to look at');
    for (const element of found) look(element);
    for (const [element, [left, top]] of rests) {
      Object.assign(element, { scrollLeft: left, scrollTop: top });
    }
    return lines;
  });
}
