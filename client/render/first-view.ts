/**
 * Chooses the part of the room that a page shows first, for rooms that are too large to be shown as
 * a whole.
 */
import { clampCentre, type Rect } from '../../shared/geometry.ts';
import type { Camera, Point, Size } from './camera.ts';

/** The properties of a room that the choice of the first view depends on. */
export interface Sights {
  readonly grid: Size;
  /** Side of a grown organism, in cells. */
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
/**
 * Size of the area that the closest view shows: width and height, each as a multiple of an
 * organism's side.
 */
const FRAME = { width: 2.25, height: 1.6 };
/**
 * Views with different zooms are compared. `ZOOMS`: number of zooms. `FARTHER`: factor from each
 * zoom to the next smaller one. `COST`: points that a view loses for each such step.
 */
const ZOOMS = 7;
const FARTHER = 0.86;
const COST = 0.1;
/**
 * A position is free ground if its distance from the nearest organism is at least this multiple of
 * an organism's side.
 */
export const GROUND = 0.8;
/**
 * Organisms count as neighbours of a free position if they are less than `BESIDE` times an
 * organism's side away. If a position has `RIM` or more neighbours, it is considered to be at the
 * edge of a cluster of organisms.
 */
const BESIDE = 1.3;
const RIM = 3;
/**
 * Maximum number of points that a view gains if its free position is at the edge of a cluster of
 * organisms. The number is small, because a close view of the nearest organism is more important.
 */
const RIM_POINTS = 0.3;

/**
 * Chooses a view that shows a free position, where a visitor can plant, and the whole of the
 * organism that is nearest to this position. Buttons must not cover the position or the organism.
 * The view is the best of many random views. If none of them meets these conditions, it is the view
 * that comes closest to meeting them. Free positions at the edge of a cluster of organisms are
 * preferred, so that large empty areas stay empty. As the views are random, different visitors are
 * shown different positions.
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
      // Choose the centre of the view. In every second view that is compared, the free position is
      // close to the centre; in the others, it may be anywhere in the view. Move the view so that
      // it shows as little as possible of the area outside the grid.
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
   * Returns the points of a view: the more, the better.
   *
   * @param place the free position, in cells
   * @param focus the grid position that the view shows in the middle of `free` (the space between
   *   the header and the dock), in cells
   */
  function pointsOf(place: Point, focus: Point): number {
    const size = side * zoom;
    /**
     * Returns whether an organism would overlap an area of the page.
     *
     * @param x, y offset of the organism's centre from the middle of `free`, in CSS pixels
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
    // Many visitors tap the middle of the view first, so prefer views whose free position is in the
    // middle.
    const middling = +(Math.max(Math.abs(x), Math.abs(y)) <= size / 2);
    // Prefer views that show many whole organisms, that cut off few organisms at the edge, and
    // whose free position is near the middle.
    const off = Math.abs(x) / width + Math.abs(y) / height;
    const beauty = (Math.min(6, whole) - Math.min(4, cut) - off + 5) / 12;
    return share === 1 && isNearestWhole
      ? 4 + 0.25 * middling + (RIM_POINTS * Math.min(RIM, beside)) / RIM + beauty
      : share + +isNearestWhole + 0.5 * beauty;
  }
}
