/** Chooses what a page shows first if it cannot show the whole room at a good size. */
import { clampCentre, type Rect } from '../../shared/geometry.ts';
import type { Camera, Point, Size } from './camera.ts';

/** The room, as far as the choice depends on it. */
export interface Sights {
  readonly grid: Size;
  /** Side of a grown organism, in cells. */
  readonly side: number;
  /** Centres of the organisms. */
  readonly organisms: readonly Point[];
}

/** The view, in CSS pixels. */
export interface Stage {
  readonly view: Size;
  /** The part between header and dock. */
  readonly free: Rect;
  /** Buttons and other elements that cover the view. */
  readonly covers: readonly Rect[];
}

/** Number of views that are compared at each zoom. */
const CANDIDATES = 350;
/** Maximum zoom, in CSS pixels per cell. */
const CLOSEST = 10;
/** Width and height that the closest view shows, as multiples of an organism's side. */
const FRAME = { width: 2.25, height: 1.6 };
/** Number of compared zooms, factor from one to the next, and points that each of them costs. */
const ZOOMS = 7;
const FARTHER = 0.86;
const COST = 0.1;
/** Distance from other creatures at which a body has enough ground, in sides. */
export const GROUND = 0.8;
/**
 * Creatures nearer than this are beside a place, in sides. A place with `RIM` creatures beside it is
 * at the rim of a reef.
 */
const BESIDE = 1.3;
const RIM = 3;
/** Points of a place at a rim, few enough that the first creature is still shown large. */
const RIM_POINTS = 0.3;

/**
 * Chooses a view that shows a free place and, whole, the creature nearest to it; neither is
 * covered. If there is no such view, the result is the best of those compared. Prefers places at
 * the rim of a reef, so that the room keeps its open water. The view differs between pages, so that
 * visitors do not all plant at the same place.
 *
 * @param random 0…1
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
      // Move the view so that the place is anywhere in it, or, half of the time, in its middle. Show
      // as little as possible of the space outside the grid.
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
   * Rates a view.
   *
   * @param focus the position in the middle of its free part
   */
  function pointsOf(place: Point, focus: Point): number {
    const size = side * zoom;
    /** Whether a window overlaps an area. @param x, y from the middle of the free part */
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
    // The first tap is often in the middle, so there should be free ground.
    const middling = +(Math.max(Math.abs(x), Math.abs(y)) <= size / 2);
    // Prefer many whole creatures, few cut ones, and a place near the middle.
    const off = Math.abs(x) / width + Math.abs(y) / height;
    const beauty = (Math.min(6, whole) - Math.min(4, cut) - off + 5) / 12;
    return share === 1 && isNearestWhole
      ? 4 + 0.25 * middling + (RIM_POINTS * Math.min(RIM, beside)) / RIM + beauty
      : share + +isNearestWhole + 0.5 * beauty;
  }
}
