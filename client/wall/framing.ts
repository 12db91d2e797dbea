/** How a wall frames the grid: all of it or a region, and how the view drifts. Pure. */
import type { Rect } from '../../shared/geometry.ts';
import { type Camera, fitGrid, type Insets, type Point, type Size } from '../render/camera.ts';
import type { WallOptions } from './wall-options.ts';

/** Width of the glass rim around the grid, cells. */
const RIM = 3;

/**
 * Drift: amplitudes as shares of the view, and periods in seconds that do not coincide within a
 * day.
 */
const DRIFT = { x: 0.009, y: 0.005, zoom: 0.01, periods: [97, 131, 173] } as const;

/** Least height and width of what a wall shows of a place from close by, in sides of an organism. */
const CLOSE = 2.2;

type Region = Pick<WallOptions, 'columns' | 'rows' | 'column' | 'row' | 'bezel'>;

/** Size of all screens of a video wall with the gaps between them. CSS pixels. */
export function wholeView(screen: Size, { columns, rows, bezel }: Region): Size {
  return {
    width: columns * screen.width + (columns - 1) * bezel,
    height: rows * screen.height + (rows - 1) * bezel,
  };
}

/** Bounds of the whole picture, relative to one screen of it. CSS pixels. */
export function wholeAround(screen: Size, region: Region): Rect {
  const { column, row, bezel } = region;
  const [x, y] = [-column * (screen.width + bezel), -row * (screen.height + bezel)];
  return { x, y, ...wholeView(screen, region) };
}

/** The grid with its rim, in cells. */
function rimmed({ width, height }: Size): Size {
  return { width: width + 2 * RIM, height: height + 2 * RIM };
}

/** Share of a view that the grid takes with its rim, 0…1. */
export function shareOf(grid: Size, view: Size): number {
  const { width, height } = rimmed(grid);
  const shares = [width / view.width, height / view.height];
  return Math.min(...shares) / Math.max(...shares);
}

/** Converts the camera of the whole picture to that of one wall's region. */
export function regionOf(whole: Camera, screen: Size, region: Region): Camera {
  const view = wholeView(screen, region);
  const centre = (at: number, side: number): number => at * (side + region.bezel) + side / 2;
  return {
    ...whole,
    x: whole.x + (centre(region.column, screen.width) - view.width / 2) / whole.zoom,
    y: whole.y + (centre(region.row, screen.height) - view.height / 2) / whole.zoom,
  };
}

/**
 * Fits the whole grid into the space that the insets leave, or covers the view with it.
 *
 * @param view of the whole picture, CSS pixels
 */
export function frameOf(
  frame: WallOptions['frame'],
  grid: Size,
  view: Size,
  insets: Insets,
): Camera {
  if (frame !== 'fill') {
    const { x, y, zoom } = fitGrid(rimmed(grid), view, insets);
    return { zoom, x: x - RIM, y: y - RIM };
  }
  const zoom = Math.max(view.width / grid.width, view.height / grid.height);
  return { zoom, x: grid.width / 2, y: grid.height / 2 };
}

/** What a wall frames: the whole picture's size, and the space that text takes of it. */
interface Scene {
  readonly grid: Size;
  readonly view: Size;
  readonly insets: Insets;
}

/**
 * A place from close by, with as little beside the dish as its edge allows.
 *
 * @param side of a grown organism, cells
 * @param home camera of the whole room
 */
export function closeUpOf(
  at: Point,
  side: number,
  home: Camera,
  { grid, view, insets }: Scene,
): Camera {
  const part = { width: CLOSE * side, height: CLOSE * side };
  const zoom = Math.max(home.zoom, fitGrid(part, view, insets).zoom);
  const inside = (place: number, length: number, before: number, after: number, all: number) => {
    const half = (all - before - after) / zoom / 2;
    const [least, most] = [half - RIM, length + RIM - half];
    const middle = least < most ? Math.max(least, Math.min(most, place)) : length / 2;
    return middle + (after - before) / 2 / zoom;
  };
  return {
    zoom,
    x: inside(at.x, grid.width, insets.left, insets.right, view.width),
    y: inside(at.y, grid.height, insets.top, insets.bottom, view.height),
  };
}

/**
 * The drifting camera at a time.
 *
 * @param home camera without drift
 * @param seconds since any fixed moment
 */
export function drifted(
  home: Camera,
  { grid, view, frame }: { grid: Size; view: Size; frame: WallOptions['frame'] },
  seconds: number,
): Camera {
  const [a, b, c] = DRIFT.periods.map((period) => Math.sin((2 * Math.PI * seconds) / period));
  if (frame === 'fill') {
    // Pan slowly over what does not fit on the screen.
    const hidden = (side: number, shown: number): number =>
      Math.max(0, side - shown / home.zoom) / 2;
    return {
      ...home,
      x: home.x + a * hidden(grid.width, view.width),
      y: home.y + b * hidden(grid.height, view.height),
    };
  }
  return {
    x: home.x + (a * DRIFT.x * view.width) / home.zoom,
    y: home.y + (b * DRIFT.y * view.height) / home.zoom,
    zoom: home.zoom * (1 - DRIFT.zoom * (0.5 + 0.5 * c)),
  };
}
