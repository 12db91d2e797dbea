/** Rectangles of the grid: moved by keys, described in words, and what lies in them. */
import { msg, str } from '@lit/localize';
import type { Planes } from '../../shared/codec/planes.ts';
import type { Rect } from '../../shared/geometry.ts';
import { number } from '../elements/text.ts';
import { arrowMove, type Press } from '../input/keyboard.ts';
import type { Point, Size } from '../render/camera.ts';

/** Cells per key press. */
const STEP = 4;
/** Side of a new rectangle, cells. */
const INITIAL = 32;

const clamp = (value: number, low: number, high: number): number =>
  Math.max(low, Math.min(high, value));

/**
 * Moves a rectangle with the arrow keys, or resizes it with Shift. Without a rectangle, the first
 * key creates one.
 *
 * @param middle of the view, where a new rectangle is created
 * @returns undefined for other keys
 */
export function areaKey(
  { key, shiftKey }: Press,
  area: Rect | undefined,
  middle: Point,
  grid: Size,
): Rect | undefined {
  const step = arrowMove({ key, shiftKey: false }, STEP);
  if (!step) return undefined;
  if (!area) {
    const [width, height] = [Math.min(INITIAL, grid.width), Math.min(INITIAL, grid.height)];
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
      width: clamp(area.width + step.x, 1, grid.width - area.x),
      height: clamp(area.height + step.y, 1, grid.height - area.y),
    };
  }
  return {
    ...area,
    x: clamp(area.x + step.x, 0, grid.width - area.width),
    y: clamp(area.y + step.y, 0, grid.height - area.height),
  };
}

/** Describes a rectangle for screen readers. */
export function areaText({ x, y, width, height }: Rect): string {
  const [w, h, left, top] = [width, height, x, y].map(number);
  return msg(str`${w} × ${h} cells, ${left} from the left and ${top} from the top`);
}

/** Counts the organisms that own a cell in a rectangle: clearing it removes them. */
export function organismsIn({ x, y, width, height }: Rect, { owner, width: row }: Planes): number {
  const found = new Set<number>();
  for (let j = y; j < y + height; j++) {
    for (const id of owner.subarray(j * row + x, j * row + x + width)) found.add(id);
  }
  found.delete(0);
  return found.size;
}
