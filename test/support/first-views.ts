/** Random rooms, and what a page shows of them when it opens. */
import type { Camera, Point, Size } from '../../client/render/camera.ts';
import { GROUND, type Sights, type Stage } from '../../client/render/first-view.ts';
import { contains, intersects, type Rect, windowAround } from '../../shared/geometry.ts';

/** Places of one to thirty creatures, which may touch. */
export function randomRoom(grid: Size, side: number, random: () => number): Point[] {
  const count = 1 + Math.floor(30 * random());
  const all: Point[] = [];
  for (let tries = 0; all.length < count && tries < 1_000; tries++) {
    const along = (length: number) => Math.round(side / 2 + random() * (length - side));
    const place = { x: along(grid.width), y: along(grid.height) };
    if (all.every(({ x, y }) => Math.hypot(x - place.x, y - place.y) > 0.8 * side)) all.push(place);
  }
  return all;
}

/**
 * Whether the creature nearest to some free ground is shown whole, and that ground too.
 *
 * @returns `whole`: some creature is shown whole; `free`: beside it lies ground, large enough for
 *   another's body, on which nothing lives
 */
export function shownIn(
  { side, organisms, grid }: Sights,
  { view, free, covers }: Stage,
  { x, y, zoom }: Camera,
): { whole: boolean; free: boolean } {
  const isClear = (at: Point): boolean => {
    const rect: Rect = windowAround(
      (at.x - x) * zoom + view.width / 2,
      (at.y - y) * zoom + view.height / 2,
      // Its edge may lie on the edge of what is free, but for rounding.
      side * zoom - 0.01,
    );
    return contains(free, rect) && !covers.some((cover) => intersects(cover, rect));
  };
  const whole = organisms.filter(isClear);
  const gap = (a: Point, b: Point): number => Math.max(Math.abs(a.x - b.x), Math.abs(a.y - b.y));
  for (let j = side / 2; j <= grid.height - side / 2; j++) {
    for (let i = side / 2; i <= grid.width - side / 2; i++) {
      const place = { x: i, y: j };
      if (!isClear(place) || organisms.some((each) => gap(each, place) < GROUND * side)) continue;
      const nearest = organisms.reduce((a, b) => (gap(b, place) < gap(a, place) ? b : a));
      if (whole.includes(nearest)) return { whole: true, free: true };
    }
  }
  return { whole: whole.length > 0, free: false };
}
