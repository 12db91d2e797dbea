/** Reaches into the host's page: signing in, its sections, its live picture. */
import type { Page } from 'playwright-core';

interface LiveElement extends HTMLElement {
  readonly model?: {
    readonly connection: string;
    readonly planes: { readonly owner: Uint32Array } | undefined;
  };
  worldToScreen(x: number, y: number): { x: number; y: number };
}

export async function signIn(page: Page, port: number, token: string): Promise<void> {
  await page.goto(`http://127.0.0.1:${port}/host`);
  await page.getByTestId('token').fill(token);
  await page.getByTestId('token').press('Enter');
  await page.getByTestId('leave').first().waitFor({ state: 'attached' });
}

/** @param section by its id in `client/host/sections.ts` */
export async function goTo(page: Page, section: string, room = 'garden'): Promise<void> {
  await page.evaluate((hash) => {
    location.hash = hash;
  }, `#/${room}/${section}`);
  await page.locator(`.page[data-section="${section}"]`).waitFor();
}

/** Waits until the live picture shows the room, with so many organisms on it. */
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

/** CSS pixels of the window at which the live picture shows a place of the grid. */
export async function liveScreenOf(
  page: Page,
  x: number,
  y: number,
): Promise<{ x: number; y: number }> {
  return page.getByTestId('live').evaluate(
    (canvas, [px, py]) => {
      const { host } = canvas.getRootNode() as ShadowRoot;
      const at = (host as LiveElement).worldToScreen(px!, py!);
      const { left, top } = host.getBoundingClientRect();
      return { x: left + at.x, y: top + at.y };
    },
    [x, y],
  );
}
