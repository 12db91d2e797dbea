/**
 * Predicts the visitor's own cut before the server answers: the cells it removes, and their rim.
 */
import type { Planes } from '../../shared/codec/planes.ts';
import { coverage, type Stroke, strokeBounds } from '../../shared/geometry.ts';
import type { Rgb } from '../style/oklch.ts';

export interface Speck {
  /** Centre of a place, cells. */
  readonly x: number;
  readonly y: number;
  readonly color: Rgb;
}

export interface Cut {
  /** Places whose cells the stroke removes. */
  readonly flesh: readonly Speck[];
  /** Adjacent places whose cells stay. */
  readonly rim: readonly Speck[];
}

/**
 * Computes what a segment of a stroke cuts.
 *
 * @param taken indices of places that the same stroke has already cut; this segment's are added
 */
export function cutOf(stroke: Stroke, planes: Planes, taken: Set<number>): Cut {
  const { owner, width, height } = planes;
  const bounds = strokeBounds(stroke);
  const x0 = Math.max(0, bounds.x - 1);
  const y0 = Math.max(0, bounds.y - 1);
  const rect = {
    x: x0,
    y: y0,
    width: Math.max(0, Math.min(width, bounds.x + bounds.width + 1) - x0),
    height: Math.max(0, Math.min(height, bounds.y + bounds.height + 1) - y0),
  };
  const cover = coverage(stroke, rect);
  if (!cover) return { flesh: [], rim: [] };
  const fresh: number[] = [];
  for (let cell = 0; cell < cover.length; cell++) {
    if (cover[cell] === 0) continue;
    const place = (y0 + Math.floor(cell / rect.width)) * width + x0 + (cell % rect.width);
    if (owner[place] === 0 || taken.has(place)) continue;
    taken.add(place);
    fresh.push(place);
  }
  const rim = new Set<number>();
  for (const place of fresh) {
    const column = place % width;
    const beside = [place - width, place + width];
    if (column > 0) beside.push(place - 1);
    if (column < width - 1) beside.push(place + 1);
    for (const other of beside) if (owner[other] > 0 && !taken.has(other)) rim.add(other);
  }
  const speck = (place: number): Speck => speckOf(place, planes);
  return { flesh: fresh.map(speck), rim: [...rim].map(speck) };
}

/** A place with the colour of its cell. */
export function speckOf(place: number, { rgba, width }: Pick<Planes, 'rgba' | 'width'>): Speck {
  const alpha = Math.max(1, rgba[4 * place + 3]);
  const [r, g, b] = rgba.subarray(4 * place, 4 * place + 3);
  return {
    x: (place % width) + 0.5,
    y: Math.floor(place / width) + 0.5,
    color: [r / alpha, g / alpha, b / alpha],
  };
}
