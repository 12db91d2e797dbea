/** Where the gardener plants: scattered evenly, with room between, as a good picture is. */
import type { Random } from '../../shared/random.ts';

export interface PlantingArea {
  /** Cells. */
  readonly width: number;
  readonly height: number;
  /** Of a grown organism's window. */
  readonly side: number;
}

export interface PlantingPlace {
  readonly x: number;
  readonly y: number;
}

/** From middle to middle, in sides, along one axis: nearer, and two could press against each other. */
const APART = 1.1;
/** More than this makes a place no better. */
const WIDE = 1.7;
/** Share of a plot that is planted; the rest is left to visitors. */
const PLANTED = 0.42;
const CANDIDATES = 96;

/** How many organisms make a plot look alive and leave room for more. */
export function isWellPlaced({ width, height, side }: PlantingArea): number {
  const room = Math.floor((PLANTED * width * height) / (1.3 * side) ** 2);
  return Math.max(1, room);
}

/**
 * The best of some places drawn by chance: far from all that lives (Mitchell's best candidate).
 *
 * @param taken middles of what lives
 * @param near a place that it should rather be close to
 * @returns whole cells; undefined when there is no room
 */
export function choosePlantingPlace(
  plot: PlantingArea,
  taken: readonly PlantingPlace[],
  random: Random,
  near?: PlantingPlace,
): PlantingPlace | undefined {
  const { width, height, side } = plot;
  let best: { place: PlantingPlace; worth: number } | undefined;
  for (let i = 0; i < CANDIDATES; i++) {
    const place = {
      x: side / 2 + random.integer(width - side + 1),
      y: side / 2 + random.integer(height - side + 1),
    };
    if (taken.some((other) => !areApart(place, other, APART * side))) continue;
    const distance = Math.min(...taken.map((other) => between(place, other)), Infinity) / side;
    const away = near ? between(place, near) / Math.max(width, height) : 0;
    const worth = Math.min(distance, WIDE) - 2 * away;
    if (!best || worth > best.worth) best = { place, worth };
  }
  return best?.place;
}

const areApart = (a: PlantingPlace, b: PlantingPlace, distance: number): boolean =>
  Math.max(Math.abs(a.x - b.x), Math.abs(a.y - b.y)) >= distance;

const between = (a: PlantingPlace, b: PlantingPlace): number => Math.hypot(a.x - b.x, a.y - b.y);
