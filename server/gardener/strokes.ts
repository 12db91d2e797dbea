/** The gardener's strokes: drawn as a visitor would, and never over organisms of others. */

import type { Planes } from '../../shared/codec/planes.ts';
import { DEFAULTS } from '../../shared/defaults.ts';
import { coverage, strokeBounds } from '../../shared/geometry.ts';
import type { Random } from '../../shared/random.ts';
import type { OrganismId, OrganismView } from '../../shared/vocabulary.ts';
import { within } from '../world/damage.ts';

/** A stroke, as in a `damage` command. */
export interface Stroke {
  readonly radius: number;
  /** x0, y0, x1, y1, … in cells. */
  readonly points: readonly number[];
}

type OwnerGrid = Pick<Planes, 'width' | 'height' | 'owner'>;

/** Number of strokes of a cut. */
const PIECES = 5;

/**
 * Makes a cut across an organism: an arc, as strokes to be drawn one after the other.
 *
 * @returns undefined if it would hit another organism
 */
export function cutAcross(
  organism: Pick<OrganismView, 'id' | 'x' | 'y' | 'side'>,
  grid: OwnerGrid,
  random: Random,
): Stroke[] | undefined {
  const { x, y, side } = organism;
  const angle = 2 * Math.PI * random.uniform();
  const [along, across] = [Math.cos(angle), Math.sin(angle)];
  const reach = side * (0.32 + 0.12 * random.uniform());
  const bend = side * 0.25 * (random.uniform() - 0.5);
  const off = side * 0.2 * (random.uniform() - 0.5);
  const radius = side * (0.05 + 0.04 * random.uniform());
  const pointAt = (t: number): [number, number] => {
    const lengthwise = (2 * t - 1) * reach;
    const sideways = off + bend * (1 - (2 * t - 1) ** 2);
    return [x + along * lengthwise - across * sideways, y + across * lengthwise + along * sideways];
  };
  const strokes = Array.from({ length: PIECES }, (_, i) => ({
    radius: Math.max(DEFAULTS.stroke.minRadius, radius),
    points: [...pointAt(i / PIECES), ...pointAt((i + 1) / PIECES)],
  }));
  return strokes.every((stroke) => hitsOnly(organism.id, stroke, grid)) ? strokes : undefined;
}

/** Whether a stroke lies on the grid and covers no place of another organism. */
export function hitsOnly(id: OrganismId, stroke: Stroke, grid: OwnerGrid): boolean {
  const { width, height, owner } = grid;
  const isOnGrid = stroke.points.every((at, i) => at >= 0 && at <= (i % 2 === 0 ? width : height));
  if (!isOnGrid) return false;
  const rect = within(strokeBounds(stroke), grid);
  return !coverage(stroke, rect)?.some((covered, cell) => {
    if (covered === 0) return false;
    const y = rect.y + Math.floor(cell / rect.width);
    const place = y * width + rect.x + (cell % rect.width);
    return owner[place] !== 0 && owner[place] !== id;
  });
}
