/**
 * Arrays with values for each cell of one chunk. The codec chooses contexts by the values near a
 * cell. A border of zeros, two cells wide, gives each cell neighbours on all sides.
 */
import type { Rect } from '../geometry.ts';
import { type Cells, wordsOf } from './chunks.ts';

const { abs, ceil, clz32, max, min } = Math;

/**
 * RGBA indices of the channels in coding order. Alpha comes first, because premultiplied colours
 * never exceed alpha.
 */
export const CHANNELS = [3, 0, 1, 2] as const;

export const clamp = (x: number): number => max(0, min(255, x));

/**
 * Side length of a group (a square of cells), in cells. If no cell of a group changes, a delta
 * codes the whole group as a single bit.
 */
export const GROUP = 8;
export const GROUP_BITS = 3;
const BORDER = 2;

/** Returns the bit length of a magnitude: 0 for 0; 1 for 1; 2 for 2 and 3; 3 for 4 to 7; … */
export const lengthOf = (magnitude: number): number => 32 - clz32(magnitude);

/**
 * Returns 1 if an integer is at least `limit`, else 0. Faster than a branch, because processors
 * cannot predict branches that depend on the picture.
 */
export const reaches = (x: number, limit: number): number => (limit - 1 - x) >>> 31;

/** Number of different results of `halfOctave`. */
export const HALF_OCTAVES = 16;
const LOGARITHMS = Uint8Array.from({ length: 256 }, (_, magnitude) => {
  if (magnitude < 2) return magnitude;
  const length = lengthOf(magnitude);
  return min(HALF_OCTAVES - 1, 2 * length - 2 + ((magnitude >> (length - 2)) & 1));
});
/** Maps a magnitude to a logarithmic scale, 0…15, with two steps per doubling. */
export const halfOctave = (magnitude: number): number => LOGARITHMS[min(255, magnitude)];

/**
 * Measures the coded differences in four neighbours on a logarithmic scale, 0…11. The left and
 * upper neighbours count twice, the upper left and upper right neighbours once.
 *
 * @param left index of the left neighbour's difference
 * @param up index of the upper neighbour's difference
 */
export const differencesAround = (differences: Int16Array, left: number, up: number): number =>
  min(
    11,
    halfOctave(
      2 * (abs(differences[left]) + abs(differences[up])) +
        abs(differences[up - 4]) +
        abs(differences[up + 4]),
    ),
  );

/** Returns 0 for zero, 1 for positive and 2 for negative numbers. */
export const signOf = (x: number): number => reaches(x, 1) + 2 * (x >>> 31);

/** Returns the bit length of the absolute value of `x`, at most 3. */
export function shortLengthOf(x: number): number {
  const magnitude = abs(x);
  return reaches(magnitude, 1) + reaches(magnitude, 2) + reaches(magnitude, 4);
}

const none = new Uint8Array(0);

/** The arrays of one chunk. The codec reuses the arrays for the next chunk. */
export class Neighbourhood {
  /** Number of cells per row, including the border. */
  stride = 0;
  /**
   * [height + 4, width + 4] which cells near each cell the update changes, as a sum: 1 for the left
   * cell, 2 for the upper, 4 for the upper left and 8 for the upper right, plus 16 × the number of
   * changed cells among six cells further away.
   */
  changes = none;
  /** [height + 4, width + 4] 1 for each cell whose owner the update changes. */
  moved = none;
  /** [height + 4, width + 4] 1 for each cell that is coded exactly. */
  fine = none;
  /** [height + 4, width + 4, 4] each cell's colours before the update that is being coded. */
  colours = none;
  /** The bytes of `colours` as one number per cell. */
  private words = new Uint32Array(0);
  /** [rows, columns] 1 for each group of cells in which a cell changes, else 0. */
  groups = none;
  columns = 0;
  rows = 0;
  /** [height + 4, width + 4] each cell's owner before the update that is being coded. */
  owners = new Uint32Array(0);
  /**
   * [height + 4, width + 4, 4] by how much the update changes the value of each channel, in the
   * order of `CHANNELS`. If the cell gets a new owner: the difference from the predicted value.
   */
  moves = new Int16Array(0);
  /**
   * [height + 4, width + 4, 4] coded difference of each channel from its prediction, in the order
   * of `CHANNELS`.
   */
  differences = new Int16Array(0);

