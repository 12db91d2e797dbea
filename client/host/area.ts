/** A rectangle of the grid, drawn with the keys; and in words. Pure. */
import { msg, str } from '@lit/localize';
import type { Planes } from '../../shared/codec/planes.ts';
import type { Rect } from '../../shared/geometry.ts';
import type { Point } from '../render/camera.ts';

const STEP = 4;
const FIRST = 32;

const WAYS: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: -STEP, y: 0 },
  ArrowRight: { x: STEP, y: 0 },
  ArrowUp: { x: 0, y: -STEP },
  ArrowDown: { x: 0, y: STEP },
};

interface Grid {
  readonly width: number;
  readonly height: number;
}

const clamp = (value: number, low: number, high: number): number =>
  Math.max(low, Math.min(high, value));

/**
 * Moves a rectangle by arrow keys, with Shift changes its size; the first key puts one there.
 *
 * @param middle of what is shown
 * @returns undefined for other keys
 */
export function areaKey(
  { key, shiftKey }: { readonly key: string; readonly shiftKey: boolean },
  area: Rect | undefined,
  middle: Point,
  grid: Grid,
): Rect | undefined {
  const way = WAYS[key];
  if (!way) return undefined;
  if (!area) {
    const [width, height] = [Math.min(FIRST, grid.width), Math.min(FIRST, grid.height)];
    return {
      x: clamp(Math.round(middle.x - width / 2), 0, grid.width - width),
      y: clamp(Math.round(middle.y - height / 2), 0, grid.height - height),
      width,
      height,
    };
  }
  if (shiftKey) {
    return {
      ...area,
      width: clamp(area.width + way.x, 1, grid.width - area.x),
      height: clamp(area.height + way.y, 1, grid.height - area.y),
    };
  }
  return {
    ...area,
    x: clamp(area.x + way.x, 0, grid.width - area.width),
    y: clamp(area.y + way.y, 0, grid.height - area.height),
  };
}

export function areaWords({ x, y, width, height }: Rect): string {
  return msg(str`${width} × ${height} cells, ${x} from the left and ${y} from the top`);
}

/** How many organisms hold a place of a rectangle: what clearing it removes. */
export function organismsIn({ x, y, width, height }: Rect, { owner, width: row }: Planes): number {
  const found = new Set<number>();
  for (let j = y; j < y + height; j++) {
    for (const id of owner.subarray(j * row + x, j * row + x + width)) found.add(id);
  }
  found.delete(0);
  return found.size;
}
