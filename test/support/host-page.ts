/** Helpers for the host's page: signing in, sections, the live picture. */
import type { Page } from 'playwright-core';

interface LiveElement extends HTMLElement {
  readonly model?: {
    readonly connection: string;
    readonly planes: { readonly owner: Uint32Array } | undefined;
  };
  worldToScreen(x: number, y: number): { x: number; y: number };
}

/** Signs in and waits for the sections. */
export async function signIn(page: Page, port: number, token: string): Promise<void> {
  await page.goto(`http://127.0.0.1:${port}/host`);
  await page.getByTestId('token').fill(token);
  await page.getByTestId('token').press('Enter');
  await page.getByTestId('leave').first().waitFor({ state: 'attached' });
}

/** Opens a section. @param section its id in `client/host/sections.ts` */
export async function goTo(page: Page, section: string, room = 'garden'): Promise<void> {
  await page.evaluate((hash) => {
    location.hash = hash;
  }, `#/${room}/${section}`);
  await page.locator(`.page[data-section="${section}"]`).waitFor();
}

/** Waits until the live picture shows the room with at least that many organisms. */
export async function liveShows(page: Page, organisms = 0): Promise<void> {
  const canvas = await page.getByTestId('live').elementHandle();
  await page.waitForFunction(
    ([element, wanted]) => {
      const { model } = (element!.getRootNode() as ShadowRoot).host as LiveElement;
      if (model?.connection !== 'live' || !model.planes) return false;
      return new Set(model.planes.owner).size - 1 >= wanted;
    },
    [canvas, organisms] as const,
  );
}

/** Converts grid coordinates of the live picture to CSS pixels of the window. */
export async function liveScreenOf(
  page: Page,
  x: number,
  y: number,
): Promise<{ x: number; y: number }> {
  return page.getByTestId('live').evaluate(
    (canvas, [px, py]) => {
      const { host } = canvas.getRootNode() as ShadowRoot;
      const point = (host as LiveElement).worldToScreen(px!, py!);
      const { left, top } = host.getBoundingClientRect();
      return { x: left + point.x, y: top + point.y };
    },
    [x, y],
  );
}
