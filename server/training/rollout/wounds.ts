/**
 * Creates random wounds. A wound sets the states of some cells of a patch to zero, as damage does
 * in a room.
 */
import type { Random } from '../../../shared/random.ts';

/**
 * Kinds of wounds. `disc`: a disc; `half`: all cells on one side of a straight cut; `bar`: a
 * straight band from edge to edge; `square`: a square of half the patch's side, as in Palm et al.
 * 2022; `stroke`: a short bent line, as drawn with a finger.
 */
export const WOUND_KINDS = ['disc', 'half', 'bar', 'square', 'stroke'] as const;
type WoundKind = (typeof WOUND_KINDS)[number];
/** Kinds of wounds that can have an exact number of cells. */
type ExactKind = Exclude<WoundKind, 'square'>;

/** Minimum size of a random wound, as a share of the patch's cells. */
const SMALLEST = 0.02;
/**
 * Minimum radius of a stroke and minimum width of a bar, in cells. Thinner lines would break into
 * pieces.
 */
const THINNEST_RADIUS = 1.25;
const THINNEST_BAR = 2;

/**
 * Creates a wound with a random position, direction and size.
 *
 * @param side side of the patch, in cells
 * @param largest maximum size, as a share of the patch's cells, 0…1. A `half` always has this size;
 *   a `square` has at most a quarter of the cells
 * @returns [side, side] 0 for wounded cells, 1 for all other cells
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
 * Creates a wound of exactly round(share · side²) cells.
 *
 * @param kinds kinds of wounds, from which one is chosen at random
 * @returns [side, side] 0 for wounded cells, 1 for all other cells
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

/**
 * Radius of a disc that a wound leaves alive: minimum and maximum, in 32nds of the patch's side.
 */
const DISC_LEFT = [3, 5] as const;
/** Share of a patch's cells killed by a wound of scattered single cells. */
const SCATTERED = 0.95;
const MOST_PIECES = 4;

/**
 * Creates a large wound at random: a half, a bar, several pieces, scattered cells, or everything
 * except a small disc.
 *
 * @param lives [S, S] 1 for living cells, else 0. The middle of the small disc is one of the living
 *   cells
 * @returns [S, S] 0 for wounded cells, 1 for all other cells
 */
export function rimWound(random: Random, side: number, lives: Uint8Array): Uint8Array {
  const chance = random.uniform();
  if (chance < 0.4) return woundMask(random, side, 'half', 0.3 + 0.4 * random.uniform());
  if (chance < 0.6) return discLeft(random, side, lives);
  if (chance < 0.7) return woundMask(random, side, 'bar', 0.4);
  if (chance < 0.9) {
    const kept = new Uint8Array(side * side).fill(1);
    const pieces = 2 + random.integer(MOST_PIECES - 1);
    for (let i = 0; i < pieces; i++) {
      const share = (0.1 + 0.4 * random.uniform()) / pieces;
      woundOfShare(random, side, share, ['disc', 'stroke']).forEach((is, cell) => {
        kept[cell] &= is;
      });
    }
    return kept;
  }
  return Uint8Array.from(lives, () => (random.uniform() < SCATTERED ? 0 : 1));
}

function discLeft(random: Random, side: number, lives: Uint8Array): Uint8Array {
  const living = Array.from(lives.keys()).filter((cell) => lives[cell]);
  if (living.length === 0) return new Uint8Array(lives.length);
  const middle = living[random.integer(living.length)];
  const [least, most] = DISC_LEFT;
  const radius = ((least + (most - least) * random.uniform()) * side) / 32;
  const [x, y] = [middle % side, Math.floor(middle / side)];
  return Uint8Array.from(lives, (_, cell) =>
    Math.hypot((cell % side) - x, Math.floor(cell / side) - y) <= radius ? 1 : 0,
  );
}

const NEIGHBOURS = ['disc', 'half', 'bar'] as const;

/**
 * Chooses areas of a patch that one or two neighbours occupy. The four cells in the middle stay
 * free, because organisms are planted only at free positions.
 *
 * @param largest maximum share of the patch's cells that may be occupied, 0…1
 * @returns [side, side] 1 for free cells, 0 for occupied cells
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
 * Sets all channels of wounded cells to zero.
 *
 * @param states [side, side, channels]; changed in place
 * @param mask [side, side] 0 for wounded cells, 1 for all other cells
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

/** Creates a wound that consists of the `count` cells nearest to a random point or line. */
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

/**
 * Chooses a random point or line. Returns a function that computes the distance from this point or
 * line.
 */
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
 * Creates two connected line segments for a stroke that covers about `count` cells. Returns a
 * function that computes the distance from these segments.
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
    // Mirror a line segment that would leave the patch. The wound always has `count` cells, all of
    // them in the patch. If part of a segment were outside, the wound would be too wide around the
    // rest.
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

/** Returns the distance from the point (x, y) to the line segment between `a` and `b`. */
export function distanceToSegment(x: number, y: number, a: Point, b: Point): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const squared = dx * dx + dy * dy;
  const along = squared === 0 ? 0 : ((x - a.x) * dx + (y - a.y) * dy) / squared;
  const t = Math.max(0, Math.min(1, along));
  return Math.hypot(x - a.x - t * dx, y - a.y - t * dy);
}