  /**
   * Clears the arrays, and fills `colours` and `owners` with a chunk's current cells.
   *
   * @param rect the chunk's position and size in `from`
   */
  begin(from: Cells, rect: Rect): void {
    this.clear(rect);
    const { owners, words } = this;
    const { owner } = from;
    const own = wordsOf(from);
    // Copy cell by cell. Copying rows would need an array view per row, which is slower.
    for (let y = 0; y < rect.height; y++) {
      let at = this.indexOf(0, y);
      let place = (rect.y + y) * from.width + rect.x;
      for (const end = place + rect.width; place < end; place++, at++) {
        words[at] = own[place];
        owners[at] = owner[place];
      }
    }
  }

  clear({ width, height }: Pick<Cells, 'width' | 'height'>): void {
    this.stride = width + 2 * BORDER;
    this.columns = ceil(width / GROUP);
    this.rows = ceil(height / GROUP);
    const groups = this.columns * this.rows;
    const cells = this.stride * (height + 2 * BORDER);
    if (this.changes.length < cells) {
      [this.changes, this.moved, this.fine] = [0, 1, 2].map(() => new Uint8Array(cells));
      this.words = new Uint32Array(cells);
      this.colours = new Uint8Array(this.words.buffer);
      this.owners = new Uint32Array(cells);
      this.moves = new Int16Array(4 * cells);
      this.differences = new Int16Array(4 * cells);
    } else {
      const { changes, moved, fine, colours, owners, moves, differences } = this;
      for (const map of [changes, moved, fine, colours, owners, moves, differences]) map.fill(0);
    }
    if (this.groups.length < groups) this.groups = new Uint8Array(groups);
    else this.groups.fill(0);
  }

  /** Returns a cell's index in the arrays with a border. */
  indexOf(x: number, y: number): number {
    return (y + BORDER) * this.stride + x + BORDER;
  }

  /**
   * Records in `changes` that a cell changes: adds 1, 2, 4, 8 or 16, depending on the direction and
   * distance, to the entry of each nearby cell that is coded later.
   */
  noteChange(at: number): void {
    const { changes, stride } = this;
    const below = at + stride;
    const second = below + stride;
    changes[at + 1] += 1;
    changes[below] += 2;
    changes[below + 1] += 4;
    changes[below - 1] += 8;
    changes[at + 2] += 16;
    changes[below - 2] += 16;
    changes[below + 2] += 16;
    changes[second - 1] += 16;
    changes[second] += 16;
    changes[second + 1] += 16;
  }

  /**
   * Sums the absolute values of `moves` (the changes made by the update) for all channels of the
   * left and upper neighbours.
   */
  movesNear(at: number): number {
    const { moves, changes, stride } = this;
    let sum = 0;
    if ((changes[at] & 3) === 0) return sum;
    for (let c = 0; c < 4; c++) {
      sum += abs(moves[(at - 1) * 4 + c]) + abs(moves[(at - stride) * 4 + c]);
    }
    return sum;
  }

  /**
   * Sums the absolute differences between the colours of a cell and of its four neighbours. Uses
   * the colours before the update.
   */
  gradient(at: number): number {
    const { colours, stride } = this;
    let sum = 0;
    for (let i = at * 4; i < at * 4 + 4; i++) {
      const own = colours[i];
      sum += abs(colours[i - 4] - own) + abs(colours[i + 4] - own);
      sum += abs(colours[i - 4 * stride] - own) + abs(colours[i + 4 * stride] - own);
    }
    return sum;
  }
}
