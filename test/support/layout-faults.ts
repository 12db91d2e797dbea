/** What is wrong with how a page is laid out and coloured; locators look into shadow roots too. */
import type { Page } from 'playwright-core';
import { drawnTwice } from './page.ts';

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

/** Buttons whose middle, or whose corners a little inside of them, are under something else. */
export async function covered(page: Page): Promise<string[]> {
  // The layout follows the window with the next pictures.
  for (let i = 0; i < 2; i++) await drawnTwice(page);
  return page.locator('button, select').evaluateAll((elements: HTMLElement[]) => {
    const deepest = (x: number, y: number): Element | null => {
      let at = document.elementFromPoint(x, y);
      while (at?.shadowRoot) {
        const inner = at.shadowRoot.elementFromPoint(x, y);
        if (!inner || inner === at) break;
        at = inner;
      }
      return at;
    };
    const found: string[] = [];
    for (const element of elements) {
      // What scrolls goes on beyond its edge; what only ears meet is seen by nobody.
      if (element.closest('.row, dialog, [data-testid=organism-list]')) continue;
      const { left, top, right, bottom, width, height } = element.getBoundingClientRect();
      if (width < 2 || height < 2) continue;
      const [dx, dy] = [width / 4, height / 4];
      for (const [x, y] of [
        [(left + right) / 2, (top + bottom) / 2],
        [left + dx, top + dy],
        [right - dx, top + dy],
        [left + dx, bottom - dy],
        [right - dx, bottom - dy],
      ]) {
        const over = deepest(x, y);
        if (over && (element === over || element.contains(over) || over.contains(element))) {
          continue;
        }
        const name = element.dataset.testid ?? element.className;
        found.push(`${name} at ${x}, ${y}: ${over?.localName} ${over?.className}`);
        break;
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
