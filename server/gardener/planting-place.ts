/**
 * Chooses where the gardener cuts organisms, and finds bare ground. `reefs.ts` chooses where it
 * plants.
 */
import type { Planes } from '../../shared/codec/chunks.ts';
import { placesUnder, STROKE_LIMITS } from '../../shared/geometry.ts';
import type { Random } from '../../shared/random.ts';
import type { OrganismId, OrganismView } from '../../shared/vocabulary.ts';
import type { RoomCommand } from '../world/commands.ts';

/** The grid, and the size of organisms in it; all lengths in cells. */
export interface PlantingArea {
  readonly width: number;
  readonly height: number;
  /** Side of the square window in which a grown organism lives. */
  readonly side: number;
}

/** Centre of an organism's window, in cells. */
export interface PlantingPlace {
  readonly x: number;
  readonly y: number;
}

type OwnerGrid = Pick<Planes, 'width' | 'height' | 'owner'>;
/** A stroke, as in a `damage` command. */
type Stroke = Pick<RoomCommand<'damage'>, 'radius' | 'points'>;

/**
 * Minimum distance between the centres of two organisms along one axis, in sides of a window.
 * Closer organisms could block each other.
 */
const MIN_DISTANCE = 1.1;
/**
 * Distance from other organisms, in sides of a window, beyond which more distance does not make a
 * position better.
 */
const AMPLE_DISTANCE = 1.7;
/** Share of the area that the gardener plants; the rest is left to visitors. */
const PLANTED_SHARE = 0.27;
/** Distance between the centres of two bodies that touch, in sides of a window. */
const BODY = 0.75;
const CANDIDATES = 96;
/** Distance between neighbouring windows in the search for bare ground, in cells. */
const LATTICE = 4;
/**
 * What counts as bare ground, best first: how much of a window must be bare, as a share of its
 * side, and how far away the window may be, in sides.
 */
const BARE = [
  [1, 2.5],
  [0.5, Number.POSITIVE_INFINITY],
  [0.25, Number.POSITIVE_INFINITY],
] as const;

/** Returns the number of organisms that fill an area well but still leave space for visitors. */
export function targetCount({ width, height, side }: PlantingArea): number {
  return Math.max(1, Math.floor((PLANTED_SHARE * width * height) / (BODY * side) ** 2));
}

/**
 * Chooses the best of some random positions: the one farthest from all organisms (Mitchell's best
 * candidate).
 *
 * @param taken centres of the living organisms
 * @returns integer coordinates; undefined if no candidate has enough space
 */
export function choosePlantingPlace(
  area: PlantingArea,
  taken: readonly PlantingPlace[],
  random: Random,
): PlantingPlace | undefined {
  const { width, height, side } = area;
  let best: { place: PlantingPlace; score: number } | undefined;
  for (let i = 0; i < CANDIDATES; i++) {
    const place = {
      x: side / 2 + random.integer(width - side + 1),
      y: side / 2 + random.integer(height - side + 1),
    };
    const isClose = ({ x, y }: PlantingPlace): boolean =>
      Math.max(Math.abs(place.x - x), Math.abs(place.y - y)) < MIN_DISTANCE * side;
    if (taken.some(isClose)) continue;
    const distance = Math.min(...taken.map((other) => between(place, other)), Infinity) / side;
    const score = Math.min(distance, AMPLE_DISTANCE);
    if (!best || score > best.score) best = { place, score };
  }
  return best?.place;
}

/**
 * Finds the bare ground nearest to a position. Prefers a nearby window that is completely bare, and
 * otherwise accepts a window with a bare middle, in which a seed has space to grow. Only tries the
 * windows of a lattice.
 *
 * @param near centre, in cells
 * @returns centre of the window; undefined if no window has a bare middle
 */
export function nearestGround(
  { width, height, owner }: OwnerGrid,
  side: number,
  near: PlantingPlace,
): PlantingPlace | undefined {
  const isBare = (left: number, top: number, bare: number): boolean => {
    for (let y = top; y < top + bare; y++) {
      for (let x = left; x < left + bare; x++) if (owner[y * width + x] !== 0) return false;
    }
    return true;
  };
  for (const [share, reach] of BARE) {
    const inset = Math.floor((side - share * side) / 2) - side / 2;
    let best: PlantingPlace | undefined;
    let least = reach * side;
    for (let y = side / 2; y <= height - side / 2; y += LATTICE) {
      for (let x = side / 2; x <= width - side / 2; x += LATTICE) {
        const distance = between({ x, y }, near);
        if (distance >= least || !isBare(x + inset, y + inset, share * side)) continue;
        least = distance;
        best = { x, y };
      }
    }
    if (best) return best;
  }
  return undefined;
}

/** Returns the distance between two positions, in cells. */
export const between = (a: PlantingPlace, b: PlantingPlace): number =>
  Math.hypot(a.x - b.x, a.y - b.y);

/** Number of strokes per cut. */
const PIECES = 5;

/**
 * Makes a cut across an organism: an arc, as strokes to be sent one after the other.
 *
 * @returns undefined if the cut would hit another organism or leave the grid
 */
export function cutAcross(
  organism: Pick<OrganismView, 'id' | 'x' | 'y' | 'side'>,
  grid: OwnerGrid,
  random: Random,
): Stroke[] | undefined {
  const { x, y, side } = organism;
  const angle = 2 * Math.PI * random.uniform();
  const [along, across] = [Math.cos(angle), Math.sin(angle)];
  const reach = side * (0.2 + 0.24 * random.uniform());
  const bend = side * 0.25 * (random.uniform() - 0.5);
  const off = side * 0.2 * (random.uniform() - 0.5);
  const radius = side * (0.05 + 0.04 * random.uniform());
  const pointAt = (t: number): [number, number] => {
    const lengthwise = (2 * t - 1) * reach;
    const sideways = off + bend * (1 - (2 * t - 1) ** 2);
    return [x + along * lengthwise - across * sideways, y + across * lengthwise + along * sideways];
  };
  const strokes = Array.from({ length: PIECES }, (_, i) => ({
    radius: Math.max(STROKE_LIMITS.minRadius, radius),
    points: [...pointAt(i / PIECES), ...pointAt((i + 1) / PIECES)],
  }));
  return strokes.every((stroke) => hitsOnly(organism.id, stroke, grid)) ? strokes : undefined;
}

/** Makes a disc that covers a random side of an organism. */
export function discBeside(
  { x, y, side }: Pick<OrganismView, 'x' | 'y' | 'side'>,
  random: Random,
): Stroke {
  const angle = 2 * Math.PI * random.uniform();
  const reach = side * (0.25 + 0.1 * random.uniform());
  const radius = Math.min(STROKE_LIMITS.maxRadius, side * (0.14 + 0.06 * random.uniform()));
  return { radius, points: [x + reach * Math.cos(angle), y + reach * Math.sin(angle)] };
}

/** Returns whether a stroke lies on the grid and covers no cell of another organism. */
export function hitsOnly(id: OrganismId, stroke: Stroke, grid: OwnerGrid): boolean {
  const { width, height, owner } = grid;
  const isOnGrid = stroke.points.every((at, i) => at >= 0 && at <= (i % 2 === 0 ? width : height));
  if (!isOnGrid) return false;
  return placesUnder(stroke, grid).every((place) => owner[place] === 0 || owner[place] === id);
}
