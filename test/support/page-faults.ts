/**
 * Finds faults of a page: violations that axe-core reports, and what is too faint, too small, cut off, covered or out of reach.
 */
import AxeBuilder from '@axe-core/playwright';
import type { Locator, Page } from 'playwright-core';
import { animationsOf, resize } from './page.ts';
import { sizeText, type WindowSize } from './screens.ts';

/**
 * The violations that axe-core finds, with enough detail to fix them. Animations are finished
 * first.
 */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(
    async (animationsOf) => {
      const moving = () =>
        animationsOf(document)
          .filter(({ effect }) => effect?.getComputedTiming().iterations === 1)
          .filter(({ playState }) => playState !== 'finished')
          .filter(({ effect }) => !isEnergy((effect as KeyframeEffect).target));
      // It grows for as long as energy refills, and holds no text.
      const isEnergy = (target: Element | null): boolean => !!target?.closest('.energy');
      // What is drawn next may begin to move as well.
      for (let calm = 0; calm < 3; calm++) {
        const some = moving();
        if (some.length > 0) calm = 0;
        await Promise.all(some.map((one) => one.finished.catch(() => undefined)));
        await new Promise(requestAnimationFrame);
      }
    },
    await animationsOf(page),
  );
  // Our pages have no frames: without that detour through a page of its own, a look takes a tenth
  // of the time.
  // Its half a megabyte stays in a page.
  const isThere = await page.evaluate(() => 'axe' in window);
  const { violations: found } = await new AxeBuilder({
    page,
    ...(isThere && { axeSource: 'void 0;' }),
  })
    .setLegacyMode(true)
    .options({ resultTypes: ['violations'] })
    .analyze();
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`),
  );
}

/**
 * Texts and icons whose contrast is below AA, were the canvas below them all white, or all black.
 */
export function faint(page: Page): Promise<string[]> {
  return page.locator('*').evaluateAll((elements: HTMLElement[]) => {
    type Color = readonly [number, number, number, number];
    const pixel = document.createElement('canvas').getContext('2d', { willReadFrequently: true })!;
    const parse = (color: string): Color => {
      pixel.clearRect(0, 0, 1, 1);
      pixel.fillStyle = color;
      pixel.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = pixel.getImageData(0, 0, 1, 1).data;
      return [r, g, b, a / 255];
    };
    const over = (top: Color, below: Color): Color => {
      const [r, g, b] = [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]));
      return [r, g, b, 1];
    };
    const luminance = ([r, g, b]: Color): number => {
      const [R, G, B] = [r, g, b].map((c) =>
        c <= 10 ? c / 3294.6 : ((c / 255 + 0.055) / 1.055) ** 2.4,
      );
      return 0.2126 * R + 0.7152 * G + 0.0722 * B;
    };
    const contrast = (a: Color, b: Color): number => {
      const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
      return (light + 0.05) / (dark + 0.05);
    };
    const parentOf = (element: Element): Element | null =>
      element.assignedSlot ??
      element.parentElement ??
      (element.getRootNode() as ShadowRoot).host ??
      null;
    const found: string[] = [];
    for (const element of elements) {
      const icon = element.localName === 'svg';
      const words = [...element.childNodes].some(
        (node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim(),
      );
      const { width, height } = element.getBoundingClientRect();
      if (!(icon || words) || width < 2 || height < 2) continue;
      // What cannot be used, and what eyes do not see, need no contrast; the title has a shade of
      // its own below it.
      if (element.closest(':disabled, [data-testid=organism-list], select, header h1')) continue;
      for (const canvas of [
        [255, 255, 255, 1],
        [0, 0, 0, 1],
      ] as const) {
        const layers: Color[] = [];
        for (let at: Element | null = element; at; at = parentOf(at)) {
          if (at.localName === 'vivarium-room') break;
          layers.push(parse(getComputedStyle(at).backgroundColor));
        }
        const ground = layers.reduceRight<Color>((below, layer) => over(layer, below), canvas);
        const ink = over(parse(getComputedStyle(element).color), ground);
        if (contrast(ink, ground) < (icon ? 3 : 4.5)) {
          const text = element.textContent?.trim() || element.parentElement?.className;
          found.push(`${element.localName} "${text}": ${contrast(ink, ground).toFixed(2)}`);
        }
      }
    }
    return found;
  });
}

/** What a finger can press that is smaller than a fingertip. */
export function tiny(page: Page): Promise<string[]> {
  return page
    .locator('button, select, input, a, [role=button]')
    .evaluateAll((elements: HTMLElement[]) => {
      const found: string[] = [];
      for (const element of elements) {
        const { width, height } = element.getBoundingClientRect();
        if (width < 2 || element.closest('[data-testid=organism-list]')) continue;
        // A label is pressed as well as what it belongs to.
        const label = element.closest('label')?.getBoundingClientRect();
        const [w, h] = [Math.max(width, label?.width ?? 0), Math.max(height, label?.height ?? 0)];
        if (w < 43.5 || h < 43.5) {
          found.push(`${element.localName} ${element.className} ${element.title}: ${w} × ${h}`);
        }
      }
      return found;
    });
}

/** Buttons and panels whose text is cut off, or that stand outside of the window. */
export function spilled(page: Page): Promise<string[]> {
  return page
    .locator('button, .panel, p, dd, dt, h1, h2, label')
    .evaluateAll((elements: HTMLElement[]) => {
      const found: string[] = [];
      for (const element of elements) {
        const { left, right, width } = element.getBoundingClientRect();
        // What scrolls may reach out; what is hidden from eyes does not count.
        if (width < 2 || element.closest('.row, .chips, dialog, [data-testid=organism-list]'))
          continue;
        const cut = element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0;
        const outside = left < -1 || right > innerWidth + 1;
        if (cut || outside) {
          found.push(`${element.localName}.${element.className}: ${element.textContent?.trim()}`);
        }
      }
      return found;
    });
}

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

/** What is out of reach in any of the windows. @returns a line for each, with the window's size */
export async function outOfReachIn(
  windows: readonly WindowSize[],
  page: Page,
  scope: Locator,
): Promise<string[]> {
  const lines: string[] = [];
  for (const size of windows) {
    await resize(page, size);
    lines.push(...(await outOfReach(scope)).map((line) => `${sizeText(size)}: ${line}`));
  }
  return lines;
}
