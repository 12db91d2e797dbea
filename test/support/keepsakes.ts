/** Pictures of organisms in a room and on the page of keepsakes, to be compared. */
import type { Page } from 'playwright-core';
import type { Room } from '../../server/world/room.ts';
import { windowAround } from '../../shared/geometry.ts';
import type { OrganismView } from '../../shared/vocabulary.ts';

/** The page of keepsakes, as scripts see it. */
export interface Keep extends HTMLElement {
  readonly phase: string;
  readonly cells: ImageData | undefined;
}

export const phaseOf = (page: Page, phase: string): Promise<void> =>
  page.locator(`[data-testid=keep][data-phase=${phase}]`).waitFor();

/** RGBA of an organism's cells, premultiplied, as the server has them. */
export function cellsOf(room: Room, { id, x, y, side }: OrganismView): Uint8Array {
  const { rgba, owner, width } = room.grid.planes;
  const { x: left, y: top } = windowAround(x, y, side);
  return Uint8Array.from({ length: 4 * side * side }, (_, i) => {
    const cell = i >> 2;
    const place = (top + Math.floor(cell / side)) * width + left + (cell % side);
    // What is shown is at most as light as it is opaque.
    return owner[place] === id ? Math.min(rgba[4 * place + (i & 3)], rgba[4 * place + 3]) : 0;
  });
}

/** RGBA of the cells that the page has grown, premultiplied. */
export async function keptCells(page: Page): Promise<Uint8Array> {
  await phaseOf(page, 'grown');
  const cells = await page.evaluate(() => [
    ...(document.querySelector('vivarium-keep') as Keep).cells!.data,
  ]);
  const rgba = Uint8Array.from(cells);
  return rgba.map((value, i) => (i % 4 === 3 ? value : (value * rgba[i | 3]) / 255));
}
