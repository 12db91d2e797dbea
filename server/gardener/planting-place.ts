/** Chooses where the gardener plants: evenly scattered, with space between organisms. */
import type { Random } from '../../shared/random.ts';

/** The grid and the size of organisms, in cells. */
export interface PlantingArea {
  readonly width: number;
  readonly height: number;
  /** Side of a grown organism's window. */
  readonly side: number;
}

/** Centre of an organism's window, in cells. */
export interface PlantingPlace {
  readonly x: number;
  readonly y: number;
}

/** Least distance of two centres along one axis, in sides; closer ones could block each other. */
const MIN_DISTANCE = 1.1;
/** Distances above this, in sides, make a place no better. */
const AMPLE_DISTANCE = 1.7;
/** Share of the area that is planted; the rest is left to visitors. */
const PLANTED_SHARE = 0.42;
const CANDIDATES = 96;

/** Number of organisms that fills an area well and leaves room for visitors' plants. */
export function targetCount({ width, height, side }: PlantingArea): number {
  return Math.max(1, Math.floor((PLANTED_SHARE * width * height) / (1.3 * side) ** 2));
}

/**
 * The best of some random places: the one farthest from all organisms (Mitchell's best candidate).
 *
 * @param taken centres of the living organisms
 * @param near prefers places close to this one
 * @returns integer coordinates; undefined if no candidate has enough space
 */
export function choosePlantingPlace(
  area: PlantingArea,
  taken: readonly PlantingPlace[],
  random: Random,
  near?: PlantingPlace,
): PlantingPlace | undefined {
  const { width, height, side } = area;
  let best: { place: PlantingPlace; score: number } | undefined;
  for (let i = 0; i < CANDIDATES; i++) {
    const place = {
      x: side / 2 + random.integer(width - side + 1),
      y: side / 2 + random.integer(height - side + 1),
    };
    if (taken.some((other) => !areApart(place, other, MIN_DISTANCE * side))) continue;
    const distance = Math.min(...taken.map((other) => between(place, other)), Infinity) / side;
    const away = near ? between(place, near) / Math.max(width, height) : 0;
    const score = Math.min(distance, AMPLE_DISTANCE) - 2 * away;
    if (!best || score > best.score) best = { place, score };
  }
  return best?.place;
}

const areApart = (a: PlantingPlace, b: PlantingPlace, distance: number): boolean =>
  Math.max(Math.abs(a.x - b.x), Math.abs(a.y - b.y)) >= distance;

const between = (a: PlantingPlace, b: PlantingPlace): number => Math.hypot(a.x - b.x, a.y - b.y);
