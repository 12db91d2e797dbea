/**
 * Draws wounds: which cells of a patch lose their whole state, as with damage in a room. Training
 * uses wounds of random size, evaluation wounds of an exact size.
 */
import type { Random } from '../../../shared/random.ts';

/**
 * Shapes of wounds. `disc`: anywhere in the patch. `half`: one side of a straight cut, at any
 * angle. `bar`: a straight band from edge to edge. `square`: a square of half the side, as
 * published (Palm et al. 2022, code of 2021). `stroke`: a short bent line, as drawn with a finger.
 */
export const WOUND_KINDS = ['disc', 'half', 'bar', 'square', 'stroke'] as const;
type WoundKind = (typeof WOUND_KINDS)[number];
/** Shapes that can have any exact size. */
type ExactKind = Exclude<WoundKind, 'square'>;

/** Smallest share of the cells in a random wound. */
const SMALLEST = 0.02;
/** Minimum radius of strokes and width of bars, in cells. Thinner lines would break into pieces. */
const THINNEST_RADIUS = 1.25;
const THINNEST_BAR = 2;

/**
 * Draws a wound with a random position, direction and size.
 *
 * @param side side of the patch, in cells
 * @param largest largest share of cells, 0…1: a `half` has exactly this share, a `square` at most a
 * quarter, a `bar` is at least two cells wide, and other kinds have at least 2 %
 * @returns [side, side], row-major, 1 = kept, 0 = wounded
 */
export function woundMask(
  random: Random,
  side: number,
  kind: WoundKind,
  largest = 0.5,
): Uint8Array {
  if (kind === 'square') return squareWound(random, side, largest);
  const smallest = Math.min(kind === 'bar' ? THINNEST_BAR / side : SMALLEST, largest);
  const share = kind === 'half' ? largest : smallest + (largest - smallest) * random.uniform();
  return nearest(random, side, kind, Math.floor(share * side * side + 1e-9));
}

/**
 * Draws a wound of an exact size: one piece of round(share · side²) cells.
 *
 * @param kinds shapes to choose from at random; a bar of less than side · √2 cells can break into
 * pieces
 * @returns [side, side], row-major, 1 = kept, 0 = wounded
 */
export function woundOfShare(
  random: Random,
  side: number,
  share: number,
  kinds: readonly ExactKind[] = ['disc', 'half'],
): Uint8Array {
  const kind = kinds[random.integer(kinds.length)];
  return nearest(random, side, kind, Math.round(share * side * side));
}

/** Shapes of the ground that neighbours occupy. */
const NEIGHBOURS = ['disc', 'half', 'bar'] as const;

/**
 * Draws the open ground of a patch beside one or two neighbours. The middle stays open, because an
 * organism can only be planted on open ground.
 *
 * @param largest largest share of the cells that may be closed, 0…1
 * @returns [side, side], 1 = open
 */
export function openGround(random: Random, side: number, largest: number): Uint8Array {
  const open = new Uint8Array(side * side).fill(1);
  const neighbours = 1 + random.integer(2);
  for (let i = 0; i < neighbours; i++) {
    const share = (largest / neighbours) * random.uniform();
    woundOfShare(random, side, share, NEIGHBOURS).forEach((kept, cell) => {
      open[cell] &= kept;
    });
  }
  const middle = side / 2;
  for (const y of [middle - 1, middle]) open.fill(1, y * side + middle - 1, y * side + middle + 1);
  return open;
}

/**
 * Zeroes all channels of the wounded cells.
 *
 * @param states [side, side, channels]; changed in place
 * @param mask [side, side], 1 = kept
 */
export function applyWound(states: Float32Array, mask: Uint8Array, channels: number): void {
  mask.forEach((kept, cell) => {
    if (kept === 0) states.fill(0, cell * channels, (cell + 1) * channels);
  });
}

function squareWound(random: Random, side: number, largest: number): Uint8Array {
  const size = Math.min(Math.floor(side / 2), Math.floor(side * Math.sqrt(largest)));
  const left = random.integer(side - size + 1);
  const top = random.integer(side - size + 1);
  const mask = new Uint8Array(side * side).fill(1);
  for (let y = top; y < top + size; y++) mask.fill(0, y * side + left, y * side + left + size);
  return mask;
}

/**
 * Wounds the `count` cells nearest to a random shape. Every kind then has exactly the requested
 * size at any position: if the shape lies partly outside the patch, the rest becomes larger.
 */
function nearest(random: Random, side: number, kind: ExactKind, count: number): Uint8Array {
  const distance = randomShape(random, side, kind, count);
  const distances = new Float64Array(side * side);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) distances[y * side + x] = distance(x + 0.5, y + 0.5);
  }
  const order = Uint32Array.from(distances.keys()).sort((a, b) => distances[a] - distances[b]);
  const mask = new Uint8Array(side * side).fill(1);
  for (const cell of order.subarray(0, count)) mask[cell] = 0;
  return mask;
}

/** Draws a random shape without size. @returns the distance of a point from the shape */
function randomShape(
  random: Random,
  side: number,
  kind: ExactKind,
  count: number,
): (x: number, y: number) => number {
  const cx = side * random.uniform();
  const cy = side * random.uniform();
  const angle = 2 * Math.PI * random.uniform();
  const [dx, dy] = [Math.cos(angle), Math.sin(angle)];
  switch (kind) {
    case 'disc':
      return (x, y) => Math.hypot(x - cx, y - cy);
    case 'half':
      return (x, y) => x * dx + y * dy;
    case 'bar':
      return (x, y) => Math.abs((x - cx) * dx + (y - cy) * dy);
    case 'stroke':
      return stroke(random, { x: cx, y: cy, angle }, side, count);
  }
}

/**
 * Draws a stroke, which consists of two line segments with a bend. The length of the segments
 * follows from the area and a random width.
 */
function stroke(
  random: Random,
  { x, y, angle }: Point & { readonly angle: number },
  side: number,
  count: number,
): (x: number, y: number) => number {
  const round = Math.sqrt(count / Math.PI);
  const radius = Math.max(THINNEST_RADIUS, round * (0.2 + 0.6 * random.uniform()));
  const length = Math.max(0, Math.min(1.5 * side, (count / radius - Math.PI * radius) / 2));
  const bend = Math.PI * (random.uniform() - 0.5);
  const points: Point[] = [{ x, y }];
  for (const turn of [angle, angle + bend]) {
    const last = points[points.length - 1];
    // A segment that would leave the patch turns back, so that strokes stay thin.
    const to = (from: number, by: number): number =>
      from + by < 0 || from + by > side ? from - by : from + by;
    points.push({
      x: to(last.x, (length / 2) * Math.cos(turn)),
      y: to(last.y, (length / 2) * Math.sin(turn)),
    });
  }
  const [a, b, c] = points;
  return (u, v) => Math.min(distanceToSegment(u, v, a, b), distanceToSegment(u, v, b, c));
}

type Point = { readonly x: number; readonly y: number };

/** Returns the distance of a point from the line segment between two other points. */
export function distanceToSegment(x: number, y: number, a: Point, b: Point): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const squared = dx * dx + dy * dy;
  const along = squared === 0 ? 0 : ((x - a.x) * dx + (y - a.y) * dy) / squared;
  const t = Math.max(0, Math.min(1, along));
  return Math.hypot(x - a.x - t * dx, y - a.y - t * dy);
}
