/** Chooses what a page shows first if it cannot show the whole room at a good size. Pure. */
import {
  clampCentre,
  contains,
  intersects,
  type Rect,
  windowAround,
} from '../../shared/geometry.ts';
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
  /** What else covers the view, such as buttons. */
  readonly covers: readonly Rect[];
}

/** Number of views that are compared at each zoom. */
const CANDIDATES = 600;
/** Maximum zoom, in CSS pixels per cell. */
const CLOSEST = 10;
/** Width and height that the closest view shows, as multiples of an organism's side. */
const FRAME = { width: 2.1, height: 1.6 };
/** Factor between two zooms, and the number of zooms. */
const FARTHER = 0.86;
const ZOOMS = 7;
/** Least number of points of a view that shows both a free place and its neighbour. */
const GOOD = 3;

/**
 * Chooses a view that shows a free place and, whole, the creature nearest to it; neither is
 * covered. The view is as close as possible. If there is no such view, the result is the best of
 * those compared. It differs between pages, so that visitors do not all plant at the same place.
 *
 * @param random 0…1
 */
export function firstView(sights: Sights, stage: Stage, random: () => number): Camera {
  const { grid, side, organisms } = sights;
  const { width, height } = stage.free;
  let zoom = Math.min(CLOSEST, width / FRAME.width / side, height / FRAME.height / side);
  let best = {
    points: Number.NEGATIVE_INFINITY,
    camera: cameraAt(grid.width / 2, grid.height / 2),
  };
  for (let i = 0; i < ZOOMS && organisms.length > 0 && best.points < GOOD; i++) {
    for (let j = 0; j < CANDIDATES; j++) {
      const place = clampCentre(random() * grid.width, random() * grid.height, side, grid);
      // Move the view so that the place is anywhere in it, but shows as little as possible of the
      // space outside the grid.
      const at = (of: number, all: number, shown: number): number => {
        const way = (random() - 0.5) * Math.max(0, shown - side);
        const half = Math.min(all, shown) / 2;
        return Math.max(half, Math.min(all - half, of + way));
      };
      const x = at(place.x, grid.width, width / zoom);
      const y = at(place.y, grid.height, height / zoom);
      const camera = cameraAt(x, y);
      const points = pointsOf(place, camera, sights, stage);
      if (points > best.points) best = { points, camera };
    }
    zoom *= FARTHER;
  }
  return best.camera;

  /** Returns the camera that has a position in the middle of the free part. */
  function cameraAt(x: number, y: number): Camera {
    const { view, free } = stage;
    return {
      x: x - (free.x + width / 2 - view.width / 2) / zoom,
      y: y - (free.y + height / 2 - view.height / 2) / zoom,
      zoom,
    };
  }
}

/** Rates a view that shows a place to plant. */
function pointsOf(
  place: Point,
  { x, y, zoom }: Camera,
  { side, organisms }: Sights,
  { view, free, covers }: Stage,
): number {
  const onScreen = (at: Point): Rect =>
    windowAround(
      (at.x - x) * zoom + view.width / 2,
      (at.y - y) * zoom + view.height / 2,
      side * zoom,
    );
  const isClear = (rect: Rect): boolean =>
    contains(free, rect) && !covers.some((cover) => intersects(cover, rect));
  let nearest = { gap: Number.POSITIVE_INFINITY, isWhole: false };
  let whole = 0;
  let cut = 0;
  for (const organism of organisms) {
    const gap = Math.max(Math.abs(organism.x - place.x), Math.abs(organism.y - place.y));
    const rect = onScreen(organism);
    const isWhole = isClear(rect);
    if (isWhole) whole++;
    else if (intersects(rect, free)) cut++;
    if (gap < nearest.gap) nearest = { gap, isWhole };
  }
  const rect = onScreen(place);
  const share = isClear(rect) ? Math.min(1, nearest.gap / side) : 0;
  // Prefer views with many whole creatures and few cut ones, and with the place in the middle.
  const off =
    Math.abs(rect.x + rect.width / 2 - free.x - free.width / 2) / free.width +
    Math.abs(rect.y + rect.height / 2 - free.y - free.height / 2) / free.height;
  const beauty = (Math.min(5, whole) - 0.5 * Math.min(4, cut) - off + 3) / 8;
  return share === 1 && nearest.isWhole ? GOOD + beauty : share + +nearest.isWhole + 0.5 * beauty;
}
