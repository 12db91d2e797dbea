/** Chooses the part of a large room that a page shows first. */
import { clampCentre, type Rect } from '../../shared/geometry.ts';
import type { Camera, Point, Size } from './camera.ts';

/** Properties of a room on which the choice of the first view depends. */
export interface Sights {
  readonly grid: Size;
  /** Side length of a grown organism, in cells. */
  readonly side: number;
  /** Centres of the organisms. */
  readonly organisms: readonly Point[];
}

/** The page's view, in CSS pixels. */
export interface Stage {
  readonly view: Size;
  /** The part of the view between the header and the dock. */
  readonly free: Rect;
  /** Areas of buttons and other elements that cover the view. */
  readonly covers: readonly Rect[];
}

/** Number of views that are compared at each zoom. */
const CANDIDATES = 350;
/** Maximum zoom, in CSS pixels per cell. */
const CLOSEST = 10;
/** Width and height of the area that the closest view shows, as multiples of an organism's side. */
const FRAME = { width: 2.25, height: 1.6 };
/**
 * Views are compared at `ZOOMS` zooms, from the closest outwards. Each further zoom is `FARTHER`
 * times the previous one, and lowers the score of its views by `COST`.
 */
const ZOOMS = 7;
const FARTHER = 0.86;
const COST = 0.1;
/**
 * A position counts as free if its distance from the nearest organism is at least this multiple of
 * an organism's side.
 */
export const GROUND = 0.8;
/**
 * An organism is a neighbour of a free position if it is less than `BESIDE` times its side away. Up
 * to `RIM` neighbours raise a view's score; more neighbours do not count.
 */
const BESIDE = 1.3;
const RIM = 3;
/**
 * Maximum number of points that a view gets for organisms beside its free position (the position
 * where a visitor can plant).
 */
const RIM_POINTS = 0.3;

/**
 * Chooses a view that shows a free position, where a visitor can plant, and the whole of the
 * nearest organism. Buttons must cover neither. Compares many random views and returns the best
 * one.
 *
 * @param random returns random numbers from 0 to 1
 */
export function firstView(
  { grid, side, organisms }: Sights,
  { view, free, covers }: Stage,
  random: () => number,
): Camera {
  const { width, height } = free;
  const middle = { x: free.x + width / 2, y: free.y + height / 2 };
  let zoom = Math.min(CLOSEST, width / FRAME.width / side, height / FRAME.height / side);
  let best = { points: Number.NEGATIVE_INFINITY, x: grid.width / 2, y: grid.height / 2, zoom };
  for (let i = 0; i < ZOOMS && organisms.length > 0; i++, zoom *= FARTHER) {
    for (let j = 0; j < CANDIDATES; j++) {
      const place = clampCentre(random() * grid.width, random() * grid.height, side, grid);
      // In every second view, keep the free position near the centre; in the others, put it
      // anywhere in view. Show as little as possible outside the grid.
      const at = (of: number, all: number, shown: number): number => {
        const way = (random() - 0.5) * Math.max(0, Math.min(j % 2 ? side : shown, shown - side));
        const half = Math.min(all, shown) / 2;
        return Math.max(half, Math.min(all - half, of + way));
      };
      const x = at(place.x, grid.width, width / zoom);
      const y = at(place.y, grid.height, height / zoom);
      const points = pointsOf(place, { x, y }) - COST * i;
      if (points > best.points) best = { points, x, y, zoom };
    }
  }
  return {
    x: best.x - (middle.x - view.width / 2) / best.zoom,
    y: best.y - (middle.y - view.height / 2) / best.zoom,
    zoom: best.zoom,
  };

  /**
   * Returns the score of a view; a higher score is better.
   *
   * @param place the free position, in cells
   * @param focus the grid position shown in the middle of `free` (the part of the view between the
   *   header and the dock), in cells
   */
  function pointsOf(place: Point, focus: Point): number {
    const size = side * zoom;
    /**
     * Returns whether a square as large as a grown organism overlaps an area of the page.
     *
     * @param x, y offset of the square's centre from the middle of `free`, in CSS pixels
     */
    const meets = (x: number, y: number, area: Rect): boolean =>
      Math.abs(middle.x + x - area.x - area.width / 2) < (area.width + size) / 2 &&
      Math.abs(middle.y + y - area.y - area.height / 2) < (area.height + size) / 2;
    const isClear = (x: number, y: number): boolean =>
      Math.abs(x) <= (width - size) / 2 &&
      Math.abs(y) <= (height - size) / 2 &&
      !covers.some((cover) => meets(x, y, cover));
    let [gap, isNearestWhole, whole, cut, beside] = [Number.POSITIVE_INFINITY, false, 0, 0, 0];
    for (const organism of organisms) {
      const x = (organism.x - focus.x) * zoom;
      const y = (organism.y - focus.y) * zoom;
      const isWhole = isClear(x, y);
      if (isWhole) whole++;
      else if (meets(x, y, free)) cut++;
      const away = Math.max(Math.abs(organism.x - place.x), Math.abs(organism.y - place.y));
      if (away < BESIDE * side) beside++;
      if (away < gap) [gap, isNearestWhole] = [away, isWhole];
    }
    const [x, y] = [(place.x - focus.x) * zoom, (place.y - focus.y) * zoom];
    const share = isClear(x, y) ? Math.min(1, gap / side / GROUND) : 0;
    // Prefer a free position in the middle, because many visitors tap there first.
    const middling = +(Math.max(Math.abs(x), Math.abs(y)) <= size / 2);
    // Prefer views that show many whole organisms, cut off few organisms, and have the free
    // position near the middle.
    const off = Math.abs(x) / width + Math.abs(y) / height;
    const beauty = (Math.min(6, whole) - Math.min(4, cut) - off + 5) / 12;
    return share === 1 && isNearestWhole
      ? 4 + 0.25 * middling + (RIM_POINTS * Math.min(RIM, beside)) / RIM + beauty
      : share + +isNearestWhole + 0.5 * beauty;
  }
}
